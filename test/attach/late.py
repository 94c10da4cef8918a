from common import *

# what a viewer's terminal answers by itself does not reach the command; keys do, also those that look like answers
pterm("new", "-d", "--record-input", "s", "--", "sh", "-c", "stty raw -echo; printf ready; exec od -An -tx1 -v -w1")
v = attach("s")
v.expect("ready")
for answer in (b"\033[?64;1;2c", b"\033[>41;370;0c", b"\033[24;80R", b"\033[0n", b"\033[?2004;1$y", b"\033]11;rgb:0000/0000/0000\a",
               b"\033]10;rgb:ffff/ffff/ffff\033\\", b"\033P1$r0m\033\\", b"\033P>|XTerm(370)\033\\", b"\033[?0u", b"\033[8;24;80t"):
    v.send(answer)
KEYS = b"a\033[A\033[1;5R\033[13;5~z"
v.send(KEYS)
v.send(b"\033[200~\033[?1;2c\033[201~")
want = KEYS + b"\033[200~\033[?1;2c\033[201~"
pterm("wait", "s", "--stream", "--since", "0", "--regex", "32\\s+30\\s+31\\s+7e", "--timeout", "60s")
got = bytes.fromhex(pterm("logs", "s").stdout.decode().replace("ready", "", 1))
assert got == want, got
detach(v)

# nor does one come into the record of what was typed: neither a viewer's nor that of the session itself
pterm("new", "-d", "--record-input", "q", "--", "sh", "-c", "stty raw -echo; printf '\\033[6nready'; head -c 7 >/dev/null; printf over; exec cat")
v = attach("q")
v.expect("ready")
v.send(b"\033[24;80Rx")
v.expect("over")
cast = pterm("export", "q").stdout.decode()
typed = [line for line in cast.splitlines() if '"i"' in line]
assert len(typed) == 1 and typed[0].endswith('"i", "x"]'), typed
detach(v)
