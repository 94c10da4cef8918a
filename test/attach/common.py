"""Real terminals for the tests of attach.bats and home.bats: pexpect drives the program as a person does."""
import os
import subprocess

import pexpect

PTERM = os.environ["TOP"] + "/bin/src/pterm"
DETACH = "\x1cd"


def pterm(*args, check=True, **kw):
    kw.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([PTERM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **kw)
    if check and done.returncode != 0:
        raise SystemExit(f"pterm {args}: {done.returncode}\n{done.stdout!r}\n{done.stderr!r}")
    return done


def spawn(*args, rows=24, cols=80):
    return pexpect.spawn(PTERM, list(args), timeout=30, dimensions=(rows, cols), maxread=65536)


def attach(*args, **kw):
    return spawn("attach", *args, **kw)


def ask(viewer, command, answer):
    """Type @command into a shell; its answer must differ from what was typed, which is echoed."""
    viewer.sendline(command)
    viewer.expect(answer)
    return viewer.match


def shell(name, *options):
    pterm("new", "-d", *options, name, "--", "sh")


def detach(viewer, keys=DETACH):
    viewer.send(keys)
    viewer.expect("detached from session")
    viewer.expect(pexpect.EOF)
    viewer.close()
    assert viewer.exitstatus == 0, viewer.exitstatus


def status(name):
    import json

    return json.loads(pterm("inspect", name, "-o", "json").stdout)["status"]


def keeper(name):
    """The pid of the session's keeper."""
    found = subprocess.run(["pgrep", "-f", f"pterm-keeper {status(name)['id']}"], stdout=subprocess.PIPE, text=True, timeout=60)
    return int(found.stdout.split()[0])
