import signal

from common import *

shell("s")
# with a terminal
for code in (0, 1, 7, 125, 126, 127, 255):
    v = spawn("exec", "s", "sh", "-c", f"tty; exit {code}")
    v.expect("/dev/pts/")
    v.expect(pexpect.EOF)
    v.close()
    assert v.exitstatus == code, (code, v.exitstatus)
v = spawn("exec", "s", "sh", rows=41, cols=101)
ask(v, "stty size", "41 101")
v.setwinsize(42, 102)
ask(v, "while [ \"$(stty size)\" != '42 102' ]; do :; done; echo re$((1))sized", "re1sized")
ask(v, "sleep 1000 & echo started$((1))", "started1")
v.sendline("fg")
v.expect("sleep 1000")
v.send("\x03")
ask(v, "echo alive$((2))", "alive2")
v.sendline("kill -KILL $$")
v.expect(pexpect.EOF)
v.close()
assert v.exitstatus == 137, v.exitstatus
# our own terminal's signals reach the command: TERM and HUP
for number in (signal.SIGTERM, signal.SIGHUP):
    p = subprocess.Popen([PTERM, "exec", "-T", "s", "sh", "-c", "trap 'exit 44' TERM HUP; echo up; while :; do sleep 0.05; done"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"up\n"
    p.send_signal(number)
    assert p.wait(30) == 44, p.returncode
