"""vttest in a session that nobody watches: it is driven by pterm send and read by pterm screen, as the caller's WHO would."""
import json
import os
import subprocess
import time

PTERM = os.environ["TOP"] + "/bin/src/pterm"
NAME = "vttest"
DEADLINE = 60                    # seconds, for a machine that is busy


def pterm(*args, check=True):
    done = subprocess.run([PTERM, *args], capture_output=True, text=True)
    assert not check or done.returncode == 0, (args, done.stderr)
    return done.stdout


class Screen:
    def __init__(self, seen):
        self.position = seen["position"]
        self.lines = ["".join(run["text"] for run in line["runs"]).rstrip() for line in seen["lines"]]
        self.runs = [line["runs"] for line in seen["lines"]]
        self.cursor = seen["cursor"]["row"] + 1, seen["cursor"]["col"] + 1
        self.text = "\n".join(self.lines)


def look():
    return Screen(json.loads(pterm("screen", "-o", "json", NAME)))


sent_at = None                   # the position at which something was typed last


def until(true, what):
    """
    The first screen of which something is true, after what was typed last had its effect: each of vttest's screens ends with a
    prompt. It is looked at again whenever anything was printed since.
    """
    global sent_at
    end = time.monotonic() + DEADLINE
    if sent_at is not None:
        pterm("wait", NAME, "--since", str(sent_at), "--stream", "--regex", "Push <RETURN>|Enter choice number", "--timeout", "60s")
        sent_at = None
    while True:
        screen = look()
        if true(screen):
            return screen
        assert time.monotonic() < end, "%s: never seen. It shows:\n%s" % (what, screen.text)
        pterm("wait", NAME, "--stream", "--regex", "(?s).", "--since", str(screen.position), "--timeout", "1s", check=False)


def shows(*texts):
    """Wait for a screen with all these lines, whatever surrounds them."""
    return until(lambda s: all(t in s.text for t in texts), repr(texts))


def send(*args):
    global sent_at
    sent_at = json.loads(pterm("send", "-o", "json", NAME, *args))["position"]


def choose(*path):
    """From the main menu, down through menus."""
    for number in path:
        shows("Enter choice number")
        send(str(number), "--enter")


def go_on():
    send("--enter")
