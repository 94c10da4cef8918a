"""
The inside of a real xterm that is a judge (judges.py): streams come on one FIFO, states go to another. xterm is asked for all that
it shows: every cell by DECRQCRA, which with the right XTCHECKSUM is its character, and by XTREPORTSGR.
"""
import json
import os
import re
import sys
import tty

MODES = {1: "application-cursor", 66: "application-keypad", 2004: "bracketed-paste", 6: "origin", 7: "autowrap", 1004: "focus",
         9: "mouse-x10", 1000: "mouse", 1002: "mouse-drag", 1003: "mouse-motion", 1006: "mouse-sgr", 1016: "mouse-pixels",
         1005: "mouse-utf8", 1015: "mouse-urxvt", 69: "left-right-margins", 5: "reverse-video", 67: "backspace-is-bs",
         1007: "alternate-scroll"}
MARKS = {"1": "b", "2": "f", "3": "i", "5": "k", "7": "v", "8": "h", "9": "s"}
DONE = rb"\x1b\[0n$"


def ask(data, pattern=DONE):
    """Write, and read until the answer has come: (all, the match)."""
    os.write(1, data)
    got = b""
    while not (match := re.search(pattern, got, re.S)):
        got += os.read(0, 65536)
    return got, match


def colour(part):
    """The mark of a colour, None when it is none: 31, 92, 38:5:N, 38:2:R:G:B."""
    if re.fullmatch("[34][0-7]", part):
        return "FB"[part[0] == "4"] + part[1]
    if re.fullmatch("(9|10)[0-7]", part):
        return "FB"[len(part) == 3] + str(int(part[-1]) + 8)
    if re.match("[34]8:5:", part):
        return "FB"[part[0] == "4"] + part[5:]
    if re.match("[34]8:2:", part):
        return "FB"[part[0] == "4"] + "#%02x%02x%02x" % tuple(map(int, part.split(":")[-3:]))
    return None


def look(sgr):
    parts = sgr.split(";")
    marks = {MARKS[p] for p in parts if p in MARKS}
    underline = "u2" if "21" in parts else "u1" if "4" in parts else ""
    colours = "".join(sorted((c for c in map(colour, parts) if c), reverse=True))
    return "".join(m for m in "bfikvhs" if m in marks) + underline + colours


def cells(rows, cols):
    out = []
    for y in range(1, rows + 1):
        place = ["%d;%d;%d;%d" % (y, x, y, x) for x in range(1, cols + 1)]
        got, _ = ask("".join("\x1b[1;1;%s*y\x1b[%s#|" % (p, p) for p in place).encode() + b"\x1b[5n")
        points = [int(s, 16) for s in re.findall(rb"\x1bP1!~([0-9A-F]+)\x1b\\", got)]
        looks = [look(s.decode()) for s in re.findall(rb"\x1b\[([0-9;:]*)m", got)]
        out.append(list(zip(points, looks)))
    return out


def state(number, rows, cols, data):
    ask(b"\x18\x1bc\x1b[8;%d;%dt\x1b[?1047h\x1b[2J\x1b[H\x1b[m\x1b7\x1b[?1047l\x1b[!p\x1b]2;\x07\x1b[H\x1b[2J\x1b[5n" % (rows, cols))
    got, at = ask(data + b"\x18\x1b[6n\x1b[5n", rb"\x1b\[(\d+);(\d+)R\x1b\[0n$")
    row, col, answers = int(at[1]), int(at[2]), got[:at.start()].decode("latin-1")
    got, _ = ask(b"".join(b"\x1b[?%d$p" % n for n in MODES) + b"\x1b[4$p\x1b[?25$p\x1b[?47$p\x1b[21t\x1bP$qr\x1b\\\x1bP$qs\x1b\\\x1b[5n")
    values = {int(n): value for n, value in re.findall(rb"\x1b\[\?(\d+);(\d)\$y", got)}
    modes = [name for n, name in MODES.items() if values.get(n) == b"1"]
    if b"\x1b[4;1$y" in got:
        modes.append("insert")
    if "origin" in modes:
        row += int(re.search(rb"\x1bP1\$r(\d+);(\d+)r", got)[1]) - 1
        col += int(re.search(rb"\x1bP1\$r(\d+);(\d+)s", got)[1]) - 1
    title = re.search(rb"\x1b\]l(.*?)\x1b\\", got)[1].decode()
    os.write(1, b"\x1b[?6l\x1b[?69l\x1b[55#y")
    return {"id": number, "row": row, "col": col, "modes": modes, "title": title, "alternate": values[47] == b"1",
            "visible": values[25] == b"1", "cells": cells(rows, cols), "answers": answers}


def main():
    tty.setraw(0)
    with open(sys.argv[1]) as streams, open(sys.argv[2], "w") as out:
        for line in streams:
            number, rows, cols, *pieces = line.split()
            out.write(json.dumps(state(number, int(rows), int(cols), bytes.fromhex("".join(pieces)))) + "\n")
            out.flush()


main()
