from common import *

shell("s")
v = attach("s")
ask(v, "echo a$((1+1))b", "a2b")
detach(v)
assert status("s")["state"] == "running"
# again, with other keys; what was printed is shown again
v = attach("--detach-keys", "ctrl-a,ctrl-d", "s")
v.expect("a2b")
detach(v, "\x01\x04")
v = attach("--detach-keys", "ctrl-a,d", "s")
v.send("echo \x01")  # only a beginning: it goes on to the command after a second at most
v.sendline("x$((2+2))y")
v.expect("x4y")
detach(v, "\x01d")
bad = pterm("attach", "--detach-keys", "ctrl-", "s", check=False)
assert bad.returncode == 125 and b"detach keys" in bad.stderr, bad
v = attach("--detach-keys", "none", "s")
v.sendline("trap '' QUIT; cat")
v.send(DETACH + "\r")
v.expect("d\r\n")  # echoed: it is the command's now
v.sendline("still-$(echo)here")
v.expect(r"still-\$\(echo\)here")
v.send("\x04")
v.sendline("exit 9")
v.expect(pexpect.EOF)
v.close()
assert v.exitstatus == 9, v.exitstatus
