"""serve.py SERVER...: small servers for network.bats, each one of

    tcp ADDRESS PORT TEXT    says TEXT to whoever connects, and closes
    dns ADDRESS ANSWER       answers every question for an IPv4 address with ANSWER (UDP)

Prints "ready" once all of them can be reached, and ends when its standard input ends.
"""

import socket
import sys
import threading


def begin(function):
    threading.Thread(target=function, daemon=True).start()


def serve_tcp(address, port, text):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(5)

    def run():
        while True:
            conn, _ = listener.accept()
            with conn:
                conn.sendall(text.encode() + b"\n")

    begin(run)


def answer(query, address):
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    is_ipv4 = query[end - 4 : end - 2] == b"\0\1"
    head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_ipv4 else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    return head + query[12:end] + (record if is_ipv4 else b"")


def serve_dns(address, result):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))

    def run():
        while True:
            query, peer = sock.recvfrom(512)
            sock.sendto(answer(query, result), peer)

    begin(run)


def main(args):
    while args:
        kind = args.pop(0)
        if kind == "tcp":
            serve_tcp(args.pop(0), args.pop(0), args.pop(0))
        else:
            serve_dns(args.pop(0), args.pop(0))
    print("ready", flush=True)
    sys.stdin.read()


main(sys.argv[1:])
