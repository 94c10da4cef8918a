#!/usr/bin/env python3
"""In place of pterm-init: a taken-over init. It reads what it is told and answers with garbage, from the seed ROGUE_SEED."""
import array
import os
import random
import select
import socket
import struct
import sys

MAGIC = 0x70746900
rng = random.Random(int(os.environ.get("ROGUE_SEED", "1")))
line = socket.socket(fileno=3)
line.setblocking(False)
gifts = [os.open("/dev/null", os.O_RDWR), os.open("/", os.O_PATH), *os.pipe(), os.memfd_create("x"), *os.openpty(),
         socket.socket(socket.AF_UNIX).detach(), 3]


def number():
    return rng.choice([0, 1, 2, 3, 4, 5, 7, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)])


def packet():
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(rng.choice([0, 1, 23, 24, 25, 4096]))
    if kind == 1:  # cut or too long
        whole = struct.pack("<6I", MAGIC, number(), number(), number(), number(), number())
        return (whole * 4)[: rng.randrange(1, 96)]
    return struct.pack("<6I", MAGIC, rng.randrange(8), number(), rng.choice([0, 0, 1, number()]), number(), number())


for _ in range(rng.choice([1, 20, 500, 5000])):
    fds = rng.choices(gifts, k=rng.choice([0, 0, 0, 1, 1, 4, 16, 250]))
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        line.sendmsg([packet() or b"x"], ancillary, socket.MSG_DONTWAIT)
    except BlockingIOError:
        select.select([], [line], [], 0.05)
    except OSError:
        break
    if rng.randrange(200) == 0:
        os.write(1, rng.randbytes(4096))
sys.exit(rng.randrange(256))
