"""
Streams by chance, of what a judge and pterm agree on. A piece is a control function with any parameters, or text. What a judge is
known to do otherwise (the table in docs/terminal.md) is left out of its streams, or does not meet what it matters with: each
judge has several mixtures, and a mixture names what is not in it.
"""
import random

from judges import Stream

ROWS, COLS = 12, 40


def number(r, most):
    return r.choice(["", "0", str(r.randint(1, most)), str(r.randint(1, 4))])


def csi(final, most=12):
    return lambda r: "\x1b[%s%s" % (number(r, most), final)


def place(r):
    return "\x1b[%d;%d%s" % (r.randint(1, ROWS), r.randint(1, COLS), r.choice("Hf"))


def margins(r):
    top = r.randint(1, ROWS - 1)
    return "\x1b[%d;%dr" % (top, r.randint(top + 1, ROWS))


def sgr(r):
    simple = ["", "0", "1", "2", "3", "4", "5", "7", "8", "9", "22", "23", "24", "25", "27", "28", "29", "31", "37", "39", "42", "47", "49",
              "93", "104", "38;5;200", "48;5;17", "38;2;1;2;3", "48;2;250;128;0"]
    return "\x1b[%sm" % ";".join(r.choice(simple) for _ in range(r.randint(1, 3)))


def text(*choices):
    return lambda r: r.choice(choices)


def erase(final):
    return lambda r: "\x1b[%s%s" % (r.choice(["", "0", "1", "2"]), final)


def mode(*numbers):
    return lambda r: "\x1b[?%d%s" % (r.choice(numbers), r.choice("hl"))


def visit(r):
    """To the alternate screen and back."""
    return "\x1b[?1049h" + "".join(r.choice([place, erase("J"), text("abc", "\r\n")])(r) for _ in range(4)) + "\x1b[?1049l"


# how often, what it is (mixtures name it), the piece
PIECES = [
    (6, "text", text("a", "bc", "hello world ", "0123456789", "a somewhat longer line that comes near the edge", "x" * 50)),
    (2, "text", text("ä", "é", "ß", "─", "€")),
    (3, "wide", text("中", "文字", "😀", "漢字かな")),
    (1, "combining", text("e\u0301", "a\u0308")),
    (2, "newline", text("\r\n")), (2, "line", text("\r", "\n")), (1, "backspace", text("\b")), (1, "tab", text("\t")),
    (3, "place", place),
    (3, "look", sgr), (1, "underline", text("\x1b[4:0m", "\x1b[4:1m", "\x1b[4:2m", "\x1b[4:3m", "\x1b[58:5:9m", "\x1b[38:2::9:8:7m")),
    (1, "move", csi("A")), (1, "move", csi("B")), (1, "move", csi("C")), (1, "move", csi("D")), (1, "move", csi("E")), (1, "move", csi("F")),
    (1, "move", csi("G", COLS)), (1, "move", csi("d", ROWS)), (1, "move", csi("`", COLS)), (1, "relative", csi("a")),
    (1, "relative", csi("e")), (1, "tab-on", csi("I", 4)), (1, "tab-back", csi("Z", 4)), (1, "tab", text("\x1bH", "\x1b[g", "\x1b[3g")),
    (1, "erase", erase("J")), (1, "erase", erase("K")), (1, "erase", csi("X")),
    (1, "insert", csi("@")), (1, "insert", csi("P")), (1, "lines", text("\r\x1b[L", "\r\x1b[2M")), (1, "lines-here", csi("L")),
    (1, "lines-here", csi("M")), (1, "scroll", csi("S")), (1, "scroll", lambda r: "\x1b[%dT" % r.randint(1, 5)), (1, "columns", text("\x1b['}", "\x1b[2'~")),
    (1, "repeat", csi("b", 9)), (1, "margins", margins), (1, "save", text("\x1b7", "\x1b8", "\x1b[s", "\x1b[u")),
    (1, "index", text("\x1bD", "\x1bE", "\x1bM")), (1, "drawing", text("\x1b(0lqqk\x1b(B", "\x1b)0\x0eaqj\x0f")),
    (1, "insert-mode", text("\x1b[4h", "\x1b[4l")), (1, "origin", mode(6)), (1, "wrap-mode", mode(7)),
    (1, "modes", mode(1, 25, 1000, 1002, 1003, 1006, 1004, 2004)), (1, "modes", text("\x1b=", "\x1b>")),
    (2, "alternate", text("\x1b[?1049h", "\x1b[?1049l")), (2, "alternate-47", text("\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l")),
    (1, "visit", visit),
    (1, "title", text("\x1b]0;a title\x07", "\x1b]2;another\x1b\\")), (1, "reset", text("\x1b[!p")),
    (1, "link", text("\x1b]8;;http://example.org/\x1b\\link\x1b]8;;\x1b\\")),
    (1, "string", text("\x1bP1;2q#0~-\x1b\\", "\x1b^pm\x1b\\", "\x1b]4;1;#123456\x07", "\x1b]133;A\x07")), (1, "apc", text("\x1b_apc\x1b\\")),
    (1, "question", text("\x1b[6n", "\x1b[c", "\x1b[?25$p")),
]

# What is not in a mixture.
MIXTURES = {
    "xterm": [
        "wide link underline tab-back alternate-47 reset",
        "wide link underline tab-back visit alternate look",
        "look link underline tab-back alternate-47 columns",
    ],
    "xterm.js": [
        "wide link origin alternate alternate-47 reset repeat columns scroll",
        "look underline link place move relative index line tab-back save visit lines lines-here scroll origin alternate alternate-47 reset repeat "
        "columns",
        "look underline wide margins origin alternate alternate-47 reset repeat columns",
        "look underline wide move relative tab tab-on tab-back save visit alternate alternate-47 link reset repeat columns",
    ],
    "tmux": [
        "wide margins origin visit alternate alternate-47 reset repeat lines-here columns relative tab-on link apc insert-mode backspace combining wrap-mode",
        "look underline erase line index place move tab-back tab save insert origin visit alternate alternate-47 margins reset repeat lines lines-here columns "
        "relative tab-on link apc insert-mode backspace combining wrap-mode",
        "wide combining lines visit alternate alternate-47 reset repeat lines-here columns relative tab-on link apc insert-mode backspace combining wrap-mode origin",
        "wide combining lines margins alternate alternate-47 reset repeat lines-here columns relative tab-on link apc insert-mode backspace combining wrap-mode origin save",
    ],
}


# Before these the cursor leaves the last column, where a wrap may be pending: the judge's view of that differs.
UNSETTLED = {"xterm": [], "xterm.js": ["erase", "tab-back", "visit"], "tmux": ["erase", "insert", "tab", "tab-back", "index", "line", "newline", "move"]}


def mixtures(judge):
    return [set(m.split()) for m in MIXTURES[judge]]


def streams(judge, count, seed, pieces=25):
    """The same for the same seed; each in two pieces, cut anywhere, which must make no difference to anybody."""
    r = random.Random("%s/%s" % (judge, seed))
    out = []
    for n in range(count):
        without = mixtures(judge)[n % len(MIXTURES[judge])]
        usable = [p for p in PIECES if p[1] not in without]
        parts = ["\x1b7"]
        for _, kind, piece in r.choices(usable, [p[0] for p in usable], k=pieces):
            parts.append(("\r" if kind in UNSETTLED[judge] else "") + piece(r))
        data = "".join(parts).encode()
        cut = r.randint(0, len(data))
        out.append(Stream("%s/%s/%d" % (judge, seed, n), ROWS, COLS, [data[:cut], data[cut:]]))
        out[-1].parts = [p.encode() for p in parts]
    return out
