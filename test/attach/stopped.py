import signal
import time

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
v.expect("pterm: [0-9]+ bytes were printed faster|done12", timeout=60)
v.close(force=True)
detach(w)
