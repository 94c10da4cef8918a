"""The supervisor is killed under a viewer: another one goes on, and the viewer's bytes have no hole and no double."""
import signal
from common import *

new('a', 'sh', '-c', 'stty -echo; exec sh')
t = tty('a', since=0, paint=0)
m = t.messages()
t.type(b'echo r$((1+1))y\n')
until(m, b'r2y')
got, start, end = b'', None, None
t.type(b'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line$i; usleep 5000; done; echo e$((4+4))d\n')
kills = 0
for kind, position, what in m:
    assert kind == OUTPUT, (kind, position, what)
    start = position if start is None else start
    assert end is None or position == end, (position, end)
    end = position + len(what)
    got += what
    if kills < 3 and got.count(b'\n') > 60 * (kills + 1):
        os.kill(must(200, 'GET', '/api/v1/sessions/a')['pid'], signal.SIGKILL)
        kills += 1
    if b'e8d' in got:
        break
assert kills == 3
assert b''.join(b'line%d\r\n' % i for i in range(1, 401)) + b'e8d\r\n' in got, got[-300:]
assert must(200, 'GET', '/api/v1/sessions/a')['adoptions'] >= 3
t.type(b'echo t$((5+5))\n')
until(m, b't10')
print('good')
