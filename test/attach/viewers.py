from common import *

shell("s")
a, b, looker = attach("s"), attach("s"), attach("--read-only", "s")
ask(a, "echo one$((1+0))", "one1")
b.expect("one1")
looker.expect("one1")
looker.send("echo intruder\r")
ask(b, "echo two$((1+1))", "two2")  # after it: had the looker typed, it would be there by now
a.expect("two2")
looker.expect("two2")
assert b"intruder" not in looker.before + a.before + b.before
looker.send(DETACH)
looker.expect("detached")
detach(a)
ask(b, "echo three$((1+2))", "three3")
detach(b)
