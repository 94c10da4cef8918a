"""A session's life by REST."""
from common import *

# made, seen, listed
s = new('a', 'sh', env=['PS1=$ '])
assert s['alive'] and s['state'] == 'running' and s['name'] == 'a'
assert must(200, 'GET', '/api/v1/sessions/a')['id'] == s['id'] == must(200, 'GET', f"/api/v1/sessions/{s['id'][:5]}")['id']
assert must(200, 'GET', '/api/v1/sessions/a/spec')['command'] == ['sh']
status, headers, _ = ask('POST', '/api/v1/sessions', {'name': 'b', 'command': ['sleep', '1000'], 'rows': 10, 'cols': 33})
assert status == 201 and headers['Location'].startswith('/api/v1/sessions/')
names = [x['name'] for x in must(200, 'GET', '/api/v1/sessions')['sessions']]
assert names == ['a', 'b'], names

# pages
page = must(200, 'GET', '/api/v1/sessions?limit=1')
assert [x['name'] for x in page['sessions']] == ['a']
page = must(200, 'GET', '/api/v1/sessions?limit=1&cursor=' + page['next'])
assert [x['name'] for x in page['sessions']] == ['b'] and 'next' not in page
assert must(200, 'GET', '/api/v1/sessions?state=ended')['sessions'] == []
assert must(400, 'GET', '/api/v1/sessions?state=dead')['field'] == 'state'
assert must(400, 'GET', '/api/v1/sessions?cursor=1')['field'] == 'cursor'
assert must(400, 'GET', '/api/v1/sessions?limit=0')['field'] == 'limit'
assert must(400, 'GET', '/api/v1/sessions?limits=1')['field'] == 'limits'

# typed into, and looked at
before = must(200, 'POST', '/api/v1/sessions/a/input', b'stty -echo; echo one$((1+1))\n', {'Content-Type': 'application/octet-stream'})['position']
with_output = tty('a', since=before, paint=0)
until(with_output.messages(), b'one2')
must(200, 'POST', '/api/v1/sessions/a/keys', {'items': [{'text': 'echo thr'}, {'text': 'ee$((1+2))'}, {'key': 'enter'}]})
until(with_output.messages(), b'three3')
with_output.close()
assert b'three3' in must(200, 'GET', '/api/v1/sessions/a/screen?format=text')
screen = must(200, 'GET', '/api/v1/sessions/b/screen')
assert (screen['rows'], screen['cols']) == (10, 33)
assert must(400, 'GET', '/api/v1/sessions/a/screen?format=gif')['field'] == 'format'
assert must(400, 'POST', '/api/v1/sessions/a/keys', {'items': [{'key': 'nosuch'}]})['code'] == 'bad-key'
assert must(400, 'POST', '/api/v1/sessions/a/keys', {'items': [{}]})['field'] == 'items'

# its log, in pieces, is what it printed
whole, position = b'', 0
while True:
    status, headers, piece = ask('GET', f'/api/v1/sessions/a/log?since={position}&limit=7')
    assert status == 200 and int(headers['Pterm-Position']) == position and int(headers['Pterm-Lost']) == 0
    whole += piece
    position = int(headers['Pterm-Next'])
    if not piece:
        break
assert position == int(headers['Pterm-End']) == len(whole)
assert whole == must(200, 'GET', '/api/v1/sessions/a/log?limit=1048576') and b'one2' in whole and b'three3' in whole

# one more command
r = must(200, 'POST', '/api/v1/sessions/a/exec', {'command': ['sh', '-c', 'cat; echo $X >&2; exit 3'], 'input': 'in\u00e4', 'env': ['X=y']})
assert (r['exit_code'], r['stdout'], r['stderr'], r['timed_out'], r['truncated']) == (3, 'in\u00e4', 'y\n', False, False)
assert must(200, 'POST', '/api/v1/sessions/a/exec', {'command': ['nosuch']})['exit_code'] == 127
r = must(200, 'POST', '/api/v1/sessions/a/exec', {'command': ['sleep', '1000'], 'timeout_ms': 200})
assert r['timed_out'] and r['exit_code'] == 137
r = must(200, 'POST', '/api/v1/sessions/a/exec', {'command': ['yes']})
assert r['truncated'] and len(r['stdout']) == 1024 * 1024
assert must(400, 'POST', '/api/v1/sessions/a/exec', {'command': []})['field'] == 'command'

# changed and ended
assert must(200, 'PATCH', '/api/v1/sessions/a', {'name': 'c'})['name'] == 'c'
assert must(404, 'GET', '/api/v1/sessions/a')['code'] == 'no-such-session'
assert must(409, 'PATCH', '/api/v1/sessions/c', {'name': 'b'})['code'] == 'name-taken'
assert must(409, 'POST', '/api/v1/sessions', {'name': 'b'})['code'] == 'name-taken'
assert must(409, 'POST', '/api/v1/sessions/c/start')['code'] == 'is-running'
assert must(409, 'DELETE', '/api/v1/sessions/c')['status'] == 409
must(204, 'POST', '/api/v1/sessions/b/signal', {'signal': 'TERM'})
assert must(400, 'POST', '/api/v1/sessions/b/signal', {'signal': 'NOSUCH'})['field'] == 'signal'
first = must(200, 'GET', '/api/v1/sessions/c')['run']
assert must(200, 'POST', '/api/v1/sessions/c/restart', {'timeout_ms': 100})['run'] == first + 1
ended = must(200, 'POST', '/api/v1/sessions/c/stop', {'now': True})
assert ended['state'] == 'ended' and ended['reason'] == 'stopped' and not ended['alive']
assert must(409, 'POST', '/api/v1/sessions/c/exec', {'command': ['true']})['code'] == 'not-running'
assert must(200, 'POST', '/api/v1/sessions/c/start')['alive']
must(204, 'DELETE', '/api/v1/sessions/c?force=1')
must(404, 'DELETE', '/api/v1/sessions/c')

# refused, with the field
for body, status, code, field in (
        ({'nosuch': 1}, 400, 'bad-json', 'nosuch'), ({'rows': -1}, 400, 'bad-json', 'rows'), ({'command': 'sh'}, 400, 'bad-json', 'command'),
        ({'env': ['SECRET']}, 400, 'bad-json', 'env'), ({'volumes': ['./x:/y']}, 400, 'bad-json', 'volumes'),
        ({'image': './relative'}, 400, 'bad-json', 'image'), ({'network': 'bridge'}, 400, 'bad-json', 'network'),
        ({'volumes': ['x/y:/y']}, 400, 'bad-json', 'volumes'), ({'name': '../x'}, 400, 'bad-name', None), ({'image': '/no/such'}, 422, None, None), ({'engine': 'nosuch'}, None, None, None),
        ({'command': ['/no/such']}, 422, None, None), ([], 400, 'bad-json', None)):
    got, _, p = ask('POST', '/api/v1/sessions', body)
    assert 400 <= got < 500 and (status is None or got == status), (body, got, p)
    assert (code is None or p['code'] == code) and (field is None or p.get('field') == field), (body, p)
assert must(415, 'POST', '/api/v1/sessions', '{}', headers={'Content-Type': 'text/plain'})['code'] == 'body-type'
assert must(400, 'POST', '/api/v1/sessions', '{"name":', headers={'Content-Type': 'application/json'})['code'] == 'bad-json'
assert must(400, 'POST', '/api/v1/sessions', '[' * 100000, headers={'Content-Type': 'application/json'})['code'] == 'bad-json'
print('good')
