#!/usr/bin/env python3
"""A client of pterm's terminal protocol over WebSocket (docs/websocket.md), with the standard library alone.

    pterm_tty.py SESSION                     # print what it prints, until it ends
    pterm_tty.py SESSION 'make\n'            # and type this first

It finds the server of this home by its Unix socket. For a program: Tty(...) and messages().
"""
import base64, json, os, socket, struct, sys

INPUT, RESIZE, ACK, REPAINT = 1, 2, 3, 4
HELLO, OUTPUT, PAINT, GAP, EXIT, ERROR = 65, 66, 67, 68, 69, 70


class Tty:
    """One connection. @address is the path of a Unix socket, or (host, port) with a @token."""

    def __init__(self, address, session, token=None, timeout=60, **query):
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.data, self.received = b'', 0
        query = '&'.join(f'{key}={value}' for key, value in query.items())
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f'GET /api/v1/sessions/{session}/tty?{query} HTTP/1.1', 'Host: pterm', 'Upgrade: websocket', 'Connection: Upgrade',
                 'Sec-WebSocket-Version: 13', f'Sec-WebSocket-Key: {key}', 'Sec-WebSocket-Protocol: pterm.tty.v1']
        if token:
            lines.append(f'Authorization: Bearer {token}')
        self.sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
        while b'\r\n\r\n' not in self.data:
            self._more()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        if b' 101 ' not in head.split(b'\r\n')[0]:
            raise ConnectionError(head.decode() + self.data.decode())

    def _more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError('the server closed the connection')
        self.data += piece

    def _take(self, n):
        while len(self.data) < n:
            self._more()
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def _send_frame(self, opcode, data):
        mask, n = os.urandom(4), len(data)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | n]) if n < 126 else struct.pack('>BH', 0xfe, n) if n < 65536 else struct.pack('>BQ', 0xff, n)
        masked = int.from_bytes(data, 'big') ^ int.from_bytes((mask * (n // 4 + 1))[:n], 'big') if n else 0
        self.sock.sendall(head + mask + masked.to_bytes(n, 'big'))

    def _frame(self):
        first, n = self._take(2)
        if n == 126:
            n, = struct.unpack('>H', self._take(2))
        elif n == 127:
            n, = struct.unpack('>Q', self._take(8))
        return first & 15, self._take(n)

    def messages(self):
        """What comes: (kind, position or None, bytes or what the JSON says), until the server closes."""
        while True:
            opcode, data = self._frame()
            if opcode == 9:
                self._send_frame(10, data)
            elif opcode == 8:
                self._send_frame(8, data[:2])
                self.code = struct.unpack('>H', data[:2])[0] if data else None
                return
            elif opcode == 2:
                yield self._message(data[0], data[1:])

    def _message(self, kind, data):
        if kind == OUTPUT:
            self.received += len(data) - 8
            return kind, struct.unpack('<Q', data[:8])[0], data[8:]
        if kind == PAINT:
            self.received += len(data)
            return kind, None, data
        if kind == GAP:
            return kind, *struct.unpack('<QQ', data)
        return kind, None, json.loads(data)

    def type(self, data):
        self._send_frame(2, bytes([INPUT]) + data)

    def resize(self, rows, cols):
        self._send_frame(2, struct.pack('<BHH', RESIZE, rows, cols))

    def acknowledge(self):
        """All that was received so far is done with: only needed when the connection has a window."""
        self._send_frame(2, struct.pack('<BQ', ACK, self.received))

    def repaint(self):
        self._send_frame(2, bytes([REPAINT]))

    def close(self):
        self.sock.close()


def main():
    home = os.environ.get('PTERM_HOME', os.path.expanduser('~/.pachyterm'))
    tty = Tty(home + '/serve.sock', sys.argv[1], timeout=None)
    for text in sys.argv[2:]:
        tty.type(text.encode().decode('unicode_escape').encode('latin-1'))
    for kind, position, what in tty.messages():
        if kind in (OUTPUT, PAINT):
            sys.stdout.buffer.write(what)
            sys.stdout.buffer.flush()
        elif kind == GAP:
            print(f'[bytes {position} to {what} were missed]', file=sys.stderr)
        elif kind == ERROR:
            print(what['detail'], file=sys.stderr)
        elif kind == EXIT:
            sys.exit(what.get('exit_code', 0))


if __name__ == '__main__':
    main()
