"""
test/corpus/*.table: control functions, one row each: the function's name in ctlseqs, a stream, and what must come of it. Columns
are parted by tabs; \\e \\r \\n \\t \\b \\a \\\\ \\xNN as in C, \\s a blank. An expectation is parts with " & " between them:

  &           nothing
  TEXT        what the screen shows, "|" between rows, empty rows at the end left out
  =ANSWER     what is answered
  @ROW,COL    the cursor, from 1 on
  ROW,COL:LOOK    the look of a cell: marks of judges.py, "-" for none
  title=TEXT  alternate=yes  hidden=yes   of the screen
  MODE=on, MODE=off   one of the modes of pterm screen -o json

The screen has 4 rows and 10 columns; <ROWSxCOLS> in a stream is a new size. A fourth column names the judges (judges.py) that are of
another opinion; the table in docs/terminal.md says why pterm does not go with them.
"""
import glob
import os
import re
import unicodedata
from dataclasses import dataclass

from judges import Stream, row_text

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus")
ROWS, COLS = 4, 10
ESCAPES = {"e": "\x1b", "r": "\r", "n": "\n", "t": "\t", "b": "\b", "a": "\a", "s": " ", "\\": "\\"}


@dataclass
class Row:
    place: str
    control: str
    stream: Stream
    wanted: str
    dissent: set


def unescape(text):
    raw = text.encode().decode("latin-1")        # \xNN is a byte
    return re.sub(r"\\(?:x([0-9a-f]{2})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else ESCAPES[m[2]], raw).encode("latin-1")


def pieces(text):
    """Bytes, and @ROWSxCOLS between them for a new size."""
    parts = re.split(r"<(\d+)x(\d+)>", text)
    out = [unescape(parts[0])]
    for rows, cols, data in zip(parts[1::3], parts[2::3], parts[3::3]):
        out += [(int(rows), int(cols)), unescape(data)]
    return out


def rows():
    out = []
    for path in sorted(glob.glob(FOLDER + "/*.table")):
        with open(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith("#") or not line.strip():
                    continue
                place = "%s:%d" % (os.path.basename(path), number)
                parts = re.split(r"\t+", line.rstrip("\n"))
                assert len(parts) in (3, 4), "%s: not three or four columns" % place
                out.append(Row(place, parts[0], Stream(place, ROWS, COLS, pieces(parts[1])), parts[2],
                               set(parts[3].split()) if len(parts) == 4 else set()))
    return out


def shown(state):
    lines = ["".join(text for text, _ in row).rstrip(" ") for row in state.rows]
    while lines and not lines[-1]:
        lines.pop()
    return "|".join(lines)


def cell(state, row, col):
    """The look of a cell; wide characters count twice."""
    at = 1
    for text, look in state.rows[row - 1]:
        width = 2 if re.match("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60\U0001f300-\U0001faff]", text) else 1
        if at <= col < at + width:
            return look
        at += width
    return ""


def is_true(state, part):
    if part.startswith("="):
        return state.answers.encode("latin-1", "replace") == unescape(part[1:])
    if match := re.fullmatch(r"@(\d+),(\d+)", part):
        return (state.row + 1, state.col + 1) == (int(match[1]), int(match[2]))
    if match := re.fullmatch(r"(\d+),(\d+):(.*)", part):
        return (cell(state, int(match[1]), int(match[2])) or "-") == match[3]
    if match := re.fullmatch(r"title=(.*)", part):
        return state.title == unescape(match[1]).decode()
    if match := re.fullmatch(r"alternate=(yes|no)", part):
        return state.alternate == (match[1] == "yes")
    if match := re.fullmatch(r"hidden=(yes|no)", part):
        return state.visible == (match[1] == "no")
    if match := re.fullmatch(r"([a-z0-9-]+)=(on|off)", part):
        assert match[1] in state.known, "no mode %s" % match[1]
        return (match[1] in state.modes) == (match[2] == "on")
    return unicodedata.normalize("NFC", shown(state)) == unicodedata.normalize("NFC", unescape(part).decode())


def failures(row, state):
    """What of the expectation does not hold, as sentences."""
    out = []
    for part in row.wanted.split(" & "):
        if part != "&" and not is_true(state, part.rstrip()):
            out.append("%s %s: wanted %s; it shows %r, cursor %d,%d, answers %r, looks %r" % (
                row.place, row.control, part, shown(state), state.row + 1, state.col + 1, state.answers,
                [row_text(r) for r in state.rows]))
    return out
