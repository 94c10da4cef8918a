"""Where a benchmark runs: a folder of its own, the programs copied to where everybody can enter, an ordinary user when we are root."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile

USER = "pterm-test"  # the end-to-end tests' user (test/lib.bash)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(argv, **kw):
    """The command's output; a failure says what the command said."""
    kw.setdefault("timeout", 120)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv[-6:])}: exit {done.returncode}: {(done.stderr + done.stdout).strip()[-400:]}")
    return done.stdout


def make_user():
    try:
        pwd.getpwnam(USER)
    except KeyError:
        run(["useradd", "--create-home", "--shell", "/bin/sh", USER])
    for file, option in (("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids")):
        with open(file) as lines:
            if not any(line.startswith(USER + ":") for line in lines):
                run(["usermod", option, "700000000-700065535", USER])


def subordinate(file, who):
    with open(file) as lines:
        for line in lines:
            name, start, count = line.strip().split(":")
            if name in (who.pw_name, str(who.pw_uid)):
                return int(start), int(count)
    raise RuntimeError(f"{file} has no line for {who.pw_name}")


class Place:
    """One user's home for pterm, and how to run something as that user."""

    def __init__(self, top, build, who):
        self.top, self.is_root = top, who == "root"
        self.user = pwd.getpwuid(os.getuid()) if os.getuid() != 0 or self.is_root else pwd.getpwnam(USER)
        self.dir = f"{top}/{who}"
        self.bin = f"{top}/bin/src"
        self.volume = f"{self.dir}/volume"
        self.fifo = f"{self.volume}/fifo"
        os.makedirs(f"{self.dir}/home")
        os.makedirs(f"{self.dir}/run", mode=0o700)
        os.mkdir(self.volume)
        os.mkfifo(self.fifo)
        os.chmod(self.fifo, 0o666)  # a rival's container may be somebody else
        if self.is_root:
            os.makedirs(f"{self.dir}/store")
            os.chmod(f"{self.dir}/store", 0o711)
            os.chmod(self.dir, 0o711)
        self.own(self.dir)
        self.env = {"PATH": PATH, "LANG": "C.UTF-8", "TERM": "xterm", "PTERM_HOME": f"{self.dir}/home", "HOME": self.dir,
                    "USER": self.user.pw_name}
        if self.is_root:
            self.env["PTERM_STORE"] = f"{self.dir}/store"

    def own(self, path):
        for at, dirs, files in os.walk(path):
            for name in [at] + [f"{at}/{f}" for f in files]:
                os.chown(name, self.user.pw_uid, self.user.pw_gid)

    def prefix(self, namespace=None, **env):
        """What goes before a command so that it runs as this user, in the mount namespace of a process if wanted."""
        enter = ["nsenter", f"--mount=/proc/{namespace}/ns/mnt"] if namespace else []
        become = []
        if os.getuid() == 0 and not self.is_root:
            become = ["setpriv", "--reuid", self.user.pw_name, "--regid", str(self.user.pw_gid), "--init-groups"]
        return enter + become + ["env", "-i"] + [f"{k}={v}" for k, v in {**self.env, **env}.items()]

    def run(self, *argv, namespace=None, timeout=120, **env):
        return run(self.prefix(namespace, **env) + list(argv), timeout=timeout)

    def measure(self, options, argv, namespace=None, timeout=120, **env):
        """measure.c: seconds to the first byte, to the last, to the end; bytes."""
        out = run(self.prefix(namespace, **env) + [f"{self.top}/bin/measure"] + options + ["--"] + argv, timeout=timeout)
        first, last, end, size = out.split()[-4:]
        return {"first": int(first) / 1e6, "last": int(last) / 1e6, "end": int(end) / 1e6, "bytes": int(size)}

    def pterm(self, *argv, timeout=120):
        return self.run(f"{self.bin}/pterm", *argv, timeout=timeout)

    def sessions(self):
        return json.loads(self.pterm("ls", "-o", "json"))


def make_top(source, build):
    """The folder with the programs; the C helper is compiled into it."""
    top = tempfile.mkdtemp(prefix="pterm-bench.")
    os.chmod(top, 0o755)
    os.makedirs(f"{top}/bin/src")
    shutil.copytree(f"{build}/share", f"{top}/bin/share", ignore=shutil.ignore_patterns("*.p"))
    for name in ("pterm", "pterm-supervisor", "pterm-keeper", "pterm-init", "pterm-tree"):
        shutil.copy(f"{build}/src/{name}", f"{top}/bin/src/")
    run(["cc", "-D_GNU_SOURCE", "-std=gnu17", "-O2", "-o", f"{top}/bin/measure", f"{source}/measure.c"])
    run(["chmod", "-R", "a+rX", f"{top}/bin"])
    return top
