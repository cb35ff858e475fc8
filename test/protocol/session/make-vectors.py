"""Writes vectors.json anew, from nothing but the specification: python3 make-vectors.py > vectors.json"""
import hashlib, hmac, json, struct

ID = bytes(range(0x10, 0x20))
SECRET = bytes(range(0x40, 0x60))
NONCE = bytes(range(0x20, 0x30))
CLIENT = b'client instance!'
SERVER = b'server instance!'
NO_NONCE = bytes(16)

def mac(*parts):
    return hmac.new(SECRET, b''.join(parts), hashlib.sha256).digest()

def tlv(kind, value):
    return struct.pack('>HH', kind, len(value)) + value

def tlv_fields(*tlvs):
    return [{'type': kind, 'value': value.hex()} for kind, value in tlvs]

def hello(*tlvs):
    fields = dict(verMin=1, verMax=1, maxFrame=8388608, windowBytes=8388608, windowMessages=65536,
                  heartbeatMs=1000, resumeMs=120000, clientInstance=CLIENT.hex(), tlvs=tlv_fields(*tlvs))
    head = struct.pack('>BB4sBBIIIII', 1, 0, b'NJT1', 1, 1, 8388608, 8388608, 65536, 1000, 120000)
    return 'HELLO', fields, head + CLIENT + b''.join(tlv(*one) for one in tlvs), None

def welcome():
    fields = dict(version=1, sessionId=ID.hex(), secret=SECRET.hex(), epoch=1, maxFrame=8388608, windowBytes=8388608,
                  windowMessages=65536, heartbeatMs=1000, resumeMs=120000, serverInstance=SERVER.hex())
    return 'WELCOME', fields, struct.pack('>BBB16s32sIIIIII16s', 2, 0, 1, ID, SECRET, 1, 8388608, 8388608, 65536,
                                          1000, 120000, SERVER), None

def resume(rx, first, nxt, *tlvs):
    fields = dict(version=1, sessionId=ID.hex(), epoch=2, rxNext=rx, txFirst=first, txNext=nxt, nonce=NONCE.hex(),
                  tlvs=tlv_fields(*tlvs))
    body = struct.pack('>BB4sB16sIQQQ16s', 3, 0, b'NJT1', 1, ID, 2, rx, first, nxt, NONCE) + b''.join(tlv(*one) for one in tlvs)
    return 'RESUME', fields, body, mac(b'NTS/1 RESUME c', body)

def resumed(rx, first, nxt):
    fields = dict(epoch=2, rxNext=rx, txFirst=first, txNext=nxt)
    body = struct.pack('>BBIQQQ', 4, 0, 2, rx, first, nxt)
    return 'RESUMED', fields, body, mac(b'NTS/1 RESUMED s', ID, NONCE, body)

def refused(code, retryable, after, handled, nonce, sealed):
    fields = dict(code=code, retryable=retryable, retryAfterMs=after, lastHandled=handled, nonce=nonce.hex())
    body = struct.pack('>BBBBIQ16s', 5, 0, code, retryable, after, handled, nonce)
    return 'REFUSED', fields, body, mac(b'NTS/1 REFUSED s', ID, nonce, body) if sealed else None

def plain(name, kind, layout='', **fields):
    return name, fields, struct.pack('>BB' + layout, kind, 0, *fields.values()), None

frames = [
    ('a session, please', hello()),
    ('a session, please, with a token of the application', hello((0x8000, b'token'), (0x8001, b''))),
    ('here it is', welcome()),
    ('go on, nothing received yet', resume(1, 1, 1)),
    ('go on, with numbers beyond 32 bits and a token', resume(5, 2**32 - 1, 2**32 + 9, (0x8000, b'token'))),
    ('gone on', resumed(2**32 + 3, 3, 5)),
    ('unknown, from a server that knows nothing of it', refused(1, 0, 0, 0, NONCE, False)),
    ('expired, and how far it came', refused(2, 0, 0, 8, NONCE, True)),
    ('busy, in answer to a HELLO', refused(9, 1, 250, 0, NO_NONCE, False)),
    ('the first message is handled', plain('ACK', 0x11, 'Q', next=2)),
    ('the largest number', plain('ACK', 0x11, 'Q', next=2**53 - 1)),
    ('are you there', plain('PING', 0x12, 'IQ', nonce=7, next=1)),
    ('here', plain('PONG', 0x13, 'IQ', nonce=7, next=2**32)),
    ('about to leave', plain('DRAIN', 0x1d)),
    ('no more, nothing was sent', plain('BYE', 0x1e, 'Q', last=0)),
    ('no more', plain('BYE', 0x1e, 'Q', last=2**32)),
    ('over', plain('BYE_OK', 0x1f)),
]
data = [
    ('a message', 1, b'hello'),
    ('an empty message', 2, b''),
    ('the last number of 32 bits', 2**32 - 1, b'x'),
    ('beyond 32 bits the lower half is sent', 2**32 + 5, b'y'),
]

print(json.dumps({
    'about': 'Payloads of NTS/1 frames in hex, without the 4 bytes of length; bytes fields are hex too. Written by make-vectors.py.',
    'keys': {'sessionId': ID.hex(), 'secret': SECRET.hex(), 'nonce': NONCE.hex()},
    'frames': [{'what': what, 'name': name, 'fields': fields, 'hex': (body + (seal or b'')).hex(), 'mac': bool(seal)}
               for what, (name, fields, body, seal) in frames],
    'data': [{'what': what, 'number': number, 'message': message.hex(),
              'hex': (struct.pack('>BBI', 0x10, 0, number % 2**32) + message).hex()} for what, number, message in data],
}, indent=2))
