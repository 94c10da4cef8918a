"""The same by the websockets package, which follows the RFC to the letter, pings and fragments included."""
import asyncio, json
import websockets
from common import *

URL = f'ws://127.0.0.1:{PORT}/api/v1/sessions/a/tty'
AUTH = {'Authorization': f'Bearer {TOKEN}'}


async def output_until(ws, wanted):
    got = b''
    while wanted not in got:
        m = await asyncio.wait_for(ws.recv(), PATIENCE)
        if m[0] == OUTPUT:
            got += m[9:]
        elif m[0] == PAINT:
            got += m[1:]
    return got


async def main():
    new('a', 'sh')
    async with websockets.connect(URL, extra_headers=AUTH, subprotocols=['other', 'pterm.tty.v1'], max_size=None) as ws:
        assert ws.subprotocol == 'pterm.tty.v1'
        await ws.send(b'\1stty -echo; echo x$((1+1))\n')
        await output_until(ws, b'x2')
        await ws.send([b'\1echo fr', b'agm', b'ents$((2+2))\n'])             # in pieces
        await output_until(ws, b'fragments4')
        await asyncio.wait_for(await ws.ping(b'are you there'), PATIENCE)
        await ws.send(b'\1' + b'#' * 200000 + b'\n')                         # large: the terminal takes what a line holds
        await ws.send(b'\1\nstty -icanon; head -c 100000 | wc -c; stty icanon\n')
        await ws.send(b'\1seq 100000; echo s$((3+3))\n')
        await ws.close(1000, 'enough')
    async with websockets.connect(URL, extra_headers=AUTH) as ws:
        await ws.send(b'no')                                                  # no message of ours
        try:
            while True:
                await asyncio.wait_for(ws.recv(), PATIENCE)
        except websockets.ConnectionClosed as e:
            assert e.rcvd.code == 1008, e
    # many at once, each sees all
    new('b', 'sh', '-c', 'stty -echo; read x; seq 1000; echo e$((4+4)); sleep 1000')
    async def viewer():
        async with websockets.connect(URL.replace('/a/', '/b/'), extra_headers=AUTH) as v:
            await v.recv()
            ready.release()
            assert b'\r\n1000\r\n' in await output_until(v, b'e8')
    ready = asyncio.Semaphore(0)
    viewers = [asyncio.create_task(viewer()) for _ in range(40)]
    for _ in viewers:
        await ready.acquire()
    must(200, 'POST', '/api/v1/sessions/b/input', b'\n', {'Content-Type': 'application/octet-stream'})
    await asyncio.wait_for(asyncio.gather(*viewers), PATIENCE)


asyncio.run(main())
print('good')
