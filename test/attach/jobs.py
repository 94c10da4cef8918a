from common import *

v = spawn("new", "s", "--", "sh")
ask(v, "echo pid$((0+0))", "pid0")
v.sendline("cat")
ask(v, "hello", "hello\r\nhello")
v.send("\x1a")  # ctrl-z
v.expect("Stopped")
ask(v, "jobs", "cat")
v.sendline("fg")
ask(v, "again", "again\r\nagain")
v.send("\x03")  # ctrl-c
ask(v, "echo rc$?x", "rc130x")
v.sendline("sleep 1000")
v.send("\x1a")
v.expect("Stopped")
v.sendline("bg")
v.expect("sleep 1000")
ask(v, "kill %1; wait; echo reaped$((1))", "reaped1")
ask(v, "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo ter$((1))minal", "ter1minal")
v.sendline("cat")
ask(v, "ready", "ready\r\nready")
v.send("a\u00e4x\x7f\x7fb\r")  # with IUTF8 one backspace takes a whole character
v.expect("\nab\r")
v.send("\x04")
ask(v, "stty -a | grep -o '.iutf8'", r"[\r\n ]iutf8")
v.setwinsize(44, 99)
ask(v, "while [ \"$(stty size)\" != '44 99' ]; do :; done; echo re$((1))sized", "re1sized")
v.sendline("exit 3")
v.expect(pexpect.EOF)
v.close()
assert v.exitstatus == 3, v.exitstatus
