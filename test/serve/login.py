"""Who may ask."""
from common import *

LIST = '/api/v1/sessions'
must(200, 'GET', LIST)
for token in (None, 'wrong', TOKEN[:-1], TOKEN + 'x', TOKEN.upper(), ''):
    status, headers, p = ask('GET', LIST, token=token)
    assert (status, p['code']) == (401, 'not-signed-in') and headers['WWW-Authenticate'].startswith('Bearer'), (token, p)
assert ask('GET', LIST, headers={'Authorization': 'Basic ' + TOKEN}, token=None)[0] == 401
assert ask('GET', LIST + '?access_token=' + TOKEN, token=None)[0] in (400, 401)
assert ask('GET', '/healthz', token=None)[0] == ask('GET', '/readyz', token=None)[0] == ask('GET', '/api/v1/openapi.json', token=None)[0] == 200
assert os.stat(HOME + '/serve.token').st_mode & 0o777 == 0o600 and os.stat(HOME + '/serve.sock').st_mode & 0o777 == 0o600

# the socket knows its owner; a wrong token is wrong there too
s = socket.socket(socket.AF_UNIX)
s.connect(HOME + '/serve.sock')
s.sendall(b'GET /api/v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
assert s.recv(65536).startswith(b'HTTP/1.1 200 ')
s = socket.socket(socket.AF_UNIX)
s.connect(HOME + '/serve.sock')
s.sendall(b'GET /api/v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nConnection: close\r\n\r\n')
assert s.recv(65536).startswith(b'HTTP/1.1 401 ')

# pages of other origins, with the token and without, by either protocol
here = f'http://127.0.0.1:{PORT}'
assert ask('GET', LIST, headers={'Origin': here})[0] == 200
for origin in ('http://evil.example', 'null', f'http://127.0.0.1:{PORT + 1}', here + '.evil.example', f'http://localhost:{PORT}'):
    assert ask('GET', LIST, headers={'Origin': origin})[2]['code'] == 'wrong-origin', origin
    assert ask('POST', LIST, {}, headers={'Origin': origin})[0] == 403

new('a', 'sh')
KEY = b'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'


def upgrade(*more, path=b'/api/v1/sessions/a/tty'):
    s = socket.create_connection(ADDRESS, timeout=PATIENCE)
    s.sendall(b'GET ' + path + b' HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n' % PORT + b''.join(more) + b'\r\n')
    got = s.recv(65536)
    s.close()
    return got


AUTH = f'Authorization: Bearer {TOKEN}\r\n'.encode()
assert b' 101 ' in (got := upgrade(AUTH, KEY)) and b's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' in got, got
assert b' 101 ' in upgrade(AUTH, KEY, f'Origin: {here}\r\n'.encode())
assert b' 403 ' in upgrade(AUTH, KEY, b'Origin: http://evil.example\r\n')
assert b' 401 ' in upgrade(KEY)
assert b' 401 ' in upgrade(KEY, path=b'/api/v1/sessions/nosuch/tty')     # not even whether it is there
assert b' 404 ' in upgrade(AUTH, KEY, path=b'/api/v1/sessions/nosuch/tty')
assert b' 426 ' in upgrade(AUTH)
assert b' 426 ' in upgrade(AUTH, KEY.replace(b'13', b'8'))
assert b' 426 ' in upgrade(AUTH, KEY.replace(b'dGhlI', b'dGhlIH'))
assert b' 400 ' in upgrade(AUTH, KEY, path=b'/api/v1/sessions/a/tty?window=1')
assert b' 200 ' in upgrade(AUTH, KEY, path=b'/healthz')          # no WebSocket: what it asks for is not done
print('good')
