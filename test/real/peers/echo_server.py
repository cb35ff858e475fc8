"""An independent echo server that speaks NinjaTCP's frame: 4 bytes of length, big-endian, then the message.

Standard library only. Prints its port, then serves one connection after the other, each in a thread.
    echo_server.py [raw]    raw: echoes bytes as they come, as NinjaTCP's own test server does
"""
import socket
import struct
import sys
import threading


def read_exactly(connection, length):
    parts = []
    while length > 0:
        part = connection.recv(min(length, 65536))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def echo_frames(connection):
    while True:
        header = read_exactly(connection, 4)
        if header is None:
            return
        (length,) = struct.unpack(">I", header)
        body = read_exactly(connection, length)
        if body is None:
            return
        connection.sendall(header + body)


def echo_bytes(connection):
    while True:
        chunk = connection.recv(1024)
        if not chunk:
            return
        connection.sendall(chunk)


def serve(connection):
    try:
        (echo_bytes if sys.argv[1:] == ["raw"] else echo_frames)(connection)
    except OSError:
        pass
    finally:
        connection.close()


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
