from common import *

shell("s")
a = attach("s", rows=30, cols=100)
ask(a, "stty size", "30 100")
b = attach("s", rows=20, cols=70)
ask(b, "stty size", "20 70")
ask(a, "stty size", "30 100")  # who typed last
looker = attach("--read-only", "s", rows=5, cols=5)
ask(a, "stty size", "30 100")  # one who only looks decides nothing
looker.close()
a.sendline("while [ \"$(stty size)\" != '33 111' ]; do :; done; echo re$((1))sized")
a.setwinsize(33, 111)
a.expect("re1sized")
b.setwinsize(11, 22)  # not theirs now
ask(a, "stty size", "33 111")
detach(b)
detach(a)
