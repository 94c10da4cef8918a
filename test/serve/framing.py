"""Requests that two servers in a row could read differently, and what is too much: refused, and the server goes on."""
from common import *

AUTH = f'Authorization: Bearer {TOKEN}\r\n'.encode()
JSON = b'Content-Type: application/json\r\n'
POST = b'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\n' + AUTH + JSON
GET = b'GET /api/v1/sessions HTTP/1.1\r\nHost: x\r\n' + AUTH
SMUGGLED = b'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


def refused(status, data, code=None):
    got = raw(data)
    assert status_of(got) == status, (data[:200], got)
    assert b' 200 ' not in got and b'"ok"' not in got, got   # what follows is not taken for another request
    assert code is None or f'"code":"{code}"'.encode() in got, got


for headers in (b'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}', b'Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}',
                b'Content-Length: 2, 2\r\n\r\n{}', b'Content-Length: +2\r\n\r\n{}', b'Content-Length: 0x2\r\n\r\n{}', b'Content-Length: \r\n\r\n{}',
                b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', b'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n',
                b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
                b'Transfer-Encoding: identity\r\n\r\n', b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', b'Content-Length : 2\r\n\r\n{}',
                b'Content-Length: -2\r\n\r\n{}'):
    refused(400, POST + headers + SMUGGLED)
refused(413, POST + b'Content-Length: 99999999999999999999\r\n\r\n{}' + SMUGGLED)
refused(400, b'GET /healthz HTTP/1.1\r\n\r\n')
refused(400, b'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 'bad-host')
refused(417, POST + b'Content-Length: 2\r\nExpect: something\r\n\r\n{}', 'bad-expect')
got = raw(b'GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n')
assert status_of(got) in (400, 505), got
for junk in (b'\r\n\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(300), b'GET\r\n\r\n', b'\0' * 100 + b'\r\n\r\n', b'GET /healthz\r\n\r\n'):
    s = socket.create_connection(ADDRESS, timeout=PATIENCE)
    s.sendall(junk)
    s.shutdown(socket.SHUT_WR)
    got = b''
    try:
        while piece := s.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    assert got == b'' or status_of(got) is None or status_of(got) >= 400, (junk, got)

# targets
for target in ('//healthz', '/healthz/', '/./healthz', '/../healthz', '/api/v1/sessions/a%2Fb', '/api/v1/sessions/%00', '/api/v1/sessions/%zz',
               '/api/v1/sessions/%ff', '/healthz?a=1&a=2', '/api/v1/sessions/..%2f..%2fetc', 'http://other/healthz', '*'):
    got = raw(f'GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'.encode() + AUTH + b'\r\n')
    assert status_of(got) == 400, (target, got)
assert status_of(raw(b'GET /api/v1/sessions/%2e%2e%2e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' + AUTH + b'\r\n')) == 404

# methods
status, headers, p = ask('PUT', '/api/v1/sessions')
assert (status, headers['Allow'], p['code']) == (405, 'GET, HEAD, POST', 'method-not-allowed')
for method in ('OPTIONS', 'TRACE', 'NOSUCH', 'get'):
    assert ask(method, '/healthz')[0] == 405, method
status, headers, data = ask('HEAD', '/healthz')
assert (status, data) == (200, b'') and headers['Content-Length'] == '15'

# too much
refused(413, POST + b'Content-Length: 1048577\r\n\r\n', 'body-large')
refused(413, POST + b'Content-Length: 9223372036854775807\r\n\r\n', 'body-large')
chunk = b'10000\r\n' + b'x' * 65536 + b'\r\n'
refused(413, POST + b'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n' + chunk * 17 + b'0\r\n\r\n', 'body-large')
assert status_of(raw(GET + b'X: ' + b'y' * 40000 + b'\r\n\r\n')) == 431
assert status_of(raw(GET + b''.join(b'X%d: y\r\n' % i for i in range(4000)) + b'\r\n')) == 431
assert status_of(raw(b'GET /' + b'a' * 40000 + b' HTTP/1.1\r\nHost: x\r\n\r\n')) in (414, 431)
refused(415, b'GET /api/v1/sessions HTTP/1.1\r\nHost: x\r\n' + AUTH + b'Content-Length: 2\r\n\r\n{}' + SMUGGLED, 'body-type')

# what is right, though rare
got = raw(POST + b'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"n\r\n1a;x=y\r\name":"..","command":["x"]}\r\n0\r\nTrailer: x\r\n\r\n')
assert status_of(got) == 400 and b'bad-name' in got, got
s = socket.create_connection(ADDRESS, timeout=PATIENCE)
s.sendall(POST + b'Connection: close\r\nExpect: 100-continue\r\nContent-Length: 13\r\n\r\n')
assert s.recv(100).startswith(b'HTTP/1.1 100 '), 'no 100'
s.sendall(b'{"name":".."}')
assert b'bad-name' in s.recv(65536)
s = socket.create_connection(ADDRESS, timeout=PATIENCE)
s.sendall(POST + b'Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n')
assert s.recv(65536).startswith(b'HTTP/1.1 413 '), 'the body was asked for'
got = raw(b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n' * 20 + SMUGGLED)
assert got.count(b'HTTP/1.1 200 OK') == 21, got  # pipelined
got = raw(b'GET /healthz HTTP/1.0\r\n\r\n')
assert status_of(got) == 200, got

# gone in the midst
before = descriptors()
for part in (POST[:30], POST, POST + b'Content-Length: 100\r\n\r\n', POST + b'Content-Length: 100\r\n\r\n{"name":', POST + b'Content-Length: 19\r\n\r\n{"command":["true"]', GET + b'\r\n'):
    s = socket.create_connection(ADDRESS, timeout=PATIENCE)
    s.sendall(part)
    s.close()
eventually(lambda: descriptors() <= before, 'connections that are gone are kept')
must(200, 'GET', '/healthz')
print('good')
