"""The keys of pterm play, at a terminal of the session's size and at a smaller one. s printed numbers, half a second apart."""
import os
import pexpect

PTERM = os.environ["TOP"] + "/bin/src/pterm"


def play(*args, rows=24, cols=80):
    p = pexpect.spawn(PTERM, ["play", *args, "s"], timeout=30, encoding="utf-8", dimensions=(rows, cols))
    p.expect_exact("number 0")
    return p


def ends(p):
    p.expect(pexpect.EOF)
    text = p.before
    p.close()
    assert p.exitstatus == 0, (p.exitstatus, p.signalstatus)
    return text


# to the end, and out of everything that the session left on
text = ends(play())
assert "number 5" in text and "full screen" in text
assert "\033[?25h" in text[text.index("full screen"):] and "\033[?47l" in text

# q leaves at once
p = play()
p.send("q")
assert "full screen" not in ends(p)

# paused nothing comes; a step is one piece; then on
p = play()
p.send(" ")
assert p.expect_exact([pexpect.TIMEOUT, "number 3"], timeout=2.5) == 0
p.send(".")
p.send(".")
p.expect_exact("number")
p.send(" ")
p.expect_exact("number 5")
ends(p)

# faster
p = play()
p.send("++++++")
ends(p)

# forward and back: what was there before is painted again
p = play()
p.send("\033[C")
p.expect_exact("full screen")
ends(p)
p = play()
p.expect_exact("number 3")
p.send("\033[D")
p.expect_exact("number 1")
p.expect_exact("number 4")
p.send("q")
ends(p)

# a smaller window shows the part around the cursor
p = play(rows=5, cols=20)
p.expect_exact("full screen")
ends(p)

# signals leave the terminal as it was
p = play()
p.kill(15)
assert "\033[?47l" in ends(p)
print("ok")
