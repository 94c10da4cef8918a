"""One viewer stops reading while a session prints without end: it misses, is told so and painted; a second one gets every byte."""
from common import *

new('a', 'sh', '-c', 'stty -echo; read x; seq 1 600000; echo e$((4+4))d; sleep 1000')
slow, fast, program = tty('a'), tty('a', since=0, paint=0), tty('a', since=0, paint=0)
slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
assert [next(slow.messages())[0], next(slow.messages())[0]] == [HELLO, PAINT]
before = int(open(f'/proc/{SERVER_PID}/statm').read().split()[1]) * 4096
fast.type(b'\n')

# the fast one: every byte, or a hole that is told (it is one process with two others on a busy machine)
expected, holes, tail = None, 0, b''
for kind, position, what in fast.messages():
    if kind == GAP:
        holes += what - position
        assert expected is None or position == expected
        expected = what
    elif kind == OUTPUT:
        assert expected is None or position == expected, (position, expected)
        expected = position + len(what)
        tail = (tail + what)[-100:]
        if b'e8d' in tail:
            break
    else:
        assert kind == HELLO, kind
total = expected
assert total > 4000000, total
grown = int(open(f'/proc/{SERVER_PID}/statm').read().split()[1]) * 4096 - before
assert grown < 4 * 1024 * 1024, f'{grown} bytes more for a viewer that does not read'

# the slow one, when it comes back: old output that was on its way, then a paint and the gap
seen = None
painted = gap = False
for kind, position, what in slow.messages():
    if kind == PAINT:
        painted = True
    elif kind == GAP:
        gap = True
        assert seen is None or position == seen, (position, seen)
        seen = what
    elif kind == OUTPUT:
        assert seen is None or position == seen, (position, seen)
        seen = position + len(what)
    if gap and painted and seen == total:
        break

# one without paint that came late gets the oldest there is, after a gap that says so
kinds = []
for kind, position, what in program.messages():
    if kind == GAP or (kind == OUTPUT and not kinds):
        kinds.append(kind)
    if kind == OUTPUT and position + len(what) == total:
        break
assert GAP in kinds, kinds
print('holes of the fast one:', holes)
print('good')
