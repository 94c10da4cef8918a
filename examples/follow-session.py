#!/usr/bin/env python3
"""
A session from another program, with libpterm by ctypes: print what it prints, type into it, give it another size.

    follow-session.py [--since POSITION] [--size ROWSxCOLS] [--type TEXT] SESSION

$LIBPTERM names the library where it is not installed. It sleeps in select, as a program does that has other things to wait
for, and ends with the session.
"""
import argparse
import ctypes
import os
import select
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint, c_uint64, c_void_p

RECENT, OLDEST, NEW = -1, 0, 2 ** 63 - 1         # where reading begins, but for positions

library = ctypes.CDLL(os.environ.get("LIBPTERM", "libpterm.so.0"))
for name, result, *arguments in (
    ("new", c_void_p), ("free", None, c_void_p), ("error", c_char_p, c_void_p),
    ("open", c_int, c_void_p, c_char_p, c_char_p, c_int64, c_uint),
    ("read", c_ssize_t, c_void_p, c_void_p, c_size_t, POINTER(c_uint64)), ("fd", c_int, c_void_p),
    ("position", c_uint64, c_void_p), ("seek", c_int, c_void_p, c_uint64),
    ("input", c_ssize_t, c_void_p, c_char_p, c_size_t), ("resize", c_int, c_void_p, c_uint, c_uint),
    ("size", c_int, c_void_p, POINTER(c_uint), POINTER(c_uint)),
    ("has_ended", c_int, c_void_p), ("exit_code", c_int, c_void_p),
):
    function = getattr(library, "pterm_" + name)
    function.restype, function.argtypes = result, arguments


class Session:
    def __init__(self, session, since=RECENT, home=None):
        self.object = library.pterm_new()
        self.buffer = ctypes.create_string_buffer(65536)
        self._check(library.pterm_open(self.object, home and os.fsencode(home), session.encode(), since, 0))

    def __del__(self):
        library.pterm_free(self.object)

    def _check(self, result):
        if result < 0:
            raise OSError(-result, library.pterm_error(self.object).decode())
        return result

    def fileno(self):
        return library.pterm_fd(self.object)

    def read(self):
        """(bytes, how many before them are not kept any more): (b"", 0) when there is nothing now."""
        lost = c_uint64()
        n = self._check(library.pterm_read(self.object, self.buffer, len(self.buffer), byref(lost)))
        return self.buffer.raw[:n], lost.value

    def type(self, data):
        while data:
            data = data[self._check(library.pterm_input(self.object, data, len(data))):]

    def resize(self, rows, cols):
        self._check(library.pterm_resize(self.object, rows, cols))

    @property
    def size(self):
        rows, cols = c_uint(), c_uint()
        self._check(library.pterm_size(self.object, byref(rows), byref(cols)))
        return rows.value, cols.value

    @property
    def has_ended(self):
        return bool(library.pterm_has_ended(self.object))

    @property
    def exit_code(self):
        return self._check(library.pterm_exit_code(self.object))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--since", type=int, default=RECENT, metavar="POSITION")
    parser.add_argument("--size", metavar="ROWSxCOLS")
    parser.add_argument("--type", metavar="TEXT")
    parser.add_argument("session")
    options = parser.parse_args()
    session = Session(options.session, options.since)
    if options.size:
        session.resize(*map(int, options.size.split("x")))
    if options.type:
        session.type(options.type.encode())
    try:
        print("%d rows, %d columns" % session.size, file=sys.stderr)
    except OSError:
        pass                                     # it has ended
    while True:
        data, lost = session.read()
        if lost:
            print(lost, "bytes are not kept any more", file=sys.stderr)
        elif not data and session.has_ended:
            break
        elif not data:
            sys.stdout.buffer.flush()
            select.select([session], [], [])     # your own files stand beside it
        sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    print("ended with exit code", session.exit_code, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit("follow-session.py: %s" % error.strerror)
