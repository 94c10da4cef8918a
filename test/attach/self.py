from common import *

shell("s", "--engine", "process")
v = attach("s")
env = " ".join(f"{k}='{os.environ[k]}'" for k in ("PTERM_HOME", "TOP", "PTERM_STORE") if k in os.environ)
ask(v, f"export {env}; {PTERM} attach s; echo rc=$?", "cannot be attached to itself")
v.expect("rc=125")
v.sendline("unset PTERM_SESSION")  # then the supervisor knows it by its process
ask(v, f"{PTERM} attach s; echo rc=$?", "cannot be attached to itself")
v.expect("rc=125")
ask(v, f"sh -c 'sh -c \"setsid -w {PTERM} attach s; echo nested=\\$?\"'", "cannot be attached to itself")
v.expect("nested=125")
detach(v)
