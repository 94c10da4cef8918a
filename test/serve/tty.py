"""The terminal over a WebSocket, with the client in examples/."""
import struct
from common import *

new('a', 'sh', '-c', 'stty -echo; PS1="" exec sh')
t = tty('a')
first = next(m := t.messages())
assert first[0] == HELLO and first[2]['version'] == 1 and not first[2]['read_only'], first
assert next(m)[0] == PAINT
t.type(b'echo a$((1+1))b\n')
until(m, b'a2b')

# positions go on without a hole, and the bytes are those of the log
t.type(b'seq 1 20000; echo e$((2+2))d\n')
got, start, end = b'', None, None
for kind, position, what in m:
    assert kind == OUTPUT, (kind, what)
    start = position if start is None else start
    assert end is None or position == end, (position, end)
    end = position + len(what)
    got += what
    if b'e4d\r\n' in got:
        break
log, at = b'', start
while at < end:
    piece = must(200, 'GET', f'/api/v1/sessions/a/log?since={at}&limit={min(1048576, end - at)}')
    log += piece
    at += len(piece)
assert got == log and b'\r\n19999\r\n20000\r\n' in got

# since: exactly from there, also what is to come; a second one sees the same
again = tty('a', since=start, paint=0)
assert until((x for x in again.messages()), b'e4d\r\n')[:len(got)] == got
late = tty('a', since=end, paint=0)
t.type(b'echo l$((3+3))e\n')
assert until(late.messages(), b'l6e').startswith(b'l6e'), 'not exactly from there'
until(m, b'l6e')
future = tty('a', since=2**62, paint=0)              # of the future nothing can be asked
t.type(b'echo f$((3+4))e\n')
until(future.messages(), b'f7e')

# read-only
r = tty('a', read_only=1)
rm = r.messages()
assert next(rm)[2]['read_only']
r.type(b'echo no\n')
assert next(x for x in rm if x[0] == ERROR)[2]['code'] == 'read-only'

# a size, and a paint when it is asked for
t.resize(11, 44)
t.type(b'stty size\n')
until(m, b'11 44')
t.repaint()
assert next(x for x in m if x[0] == PAINT)
t.type(b'echo p$((4+4))\n')
until(m, b'p8')
s = tty('a', rows=5, cols=20, read_only=1)           # another window: it is shown the part that fits, always
sm = s.messages()
until(sm, b'p8', PAINT)
t.type(b'echo q$((5+4))\n')
until(sm, b'q9', PAINT)

# what is no message
for bad in (b'', b'\0', b'\x7fabc', b'\2\1', b'\3\1', struct.pack('<BQ', 3, 2**60), struct.pack('<BHH', 2, 60000, 80)):
    b = tty('a')
    b._send_frame(2, bad)
    list(b.messages())
    assert b.code == 1008, (bad, b.code)
b = tty('a')
b._send_frame(1, b'text')
list(b.messages())
assert b.code == 1008
for frame, code in ((b'\xc2\x80' + bytes(4), 1002), (b'\x82\x05hello', 1002), (b'\x81\x81' + bytes(4) + b'\xff', 1007),
                    (b'\x82\xff' + struct.pack('>Q', 1 << 40) + bytes(4), 1009)):
    b = tty('a')
    b.sock.sendall(frame)
    try:
        list(b.messages())
        assert b.code == code, (frame, b.code)
    except (EOFError, ConnectionResetError):
        pass                                         # closed before we could answer its goodbye

# acknowledged: no more than the window is sent beyond it
w = tty('a', window=4096, since=start, paint=0)
wm = w.messages()
next(wm)
w.sock.settimeout(1)
seen = 0
try:
    for kind, position, what in wm:
        seen += len(what)
except socket.timeout:
    pass
assert 0 < seen <= 4096, seen
w.sock.settimeout(PATIENCE)
w.acknowledge()
kind, position, what = next(w.messages())
assert position == start + seen

# its end, after the last byte
t.type(b'printf last; exit 7\n')
*rest, (kind, _, status) = m
assert kind == EXIT and status['exit_code'] == 7 and status['reason'] == 'exited', status
assert b''.join(what for kind, _, what in rest if kind == OUTPUT).endswith(b'last'), rest
assert t.code == 1000
*rest, (kind, _, status) = sm
assert kind == EXIT, kind

# one that has ended shows what it showed last
messages = list(tty('a').messages())
assert [x[0] for x in messages] == [HELLO, PAINT, EXIT] and b'last' in messages[1][2]
try:
    tty('nosuch')
    raise AssertionError('there is no such session')
except ConnectionError as e:
    assert '404' in str(e)
print('good')
