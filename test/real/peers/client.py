"""An independent client that speaks NinjaTCP's frame. Standard library only.

    client.py PORT    sends 200 messages in pieces cut anywhere, prints each message that comes back as hex, one a line;
                      empty frames (heartbeats) are counted and not printed; the last line is `heartbeats N`
"""
import random
import socket
import struct
import sys
import threading

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
chance = random.Random(7)
messages = [bytes([number % 256]) * (1 + number * number % 3001) for number in range(200)]
stream = b"".join(struct.pack(">I", len(message)) + message for message in messages)


def send():
    at = 0
    while at < len(stream):
        cut = chance.randint(1, 1500)
        connection.sendall(stream[at : at + cut])
        at += cut


threading.Thread(target=send, daemon=True).start()
pending = b""
received = 0
heartbeats = 0
while received < len(messages):
    chunk = connection.recv(4096)
    if not chunk:
        sys.exit("the server closed too early")
    pending += chunk
    while len(pending) >= 4:
        (length,) = struct.unpack(">I", pending[:4])
        if len(pending) < 4 + length:
            break
        if length == 0:
            heartbeats += 1
        else:
            print(pending[4 : 4 + length].hex())
            received += 1
        pending = pending[4 + length :]
connection.close()
print("heartbeats", heartbeats)
