"""What the programs of serve.bats share: the server that $SERVE_PORT and $PTERM_HOME tell of."""
import http.client, json, os, socket, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'examples'))
import pterm_tty
from pterm_tty import Tty, OUTPUT, PAINT, GAP, EXIT, HELLO, ERROR  # noqa: F401 (for those who import it from here)

PATIENCE = 60                                    # seconds; only what hangs takes as long
PORT = int(os.environ['SERVE_PORT'])
HOME = os.environ['PTERM_HOME']
TOKEN = open(HOME + '/serve.token').read()
ADDRESS = ('127.0.0.1', PORT)
SERVER_PID = int(os.environ.get('SERVE_PID', 0))


def ask(method, path, body=None, headers=None, token=TOKEN):
    """status, headers, body: JSON where it is JSON."""
    c = http.client.HTTPConnection(*ADDRESS, timeout=PATIENCE)
    headers = dict(headers or {})
    if token:
        headers['Authorization'] = 'Bearer ' + token
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault('Content-Type', 'application/json')
    c.request(method, path, body, headers)
    r = c.getresponse()
    data = r.read()
    c.close()
    if data and 'json' in r.getheader('Content-Type', ''):
        data = json.loads(data)
    return r.status, r.headers, data


def must(status, *args, **more):
    got, headers, data = ask(*args, **more)
    assert got == status, (args, got, data)
    return data


def raw(data, token=True, address=ADDRESS):
    """All that comes back for these bytes, until the server closes or is silent after an answer."""
    s = socket.create_connection(address, timeout=PATIENCE)
    s.sendall(data)
    got = b''
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    except ConnectionResetError:
        pass
    s.close()
    return got


def status_of(answer):
    return int(answer.split(b' ', 2)[1]) if answer.startswith(b'HTTP/') else None


def new(name, *command, **more):
    return must(201, 'POST', '/api/v1/sessions', dict(name=name, command=list(command), **more))


def tty(session, **query):
    return Tty(ADDRESS, session, token=TOKEN, timeout=PATIENCE, **query)


def until(messages, wanted, *kinds):
    """The output up to where @wanted is in it, in bytes."""
    got = b''
    for kind, position, what in messages:
        if kind in (kinds or (OUTPUT, PAINT)):
            got += what
        if wanted in got:
            return got
    raise AssertionError(f'{wanted!r} never came, but {got!r}')


def descriptors():
    return len(os.listdir(f'/proc/{SERVER_PID}/fd'))


def eventually(condition, what):
    """For what has no event that we could wait for."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)
