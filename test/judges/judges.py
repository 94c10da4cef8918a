"""
Terminals side by side: the same streams into each, states out that can be compared.

A stream is a size and pieces: bytes, or a new size of the window as a pair. A state has rows (lists of cells, a cell being a text
and a look such as bu3F1: marks, underline, colours), the cursor, whether the alternate screen is shown, the modes that are set
of those that the judge knows, and the title.
"""
import atexit
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import tty
import unicodedata
from dataclasses import dataclass, field, replace

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["PTERM_BUILD"]

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))           # so that judges are ended, too

ATTRIBUTES = {"bold": "b", "faint": "f", "italic": "i", "blink": "k", "inverse": "v", "hidden": "h", "strike": "s", "overline": "o"}
UNDERLINES = {"single": "u1", "double": "u2", "curly": "u3", "dotted": "u4", "dashed": "u5"}


@dataclass
class Stream:
    name: str
    rows: int
    cols: int
    pieces: list

    def line(self, number):
        parts = [p.hex() if isinstance(p, bytes) else "@%dx%d" % p for p in self.pieces]
        return "%d %d %d %s\n" % (number, self.rows, self.cols, " ".join(parts))

    def size(self):
        """The window's size in the end."""
        sizes = [p for p in self.pieces if not isinstance(p, bytes)]
        return sizes[-1] if sizes else (self.rows, self.cols)


@dataclass
class State:
    rows: list
    row: int
    col: int                     # that of the last column when a wrap is pending
    pending: bool
    visible: bool = True
    alternate: bool = False
    modes: set = field(default_factory=set)
    known: set = field(default_factory=set)     # the modes that the judge tells of
    title: str = None            # None: the judge does not tell
    answers: str = None
    normal: object = lambda cell: cell      # a cell of any screen, as far as this judge can tell
    cuts: bool = False           # it does not tell of blanks in a colour at the end of a row


def row_text(cells):
    """As one string: {look} where it changes, blanks at the end cut off."""
    cells = list(cells)
    while cells and cells[-1] == (" ", ""):
        cells.pop()
    out, now = [], ""
    for text, look in cells:
        if look != now:
            out.append("{%s}" % look)
            now = look
        out.append(text)
    return "".join(out)


def look_of(run):
    look = "".join(ATTRIBUTES.get(a, "") for a in run.get("attributes", []))
    look += UNDERLINES.get(run.get("underline"), "")
    for mark, key in (("F", "foreground"), ("B", "background"), ("U", "underline_colour")):
        if key in run and (mark != "U" or "underline" in run):
            look += mark + str(run[key])
    return look + ("L" + run["link"] if "link" in run else "")


def clusters(run):
    """The texts of a run's cells. Only with mode 2027 is there more in one than what combines; then nobody else looks."""
    out = []
    for c in run["text"]:
        if out and unicodedata.combining(c):
            out[-1] += c
        else:
            out.append(c)
    return out


def state_of_json(screen, answers=None):
    """What pterm screen -o json says."""
    rows = [[(c, look_of(run)) for run in line["runs"] for c in clusters(run)] for line in screen["lines"]]
    cursor, modes = screen["cursor"], screen["modes"]
    return State(rows, cursor["row"], cursor["col"], None, cursor["visible"], screen["alternate"],
                 {m for m, on in modes.items() if on is True}, set(modes), screen["title"], answers)


def run_lines(command, streams, cwd=None):
    text = "".join(s.line(i) for i, s in enumerate(streams))
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        sys.exit("%s failed: %s" % (command[0], done.stderr))
    return [json.loads(line) for line in done.stdout.splitlines()]


class Ours:
    name = "ours"

    def close(self):
        pass

    def states(self, streams):
        return [state_of_json(s["screen"], s["answers"]) for s in run_lines([BUILD + "/test/judge-ours"], streams)]


class Xterm:
    """xterm itself, in an X server without a screen. It knows no change of size, no links, no underlines but two."""
    name = "xterm"
    TAIL = 0xFFFF                # what it says of the second column of a wide character
    known = {"application-cursor", "bracketed-paste", "insert", "origin", "autowrap", "focus", "mouse-x10", "mouse", "mouse-drag",
             "mouse-motion", "mouse-sgr", "mouse-pixels", "mouse-utf8", "mouse-urxvt", "left-right-margins", "reverse-video",
             "backspace-is-bs", "alternate-scroll"}
    resources = ["allowWindowOps: true", "disallowedWindowOps:", "disallowedMouseOps:", "checksumExtension: 55", "directColor: true",
                 "saveLines: 0", "boldColors: false", "titleModes: 12"]

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="xterm.", dir=BUILD + "/judges")
        for name in ("in", "out"):
            os.mkfifo(self.folder + "/" + name)
        display_end, write_end = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
                                       pass_fds=[write_end], stderr=subprocess.DEVNULL)
        os.close(write_end)
        with open(display_end) as numbers:           # to its end of line: it writes that by itself
            display = numbers.readline().strip()
        if not display:
            sys.exit("Xvfb has ended at once")
        settings = [a for r in self.resources for a in ("-xrm", "XTerm*" + r)]
        self.xterm = subprocess.Popen(
            ["xterm", "-u8", "-ti", "vt420", *settings, "-e", sys.executable, HERE + "/xterm-inside.py", self.folder + "/in",
             self.folder + "/out"],
            env={**os.environ, "DISPLAY": ":" + display, "LC_ALL": "C.UTF-8"}, stderr=subprocess.DEVNULL)
        atexit.register(self.close)
        self.streams = open(self.folder + "/in", "w")
        self.answers = open(self.folder + "/out")

    @staticmethod
    def normal(cell):
        """
        It tells 16 bits of a character, composed where that is possible; a hidden one as a blank; and a blank with the foreground of
        its erasing.
        """
        text, look = cell
        look = look.split("L")[0]            # nor of links
        text = " " if "h" in look else "".join(chr(ord(c) & 0xFFFF) for c in unicodedata.normalize("NFC", text))
        look = look.replace("h", "")
        return text, re.sub("F[#0-9a-f]*", "", look) if text == " " and not re.search("[ukvso]", look) else look

    @staticmethod
    def can(stream):
        """A change of size is the X server's business; a VT52, a VT220, or one with other controls or characters cannot be asked."""
        return not any(not isinstance(p, bytes) or b"\x1b[?2l" in p or b"\x1b " in p or b"?42h" in p or b"\x1b%" in p or b'"p' in p for p in stream.pieces)

    def state(self, number, stream):
        self.streams.write(stream.line(number))
        self.streams.flush()
        if not select.select([self.answers], [], [], 60)[0]:
            sys.exit("xterm does not answer after %s" % show(stream))
        s = json.loads(self.answers.readline())
        rows = [[self.normal((chr(max(c, 32)), look)) for c, look in row if c != self.TAIL] for row in s["cells"]]
        return State(rows, s["row"] - 1, s["col"] - 1, None, s["visible"], s["alternate"], set(s["modes"]), self.known,
                     "" if s["title"] == "xterm" else s["title"], s["answers"], normal=self.normal)

    def states(self, streams):
        return [self.state(i, s) for i, s in enumerate(streams)]

    def close(self):
        atexit.unregister(self.close)
        for process in (self.xterm, self.server):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class XtermJs:
    """@xterm/headless, which npm brings into the build folder: see judges.bats."""
    name = "xterm.js"
    known = {"application-cursor", "application-keypad", "bracketed-paste", "insert", "origin", "autowrap", "focus", "synchronized",
             "mouse-x10", "mouse", "mouse-drag", "mouse-motion", "mouse-sgr", "mouse-pixels"}

    def close(self):
        pass

    @staticmethod
    def can(stream):
        return True

    def states(self, streams):
        out = []
        for stream, s in zip(streams, run_lines(["node", HERE + "/xterm-headless.js"], streams, BUILD + "/judges")):
            cursor, cols = s["cursor"], stream.size()[1]
            pending = cursor["col"] >= cols
            out.append(State([[tuple(c) for c in r] for r in s["rows"]], cursor["row"], min(cursor["col"], cols - 1), pending,
                             cursor["visible"], s["alternate"], set(s["modes"]), self.known, s["title"], s["answers"]))
        return out


class Tmux:
    """One pane without a program: streams are written to its terminal. tmux has seen all of one when it answers after it."""
    name = "tmux"
    flags = [("insert_flag", "insert"), ("keypad_cursor_flag", "application-cursor"), ("keypad_flag", "application-keypad"),
             ("origin_flag", "origin"), ("wrap_flag", "autowrap"), ("mouse_standard_flag", "mouse"), ("mouse_button_flag", "mouse-drag"),
             ("mouse_all_flag", "mouse-motion"), ("mouse_sgr_flag", "mouse-sgr"), ("mouse_utf8_flag", "mouse-utf8")]
    known = {mode for _, mode in flags}

    def __init__(self):
        self.socket = "%s/judges/tmux.%d" % (BUILD, os.getpid())
        os.makedirs(BUILD + "/judges", exist_ok=True)
        env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "screen"}
        env.pop("TMUX", None)
        atexit.register(self.close)
        self.control = subprocess.Popen(
            ["tmux", "-u", "-S", self.socket, "-f", "/dev/null", "-C", "new-session", "-x", "80", "-y", "24", "exec sleep infinity"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.read_block()
        for command in ("set -g status off", "set -g history-limit 0", "set -g window-size manual", "set -s set-clipboard off",
                        "set -g allow-rename on", "set -g alternate-screen on", "refresh-client -f no-output"):
            self.command(command)
        self.tty = os.open(self.command("display-message -p '#{pane_tty}'")[0], os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.tty)

    @staticmethod
    def can(stream):
        return True

    def read_block(self):
        out, inside = [], False
        while True:
            line = self.control.stdout.readline().decode()
            if line == "":
                sys.exit("tmux has gone")
            if line.startswith("%begin "):
                inside = True
            elif line.startswith("%end ") and inside:
                return out
            elif line.startswith("%error ") and inside:
                sys.exit("tmux: " + " ".join(out))
            elif inside:
                out.append(line.rstrip("\n"))

    def command(self, text):
        self.control.stdin.write(text.encode() + b"\n")
        self.control.stdin.flush()
        return self.read_block()

    def feed(self, data):
        """CAN ends what the stream may have left unfinished."""
        data += b"\x18\x1b[5n"
        while data:
            data = data[os.write(self.tty, data[:1000]):]
        got = b""
        while not got.endswith(b"\x1b[0n"):
            got += os.read(self.tty, 4096)
        return got[:-4].decode("latin-1")

    def state(self, stream):
        self.command("resize-window -x %d -y %d" % (stream.cols, stream.rows))
        self.feed(b"\x1b[?1049l")
        self.command("send-keys -R")
        self.command("select-pane -T ''")
        self.feed(b"\x1b[H\x1b[2J")
        self.command("clear-history")
        answers = ""
        for is_bytes, pieces in itertools.groupby(stream.pieces, lambda p: isinstance(p, bytes)):
            if is_bytes:
                answers += self.feed(b"".join(pieces))
            else:
                for rows, cols in pieces:
                    self.command("resize-window -x %d -y %d" % (cols, rows))
        ask = ["cursor_y", "cursor_x", "cursor_flag", "alternate_on"] + [flag for flag, _ in self.flags]
        values = self.command("display-message -p '%s'" % " ".join("#{%s}" % f for f in ask))[0].split()
        title = self.command("display-message -p '#{pane_title}'")[0]
        rows, cols = stream.size()
        lines = self.command("capture-pane -p -e -N")[:rows]
        painted = b"\x1b)0" + b"".join(b"\x1b[%dH%s" % (i + 1, line.encode()) for i, line in enumerate(lines))
        modes = {mode for (_, mode), value in zip(self.flags, values[4:]) if value == "1"}
        return Stream("painted", rows, cols, [painted]), values, modes, title, answers

    def states(self, streams):
        raw = [self.state(s) for s in streams]
        out = []
        # what tmux shows is SGR and text: our screen makes cells of it
        for (painted, values, modes, title, answers), state in zip(raw, Ours().states([r[0] for r in raw])):
            row, col = int(values[0]), int(values[1])
            out.append(State(state.rows, row, min(col, painted.cols - 1), col >= painted.cols, values[2] == "1", values[3] == "1", modes,
                             self.known, title, answers, cuts=True))
        return out

    def close(self):
        atexit.unregister(self.close)
        self.control.stdin.write(b"kill-server\n")
        self.control.stdin.close()
        self.control.wait()
        os.close(self.tty)


def cut(row):
    return re.sub(r"( |\{[^}]*\})+$", "", row)


JUDGES = {j.name: j for j in (Xterm, XtermJs, Tmux)}


def differences(ours, theirs):
    """Sentences, none where the two agree."""
    out = []
    shown = [[row_text(map(theirs.normal, row)) for row in state.rows] for state in (ours, theirs)]
    if theirs.cuts:
        shown = [[cut(row) for row in rows] for rows in shown]
    for i, (a, b) in enumerate(zip(*shown)):
        if a != b:
            out.append("row %d: ours %r, theirs %r" % (i + 1, a, b))
    if (ours.row, ours.col) != (theirs.row, theirs.col):
        out.append("cursor: ours %d,%d, theirs %d,%d" % (ours.row + 1, ours.col + 1, theirs.row + 1, theirs.col + 1))
    for what in ("visible", "alternate"):
        if getattr(ours, what) != getattr(theirs, what):
            out.append("%s: ours %s, theirs %s" % (what, getattr(ours, what), getattr(theirs, what)))
    known = ours.known & theirs.known
    if ours.modes & known != theirs.modes & known:
        out.append("modes: ours %s, theirs %s" % (sorted(ours.modes & known), sorted(theirs.modes & known)))
    if theirs.title is not None and ours.title != theirs.title:
        out.append("title: ours %r, theirs %r" % (ours.title, theirs.title))
    return out


def visible(data):
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda m: "\\e" if m[0] == "\x1b" else "\\x%02x" % ord(m[0]), text)


def show(stream):
    return " ".join(visible(p) if isinstance(p, bytes) else "@%dx%d" % p for p in stream.pieces)
