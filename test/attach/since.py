from common import *

pterm("new", "-d", "s", "--", "sh", "-c", "echo FIRST; i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done; echo LAST; exec sh")
v = attach("--since", "0", "s")
v.expect("FIRST")
v.expect("LAST")
detach(v)
v = attach("s")
v.expect("LAST")
assert b"FIRST" not in v.before and b"line-19999" in v.before
at = status("s")["position"]
detach(v)
v = attach("--since", "10m", "s")
v.expect("FIRST")
detach(v)
v = attach("--since", "999999999", "s")
ask(v, "echo after$((3+4))", "after7")
assert b"LAST" not in v.before
detach(v)
bad = pterm("attach", "--since", "tomorrow-ish", "s", check=False)
assert bad.returncode == 125, bad
