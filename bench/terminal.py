"""What is measured at the terminal itself: the screen alone, the session's speed with viewers, without one, and an echo."""

import os
import pty
import select
import signal
import statistics
import subprocess
import time
import tty

# What bench-screen prints a line for: its must and aim, in MB/s.
SCREEN_BARS = {"plain": (60, 200), "colourful": (30, 80)}


class Terminal:
    """A part of bench/run's Bench, which brings self.user, row(), absent(), in_turn(), summary() and show()."""

    def do_screen(self):
        subprocess.run(["ninja", "-C", self.build, "--quiet", "src/bench-screen"], check=True, stdout=subprocess.DEVNULL)
        out = subprocess.run([f"{self.build}/src/bench-screen"], check=True, stdout=subprocess.PIPE, text=True).stdout
        for line in out.splitlines():
            words = line.split()
            if "MB/s" not in line:
                continue
            name, ours, theirs = words[0], float(words[2]), float(words[5])
            must, aim = SCREEN_BARS.get(name, (None, None))
            self.row(f"screen alone, {name}, against libvterm", f"{ours:.0f} MB/s", f"{theirs:.0f} MB/s" if theirs else "absent", ours,
                     must, aim, True, unit="MB/s", rival_mb_s=theirs)

    def make_data(self, size=100_000_000):
        """A file of plain lines in the volume, by its name inside a session and outside."""
        path = f"{self.user.volume}/data"
        if not os.path.exists(path):
            line = bytes(33 + i % 90 for i in range(78)) + b"\n"
            with open(path, "wb") as f:
                f.write(line * (size // len(line)))
            os.chown(path, self.user.user.pw_uid, self.user.user.pw_gid)
        return "/b/data", path

    def do_tmux(self):
        """Nobody looks: the time until a command has printed a file."""
        p = self.user
        inside, outside = self.make_data()
        tmux = ["tmux", "-L", "pterm-bench", "-f", "/dev/null"]
        if subprocess.run(["sh", "-c", "command -v tmux"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            self.absent("output, nobody looks: tmux", "tmux is not installed")
            return

        def ours():
            return p.measure(["--fifo", p.fifo], [f"{p.bin}/pterm", "new", "-d", "--rm", "-v", f"{p.volume}:/b", "--", "sh", "-c",
                                                  f"cat {inside}; echo x >/b/fifo"])["first"]

        def theirs():
            return p.measure(["--fifo", p.fifo], [*tmux, "new-session", "-d", "-x", "80", "-y", "24",
                                                  f"busybox cat {outside}; echo x >{p.fifo}"])["first"]

        left, right = self.in_turn(ours, theirs, rounds_min=3)
        size = os.path.getsize(outside) / 1e6
        x, y = size / statistics.median(left), size / statistics.median(right)
        self.row("output, nobody looks, recorded, against tmux", f"{x:.1f} MB/s", f"{y:.1f} MB/s", x / y, None, None, True, pterm_mb_s=x,
                 rival_mb_s=y, runs=len(left))

    def do_viewers(self):
        """How long a command takes to print, with one viewer and with eight of whom one is stopped."""
        left, right = self.in_turn(lambda: self.print_to(8, True), lambda: self.print_to(1, False), rounds_min=3)
        x, y = statistics.median(left), statistics.median(right)
        self.row("session's speed: 8 viewers, one stopped, against 1", self.show(x), self.show(y), y / x, 0.9, 1.0, True,
                 pterm_s=self.summary(left), rival_s=self.summary(right))

    def print_to(self, count, stops_one):
        p = self.user
        inside, _ = self.make_data()
        go = f"{p.volume}/go"
        if not os.path.exists(go):
            os.mkfifo(go)
            os.chmod(go, 0o666)
        p.pterm("new", "-d", "viewed", "-v", f"{p.volume}:/b", "--", "sh", "-c", f"read x </b/go; cat {inside}; echo x >/b/fifo; exec cat")
        viewers = [subprocess.Popen(p.prefix() + [f"{p.bin}/pterm", "attach", "--read-only", "viewed"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(count)]
        try:
            while p.pterm("events", "viewed").count("attached") < count:
                time.sleep(0.05)
            if stops_one:
                viewers[0].send_signal(signal.SIGSTOP)
            done = os.open(p.fifo, os.O_RDWR)
            began = time.monotonic()
            with open(go, "w") as f:
                f.write("go\n")
            os.read(done, 1)
            took = time.monotonic() - began
            os.close(done)
        finally:
            for v in viewers:
                v.kill()
                v.wait()
            p.pterm("rm", "-f", "viewed")
        return took

    def do_echo(self):
        """From a key that is written to a terminal until the terminal's other side has echoed it."""
        p = self.user
        p.pterm("new", "-d", "echo-here", "--", "cat")
        ours = echoes(p.prefix(TERM="xterm") + [f"{p.bin}/pterm", "attach", "echo-here"])
        theirs = echoes(["busybox", "cat"])
        p.pterm("rm", "-f", "echo-here")
        s, t = self.summary(ours), self.summary(theirs)
        for name in ("median", "p99"):
            self.row(f"echo of one key through attach, {name}, beside a bare PTY", f"{s[name] * 1e3:.2f} ms", f"{t[name] * 1e3:.2f} ms",
                     s[name] * 1e3, None, None, unit="ms", pterm_s=s, rival_s=t)


def echoes(argv, count=500):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    if argv[-1] != "cat":
        tty.setraw(fd)
    times = []
    try:
        while select.select([fd], [], [], 0.5)[0]:  # what is painted first
            os.read(fd, 65536)
        for i in range(count):
            key = b"abcdefghij"[i % 10:i % 10 + 1]
            began = time.monotonic()
            os.write(fd, key)
            seen = b""
            while key not in seen:
                seen += os.read(fd, 4096)
            times.append(time.monotonic() - began)
            time.sleep(0.003)  # a person's next key does not come in the moment of the last
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
    return times
