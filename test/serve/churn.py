"""Sessions, viewers and requests come and go: no descriptor stays, and memory does not grow."""
from common import *


def rss():
    return int(open(f'/proc/{SERVER_PID}/statm').read().split()[1]) * 4096


def zombies():
    """Its children that have ended and were not reaped."""
    n = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            state, parent = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[:2]
        except OSError:
            continue
        n += state == 'Z' and int(parent) == SERVER_PID
    return n


def round_of(n):
    for i in range(n):
        new('c', 'sh')
        t, u = tty('c'), tty('c', read_only=1, since=0)
        t.type(b'echo x$((1+1))\n')
        until(t.messages(), b'x2')
        must(200, 'GET', '/api/v1/sessions/c/screen')
        if i % 2:
            t.close()                                # without a goodbye
        must(204, 'DELETE', '/api/v1/sessions/c?force=1')
        for kind, _, _ in u.messages():
            pass
        assert kind == EXIT, kind
        u.close()
        t.close()
    for i in range(10 * n):
        must(404, 'GET', '/api/v1/sessions/c')
        must(400, 'POST', '/api/v1/sessions', {'nosuch': 1})


start = descriptors()
round_of(10)                                         # what is made once is made
eventually(lambda: descriptors() <= start, 'descriptors stay')
before = rss()
round_of(30)
eventually(lambda: descriptors() <= start, 'descriptors stay')
assert rss() - before < 2 * 1024 * 1024, (before, rss())
eventually(lambda: zombies() == 0, 'supervisors that have ended are not reaped')
print('resident', rss(), 'before', before)
print('good')
