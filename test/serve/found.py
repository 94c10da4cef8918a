"""After the server was killed and started again: the same session, at the position where a viewer was."""
import sys
from common import *

name, id = sys.argv[1:]
s = must(200, 'GET', '/api/v1/sessions/' + name)
assert s['id'] == id and s['alive']
t = tty(name, since=0, paint=0)
t.type(b'stty -echo; echo x$((1+1))\n')
until(t.messages(), b'x2')
print('good')
