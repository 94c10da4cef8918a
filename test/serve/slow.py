"""Clients that take their time: each has a deadline, and others notice nothing. All at once, since they take ten seconds."""
import threading
from common import *

AUTH = f'Authorization: Bearer {TOKEN}\r\n'.encode()
closed = {}


def drip(name, data, *then):
    """Send @data, then a byte of @then for ever, each half a second: when is it closed?"""
    s = socket.create_connection(ADDRESS, timeout=PATIENCE)
    began = time.monotonic()
    try:
        s.sendall(data)
        s.settimeout(0.5)
        while True:
            s.sendall(then[0] if then else b'')
            try:
                if s.recv(65536) == b'':
                    break
            except socket.timeout:
                pass
    except OSError:
        pass
    closed[name] = time.monotonic() - began


cases = {'says nothing': (b'',), 'drips a request line': (b'GET /', b'a'), 'drips headers': (b'GET /healthz HTTP/1.1\r\nHost: x\r\n', b'X: y\r\n')}
threads = [threading.Thread(target=drip, args=(name, *data)) for name, data in cases.items()]
for t in threads:
    t.start()
worst = 0
while any(t.is_alive() for t in threads):
    began = time.monotonic()
    must(200, 'GET', '/healthz')
    worst = max(worst, time.monotonic() - began)
    time.sleep(0.1)
for t in threads:
    t.join()
for name in cases:
    assert 9 < closed[name] < PATIENCE, (name, closed)
print('worst answer meanwhile', worst)

# answers that nobody reads: sent as far as they go, kept by nobody else
new('big', 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x; sleep 1000')
eventually(lambda: int(ask('GET', '/api/v1/sessions/big/log?limit=1')[1]['Pterm-End']) >= 3000000, 'it did not print')
lazy = []
for i in range(20):
    s = socket.create_connection(ADDRESS, timeout=PATIENCE)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(b'GET /api/v1/sessions/big/log?limit=1048576 HTTP/1.1\r\nHost: x\r\n' + AUTH + b'\r\n')
    lazy.append(s)
must(200, 'GET', '/healthz')
for s in lazy:
    s.close()
must(204, 'DELETE', '/api/v1/sessions/big?force=1')
print('good')
