import signal

from common import *

# a person, or a program in their place, notices nothing when the supervisor is killed, whatever they are doing
shell("s")
v = attach("s")
for n in range(1, 6):
    ask(v, f"echo before$(({n}*111))", f"before{n * 111}")
    os.kill(status("s")["pid"], signal.SIGKILL)
    ask(v, f"echo after$(({n}*111))", f"after{n * 111}")
    assert status("s")["adoptions"] == n
# in the middle of its output, too: nothing of it is missing
v.sendline("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo n$i; done; echo end$((7+7))")
v.expect(r"\bn1\r")
os.kill(status("s")["pid"], signal.SIGKILL)
v.expect("end14", timeout=120)
printed = [int(line[1:]) for line in pterm("logs", "s").stdout.decode().splitlines() if line[:1] == "n" and line[1:].isdigit()]
assert printed == list(range(1, 3001)), printed[:10]
detach(v)
