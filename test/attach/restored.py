import signal

from common import *


def settings(bash):
    bash.sendline("stty -g | tr : -; echo end$((1))")
    bash.expect(r"\r\n([0-9a-f-]{20,})\r\nend1")
    return bash.match.group(1)


bash = pexpect.spawn("/bin/bash", ["--norc", "--noediting"], timeout=30, dimensions=(24, 200))
before = settings(bash)
for how in ("kill", "supervisor"):
    shell("s")
    bash.sendline(f"{PTERM} attach s; echo rc=$?")
    ask(bash, "echo in$((4+4))side", "in8side")
    if how == "kill":
        pterm("kill", "s")
        bash.expect(r"rc=137\r")
    else:
        owners = [status("s")["pid"], keeper("s")]
        for signo in (signal.SIGSTOP, signal.SIGKILL):      # both at one moment, or another supervisor goes on
            for pid in owners:
                os.kill(pid, signo)
        bash.expect("supervisor of session 's' was killed")
        bash.expect(r"rc=125\r")
    assert settings(bash) == before, how
    pterm("rm", "-f", "s")
