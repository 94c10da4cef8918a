import signal

from common import *

# a viewer that is stopped holds up nobody: 50 MB pass while it sleeps, and it can be woken
pterm("new", "-d", "s", "--", "sh")
v = attach("s")
ask(v, "echo ready$((5+5))", "ready10")
os.kill(v.pid, signal.SIGSTOP)
w = attach("s")
w.sendline("head -c 50000000 /dev/zero | tr '\\0' x; echo done$((6+6))")
w.expect("done12", timeout=120)
os.kill(v.pid, signal.SIGCONT)
v.expect("done12", timeout=60)
# what it shows is true, and nothing is said in it; how much it was not shown is said when the person leaves
assert b"printed faster" not in v.before
v.send(DETACH)
v.expect(r"\[([0-9]+) bytes were printed faster than this terminal takes them, and not shown one by one: pterm logs s has them\]")
assert 40_000_000 < int(v.match.group(1)) <= 50_100_000, v.match.group(1)
v.expect("detached from session")
v.expect(pexpect.EOF)
detach(w)
