"""What pterm is measured against. A rival that is not there says why in `absent`."""

import json
import os
import shutil
import signal
import subprocess
import time

from place import run, subordinate

# In place of the runtime: keep the configuration that pterm made for it.
KEEP_CONFIG = """#!/bin/sh
[ "$1" = --version ] && exec {crun} --version
cp config.json hosts hostname resolv.conf {into}/
exec {crun} "$@"
"""


def find_crun():
    for path in (os.environ.get("PTERM_CRUN"), "/usr/local/libexec/pterm/crun/crun", shutil.which("crun")):
        if path and os.access(path, os.X_OK):
            return path
    return None


class Crun:
    """
    `crun run` with the configuration that pterm passes to it (same mounts, masks, seccomp filter, namespaces and volume), but for
    what is pterm's: the command is run directly and not by pterm-init, and crun makes the user namespace itself (by
    newuidmap, as for any rootless user). Two ways to the root file system: `plain` has the unpacked image as it is, so crun
    is spared the overlay; `overlay` begins with unshare and mount, as somebody does who wants the image shared. crun's --root is
    on a tmpfs and warm: the compiled seccomp filter is in it.
    """

    def __init__(self, place):
        self.place, self.absent, self.holder, self.count = place, None, None, 0
        self.crun = find_crun()
        self.dir = f"{place.dir}/crun"
        self.root = f"/dev/shm/pterm-bench-{os.getpid()}-{place.user.pw_uid}"
        if self.crun is None:
            self.absent = "no crun"
            return
        try:
            self.prepare()
        except (OSError, RuntimeError) as e:
            self.absent = str(e)
            self.close()

    def prepare(self):
        for name in ("", "/kept", "/rootfs", "/upper", "/work", "/plain/rootfs", "/overlay/rootfs", "/idle/rootfs"):
            os.makedirs(self.dir + name, exist_ok=True)
        run(["tar", "-C", f"{self.dir}/rootfs", "-xf", f"{self.place.top}/bin/share/default-image.tar"])
        os.mkdir(self.root, 0o700)
        self.place.own(self.root)
        self.place.own(self.dir)
        if self.place.is_root:
            os.chmod(f"{self.dir}/kept", 0o777)
            run(["chown", "-R", f"{self.mapping()[0]['hostID']}:{self.mapping()[0]['hostID']}", f"{self.dir}/rootfs"])
            os.chmod(self.dir, 0o711)
        with open(f"{self.dir}/keep-config", "w") as f:
            f.write(KEEP_CONFIG.format(crun=self.crun, into=f"{self.dir}/kept"))
        os.chmod(f"{self.dir}/keep-config", 0o755)
        self.place.run(f"{self.place.bin}/pterm", "new", "--rm", "-v", f"{self.place.volume}:/b", "--", "true",
                       PTERM_CRUN=f"{self.dir}/keep-config")
        with open(f"{self.dir}/kept/config.json") as f:
            self.config = json.load(f)
        self.hold()

    def mapping(self):
        if self.place.is_root:
            return [{"containerID": 0, "hostID": 1900000000, "size": 65536}]
        start, count = subordinate("/etc/subuid", self.place.user)
        return [{"containerID": 0, "hostID": self.place.user.pw_uid, "size": 1},
                {"containerID": 1, "hostID": start, "size": count}]

    def hold(self):
        """crun >= 1.21 refuses hosts with hybrid cgroups. pterm shows it cgroup2; here it is shown once, before anything is measured."""
        if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            return
        if os.getuid() != 0:
            raise RuntimeError("crun refuses hybrid cgroups (run the benchmark as root)")
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", "mount -t cgroup2 cgroup2 /sys/fs/cgroup && echo ready && read x"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("cannot mount cgroup2")

    @property
    def namespace(self):
        return self.holder.pid if self.holder else None

    def bundle(self, kind, args, terminal=True):
        c = json.loads(json.dumps(self.config))
        c["process"]["args"], c["process"]["terminal"] = args, terminal
        c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/dev/pterm-init"]
        for m in c["mounts"]:
            name = os.path.basename(m["source"])
            if m["destination"] == "/b":
                m["source"] = self.place.volume
            elif "/bundle/" in m["source"]:
                m["source"] = f"{self.dir}/kept/{name}"
        c["root"]["path"] = f"{self.dir}/rootfs" if kind != "overlay" else "rootfs"
        if kind != "overlay":
            c["linux"]["namespaces"].append({"type": "user"})
            c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = self.mapping()
        with open(f"{self.dir}/{kind}/config.json", "w") as f:
            json.dump(c, f)

    def command(self, kind, *more):
        self.count += 1
        crun = [self.crun, f"--root={self.root}", "--cgroup-manager=disabled", "run", "--no-new-keyring",
                f"--bundle={self.dir}/{kind}", *more, f"c{self.count}"]
        if kind != "overlay":
            return crun
        mount = (f"mount -t overlay overlay -o userxattr,lowerdir={self.dir}/rootfs,upperdir={self.dir}/upper,"
                 f"workdir={self.dir}/work {self.dir}/overlay/rootfs && exec \"$@\"")
        return ["unshare", "--user", "--map-root-user", "--map-auto", "--mount", "sh", "-c", mount, "sh", *crun]

    def close(self):
        if self.holder:
            self.holder.stdin.close()
            self.holder.wait()
        shutil.rmtree(self.root, ignore_errors=True)


class Podman:
    def __init__(self, place):
        self.place, self.absent = place, None
        base = f"{place.dir}/podman"
        self.env = {"XDG_RUNTIME_DIR": f"{place.dir}/run"}
        self.argv = ["podman", f"--root={base}/root", f"--runroot={base}/run", "--cgroup-manager=cgroupfs",
                     "--events-backend=none"]
        if shutil.which("podman") is None:
            self.absent = "podman is not installed"
            return
        try:
            place.run(*self.argv, "import", f"{place.top}/bin/share/default-image.tar", "pterm-bench", **self.env)
            place.run(*self.argv, *self.run_args("true"), **self.env)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            self.absent = "podman does not work here: " + str(e)[-160:].replace("\n", " ")

    @staticmethod
    def run_args(*command):
        return ["run", "--rm", "--network", "none", "pterm-bench", *command]

    def close(self):
        if shutil.which("podman"):
            try:
                self.place.run(*self.argv, "unshare", "rm", "-rf", f"{self.place.dir}/podman", **self.env)
            except (RuntimeError, subprocess.TimeoutExpired):
                pass
        try:  # the process that holds podman's user namespace stays behind
            with open(f"{self.place.dir}/run/libpod/tmp/pause.pid") as f:
                os.kill(int(f.read()), signal.SIGKILL)
        except (OSError, ValueError):
            pass


class Docker:
    """The daemon, in folders of this benchmark, started and ended here."""

    def __init__(self, place):
        self.place, self.absent, self.daemon = place, None, None
        self.dir = f"{place.top}/docker"
        self.socket = f"unix://{self.dir}/sock"
        self.argv = ["docker", "-H", self.socket]
        if shutil.which("dockerd") is None or shutil.which("docker") is None:
            self.absent = "docker is not installed"
        elif os.getuid() != 0:
            self.absent = "starting dockerd needs root"
        else:
            try:
                self.start()
            except (OSError, RuntimeError, subprocess.TimeoutExpired) as e:
                self.absent = "docker does not work here: " + str(e)[-160:].replace("\n", " ")

    def start(self):
        os.mkdir(self.dir)
        with open(f"{self.dir}/log", "w") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", f"--data-root={self.dir}/data", f"--exec-root={self.dir}/exec", f"--pidfile={self.dir}/pid", "-H", self.socket,
                 "--iptables=false", "--ip6tables=false", "--bridge=none"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(200):
            if self.daemon.poll() is not None:
                with open(f"{self.dir}/log") as log:
                    raise RuntimeError(log.read().strip()[-160:])
            if os.path.exists(f"{self.dir}/sock"):
                break
            time.sleep(0.1)
        run(self.argv + ["import", f"{self.place.top}/bin/share/default-image.tar", "pterm-bench"])
        run(self.argv + Podman.run_args("true"))

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(30)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        for name in ("data", "exec"):
            subprocess.run(["sh", "-c", f"grep -o '{self.dir}/{name}[^ ]*' /proc/self/mounts | sort -r | xargs -r umount -l"],
                           stderr=subprocess.DEVNULL, check=False)
