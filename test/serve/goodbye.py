"""A viewer that is told when the server stops."""
from common import *

t = tty('kept')
m = t.messages()
next(m)
print('open', flush=True)
for _ in m:
    pass
print('closed', t.code, flush=True)
