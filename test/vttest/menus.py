"""
vttest's menus, as far as a screen or a report can be judged by reading: 1 cursor movements, 2 screen features, 6 reports, 8 insert
and delete. Screens of 132 columns are passed over: a program does not change a session's size.
"""
import sys

from driver import choose, go_on, pterm, send, shows, until, NAME

STARS, LETTERS = "*" * 80, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def passes(*texts):
    shows(*texts)
    go_on()


def frame(screen):
    """The border of * and +, unbroken, and the frame of Es with one free place around it."""
    lines = screen.lines
    inner = [line[1:79] for line in lines[1:23]]
    es = [line[10:70].rstrip() for line in lines[8:16]]
    return (lines[0] == lines[23] == STARS and all(line[0] == line[79] == "*" for line in lines[1:23] if len(line) == 80) and
            all(len(line) == 80 for line in lines) and inner[0] == inner[21] == "+" * 78 and
            all(line[0] == line[77] == "+" for line in inner) and es[0] == es[7] == "E" * 60 and
            all(line[0] == line[59] == "E" for line in es) and es[1] == es[6] == "E" + " " * 58 + "E")


def cursor_movements():
    choose(1)
    until(frame, "the frame of Es")
    go_on()
    passes("ader of *'s and +'s around")             # in 132 columns
    for _ in range(2):                               # in 80, and in what is 132 elsewhere
        until(lambda s: [line for line in s.lines if len(line) == 80] == [c + " " * 78 + c.lower() for c in LETTERS[8:]] and
              "Push <RETURN>" in s.text, "letters in order at both margins")
        go_on()
    until(lambda s: [line.split() for line in s.lines].count("A B C D E F G H I".split()) == 4, "four lines alike")
    go_on()
    until(lambda s: "This is a correct sentence" in s.lines, "the sentence, in a line of its own")
    go_on()


def scrolling(kind):
    """Regions scroll down and back up; at the end the region's lines are those that vttest says."""
    for region in ("[12..13]", "[1..24]"):
        until(lambda s: "%s scroll" % kind in s.text and region in s.text and "Push <RETURN>" in s.text and
              s.text.rstrip().endswith(tuple("0123456789")), "%s %s" % (kind, region))
        go_on()


def inverse(screen, text):
    """Is the text shown with attributes as vttest names them?"""
    found = [set(run.get("attributes", [])) | ({"underline"} if "underline" in run else set())
             for runs in screen.runs for run in runs if run["text"].strip() == text]
    names = {"negative": "inverse", "bold": "bold", "blink": "blink", "underline": "underline"}
    return {names[word] for word in text.split() if word in names} in found


def screen_features():
    choose(2)
    until(lambda s: s.lines[:3] == [STARS] * 3 and "identical lines of *'s" in s.text, "three lines of stars")
    go_on()
    until(lambda s: "Test of TAB setting" in s.text and s.lines[0] == s.lines[1] and s.lines[0].count("*") == 13, "two lines alike")
    go_on()
    for background in ("light", "dark"):
        passes("132 column mode, %s background" % background)
        until(lambda s: "This is 80 column mode, %s background.Push <RETURN>" % background in s.lines[19], "80 columns, " + background)
        go_on()
    for kind in ("Soft", "Jump"):
        scrolling(kind)
    until(lambda s: s.lines[23].startswith("Origin mode test") and s.lines[22].startswith("This line should be the one above"),
          "origin mode, at the bottom")
    go_on()
    until(lambda s: s.lines[0].startswith("This line should be at the top") and s.lines[23].startswith("Origin mode test"),
          "no origin mode, at the top")
    go_on()
    for background in ("Dark", "Light"):
        screen = shows(background + " background. Push <RETURN>")
        for text in ("bold", "underline", "bold underline", "blink", "bold blink", "negative", "bold negative", "underline negative",
                     "bold underline blink negative"):
            assert inverse(screen, text), (text, screen.runs)
        go_on()
    until(lambda s: s.lines[0].startswith("AAAAA") and s.lines[3].startswith("AAAAA") and s.text.count("─" * 10) == 5 and
          s.text.count("◆" * 10) == 5 and s.text.count("*" * 10) == 5, "cursor saved and restored")
    go_on()


def reports():
    choose(6, 3)
    screen = shows("TERMINAL OK", "Push <RETURN>")
    assert screen.text.count("-- OK") == 2, screen.text
    go_on()
    choose(4)
    passes("VT400 family", "6 = selective erase", "28 = rectangular editing", "Push <RETURN>")
    choose(5)
    passes("<27> [ > 4 1 ;", "VT420", "Push <RETURN>")
    choose(6)
    passes("P ! | 0 0 0 0 0 0 0 0", "Push <RETURN>")
    choose(7)
    passes("Report is:", "Push <RETURN>")


def staggered(length):
    """A screen of which each line is shorter by one than the one above; the text is in two of them."""
    return until(lambda s: "staggered" in s.text and all(i in (3, 4) or line == LETTERS[i] * (length - i) for i, line in enumerate(s.lines)),
                 "a staggered column of %d" % length)


def insert_and_delete():
    choose(8)
    until(lambda s: "Screen accordion test" in s.text and s.lines[23] == "X" * 80, "lines A to X")
    go_on()
    screen = shows("Top line: A's, bottom line: X's, this line, nothing more.")
    assert screen.lines[0] == "A" * 80 and screen.lines[23] == "X" * 80 and not any(screen.lines[2:23]), screen.text
    go_on()
    assert shows("Test of 'Insert Mode'").lines[0] == "A" + "*" * 78 + "B"
    go_on()
    assert shows("Test of 'Delete Character'").lines[0] == "AB"
    go_on()
    staggered(79)
    go_on()
    staggered(39)                                    # lines of double width, of which half as much is seen
    go_on()
    assert shows("ANSI 'Insert Character' function").text.count(" ".join(LETTERS)) == 2
    go_on()                                          # and all of it again, in what is 132 columns elsewhere


MENUS = {"1": cursor_movements, "2": screen_features, "6": reports, "8": insert_and_delete}
pterm("new", "-d", "--engine", "process", NAME, "--", "vttest")
MENUS[sys.argv[1]]()
if sys.argv[1] != "8":
    shows("Enter choice number")
