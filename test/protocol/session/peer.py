"""A peer of the session protocol NTS/1, written from docs/protocol.md alone. Standard library only.

    peer.py --vectors vectors.json     checks frames against the vectors, both ways; prints how many
    peer.py client PORT                sends --messages, takes --expect, and says goodbye
    peer.py server                     listens, prints its port, serves one session, and echoes what comes

The last line of a client and of a server is JSON: what became of the session. Messages are `<name> <number>` and padding;
what was heard is told as its count and the SHA-256 of all messages, each with its length before it, in order.
"""
import argparse
import asyncio
import collections
import hashlib
import hmac
import json
import secrets
import struct
import sys

MAGIC = b"NJT1"
VERSION = 1
NOTHING = bytes(16)
DATA = 0x10
DATA_HEAD = 6
MAC_LENGTH = 32
MOST_HANDSHAKE = 16_384
MOST_EPOCHS_AT_ONCE = 65_536
ACK_WITHIN = 0.025
ACK_BEHIND = 64

# --- frames: (type, fields, TLVs follow, a MAC: None, "always" or "may")
LAYOUTS = {
    "HELLO": (0x01, "magic verMin:B verMax:B maxFrame:I windowBytes:I windowMessages:I heartbeatMs:I resumeMs:I "
                    "clientInstance:16s", True, None),
    "WELCOME": (0x02, "version:B sessionId:16s secret:32s epoch:I maxFrame:I windowBytes:I windowMessages:I "
                      "heartbeatMs:I resumeMs:I serverInstance:16s", False, None),
    "RESUME": (0x03, "magic version:B sessionId:16s epoch:I rxNext:Q txFirst:Q txNext:Q nonce:16s", True, "always"),
    "RESUMED": (0x04, "epoch:I rxNext:Q txFirst:Q txNext:Q", False, "always"),
    "REFUSED": (0x05, "code:B retryable:B retryAfterMs:I lastHandled:Q nonce:16s", False, "may"),
    "ACK": (0x11, "next:Q", False, None),
    "PING": (0x12, "nonce:I next:Q", False, None),
    "PONG": (0x13, "nonce:I next:Q", False, None),
    "DRAIN": (0x1D, "", False, None),
    "BYE": (0x1E, "last:Q", False, None),
    "BYE_OK": (0x1F, "", False, None),
}
NAMES = {kind: name for name, (kind, *_) in LAYOUTS.items()}
# Fields that must not be 0.
FROM_ONE = set("verMin verMax version maxFrame windowBytes windowMessages epoch rxNext txFirst txNext code next".split())
CODES = dict(UNKNOWN=1, EXPIRED=2, HISTORY_LOST=3, SEQ_AHEAD=4, BAD_MAC=5, STALE_EPOCH=6, PRINCIPAL=7, VERSION=8, BUSY=9,
             DRAINING=10, LIMIT=11)
CODE_NAMES = {code: name for name, code in CODES.items()}
FOR_GOOD = set(range(1, 9))
LABELS = {"RESUME": b"NTS/1 RESUME c", "RESUMED": b"NTS/1 RESUMED s", "REFUSED": b"NTS/1 REFUSED s"}


class Broken(Exception):
    """A rule was broken: it ends the socket, and nothing else."""


class NoSession(Exception):
    """The other side speaks no sessions."""


def fields_of(name):
    """[(field, struct format)]"""
    pairs = (part.partition(":") for part in LAYOUTS[name][1].split())
    return [(field, form or "4s") for field, _, form in pairs]


def packer(name):
    return struct.Struct(">BB" + "".join(form for _, form in fields_of(name)))


def encode(name, tlvs=(), **values):
    values["magic"] = MAGIC
    body = packer(name).pack(LAYOUTS[name][0], 0, *(values[field] for field, _ in fields_of(name)))
    return body + b"".join(struct.pack(">HH", kind, len(value)) + value for kind, value in tlvs)


def mac_of(name, secret, session_id, nonce, body):
    bound = b"" if name == "RESUME" else session_id + nonce
    return hmac.new(secret, LABELS[name] + bound + body, hashlib.sha256).digest()


def decode(frame):
    """(name, fields, the bytes under the MAC, the MAC or None)"""
    if len(frame) < 2:
        raise Broken("a frame has a type and flags")
    name = NAMES.get(frame[0])
    if name is None:
        raise Broken(f"type {frame[0]:#x}")
    if frame[1] != 0 and name != "HELLO":
        raise Broken(f"{name} with flags")
    _, _, tlvs, mac = LAYOUTS[name]
    head = packer(name).size
    end = len(frame)
    if mac == "always" or (mac == "may" and end != head):
        end -= MAC_LENGTH
    if end < head or (end != head and not tlvs) or len(frame) > MOST_HANDSHAKE:
        raise Broken(f"{name} of {len(frame)} bytes")
    values = dict(zip((field for field, _ in fields_of(name)), packer(name).unpack(frame[:head])[2:]))
    if values.pop("magic", MAGIC) != MAGIC:
        raise Broken(f"{name} without its magic")
    for field, form in fields_of(name):
        value = values.get(field)
        if (field in FROM_ONE and value == 0) or (form == "Q" and value >= 2**53):
            raise Broken(f"{name}: {field} is {value}")
    if tlvs:
        values["tlvs"] = read_tlvs(frame[head:end])
    return name, values, frame[:end], frame[end:] or None


def read_tlvs(rest):
    tlvs = []
    while rest:
        if len(rest) < 4:
            raise Broken("half a TLV")
        kind, length = struct.unpack(">HH", rest[:4])
        if len(rest) < 4 + length:
            raise Broken("a TLV is cut off")
        tlvs.append((kind, rest[4:4 + length]))
        rest = rest[4 + length:]
    return tlvs


def data_frame(number, message):
    return struct.pack(">BBI", DATA, 0, number % 2**32) + message


# --- the vectors
def check_vectors(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    keys = {name: bytes.fromhex(value) for name, value in vectors["keys"].items()}
    for vector in vectors["frames"]:
        name, frame = vector["name"], bytes.fromhex(vector["hex"])
        forms = dict(fields_of(name))
        given = {field: bytes.fromhex(value) if forms.get(field, "").endswith("s") else value
                 for field, value in vector["fields"].items() if field != "tlvs"}
        tlvs = [(one["type"], bytes.fromhex(one["value"])) for one in vector["fields"].get("tlvs", ())]
        written = encode(name, tlvs, **given)
        if vector["mac"]:
            written += mac_of(name, keys["secret"], keys["sessionId"], given.get("nonce", keys["nonce"]), written)
        assert written == frame, f"{vector['what']}: written as {written.hex()}"
        got, values, _, mac = decode(frame)
        assert (got, values.pop("tlvs", [])) == (name, tlvs), vector["what"]
        assert values == given, f"{vector['what']}: read as {values}"
        assert (mac is not None) == vector["mac"], vector["what"]
    for vector in vectors["data"]:
        assert data_frame(vector["number"], bytes.fromhex(vector["message"])).hex() == vector["hex"], vector["what"]
    print(f"{len(vectors['frames'])} frames and {len(vectors['data'])} messages are as drawn")


# --- a session, whichever side
class Session:
    def __init__(self, args):
        self.args = args
        self.id, self.secret, self.epoch = NOTHING, bytes(32), 0
        # What the other side takes.
        self.longest, self.window = 0, (0, 0)
        # Sending: as docs/protocol.md has it.
        self.next = self.first = self.cursor = self.sent_next = 1
        self.kept, self.kept_bytes = collections.deque(), 0
        # Receiving.
        self.rx_next = self.handled = 1
        self.told, self.owed_bytes, self.timer = 1, 0, None
        self.duplicates = self.replayed = self.resumes = self.broken = 0
        self.heard, self.digest = 0, hashlib.sha256()
        # Leaving.
        self.finishing = self.bye_sent = self.bye_heard = False
        self.line = self.last = None
        self.over = asyncio.get_running_loop().create_future()

    # --- what the program does
    def has_room(self, length):
        if not self.kept:
            return True
        most_bytes, most = self.window
        return len(self.kept) < most and self.kept_bytes + length <= most_bytes

    def send(self, message):
        assert len(message) <= self.longest
        self.kept.append(message)
        self.kept_bytes += len(message)
        self.next += 1

    def hear(self, message):
        self.heard += 1
        self.digest.update(struct.pack(">I", len(message)) + message)

    def produce(self):
        """The program is asked for messages, while there is room."""

    # --- one socket
    def note(self, reason):
        self.broken += isinstance(reason, Broken)
        if self.args.verbose:
            print(f"broken: {reason!r}", file=sys.stderr)

    def attach(self, line, peer_next, resumed):
        self.line, self.cursor = line, peer_next
        self.replayed += self.sent_next - peer_next
        self.bye_sent = False
        if resumed:
            self.resumes += 1
            self.acknowledge()
        if self.finishing:
            line.write(encode("DRAIN"))
        self.pump()

    def detach(self, line):
        if self.line is line:
            self.line = None

    def pump(self):
        """Writes what there is, and as long as the socket takes it: the cursor runs over what is kept now."""
        while self.line and not self.over.done():
            self.produce()
            if self.cursor == self.next or not self.line.takes_more():
                break
            self.line.write(data_frame(self.cursor, self.kept[self.cursor - self.first]))
            self.cursor += 1
            self.sent_next = max(self.sent_next, self.cursor)
        self.conclude()

    def receive(self, line, frame):
        if line is not self.line or not frame:
            return
        if frame[0] == DATA:
            self.take(frame)
            return
        name, values, _, _ = decode(frame)
        if name in ("ACK", "PING", "PONG"):
            self.release(values["next"])
            if name == "PING":
                line.write(encode("PONG", nonce=values["nonce"], next=self.tell()))
        elif name == "BYE":
            if values["last"] != self.handled - 1:
                raise Broken(f"BYE of {values['last']}, {self.handled - 1} handled")
            self.bye_heard = True
            self.leave()
        elif name == "BYE_OK" and self.bye_sent:
            self.end("closed")
            return
        elif name != "DRAIN":
            raise Broken(f"{name} in an established session")
        self.pump()

    def take(self, frame):
        if len(frame) < DATA_HEAD or frame[1] != 0:
            raise Broken("DATA without its head, or with flags")
        (seq,) = struct.unpack(">I", frame[2:DATA_HEAD])
        ahead = (seq - self.rx_next) % 2**32
        if ahead >= 2**31:
            self.duplicates += 1
            self.owe(0)
            return
        if ahead > 0:
            raise Broken(f"seq {seq}, {self.rx_next} expected")
        if self.bye_heard:
            raise Broken("DATA behind BYE")
        message = frame[DATA_HEAD:]
        self.rx_next += 1
        self.hear(message)
        # Handled at once: so no more than one message is ever in the window of what is not.
        self.handled += 1
        self.owe(len(message))
        self.pump()

    def owe(self, length):
        self.owed_bytes += length
        behind = max(1, min(ACK_BEHIND, self.args.window_messages // 4))
        if self.handled - self.told >= behind or self.owed_bytes >= self.args.window_bytes / 4:
            self.acknowledge()
        elif self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(ACK_WITHIN, self.acknowledge)

    def tell(self):
        self.told, self.owed_bytes = self.handled, 0
        if self.timer:
            self.timer.cancel()
        self.timer = None
        return self.handled

    def acknowledge(self):
        following = self.tell()
        if self.line:
            self.line.write(encode("ACK", next=following))

    def release(self, following):
        if following > self.cursor:
            raise Broken(f"ACK {following}, {self.cursor} is next")
        while self.first < following:
            self.kept_bytes -= len(self.kept.popleft())
            self.first += 1

    # --- the end
    def leave(self):
        """No more will be sent."""
        if not self.finishing and self.line:
            self.line.write(encode("DRAIN"))
        self.finishing = True

    def conclude(self):
        if not self.line or not self.finishing or self.kept or self.over.done():
            return
        if self.bye_heard:
            self.line.write(encode("BYE_OK"))
            self.end("closed")
        elif not self.bye_sent:
            self.bye_sent = True
            self.acknowledge()
            self.line.write(encode("BYE", last=self.next - 1))

    def end(self, how, **more):
        if self.line:
            self.line.close()
        self.line, self.last = None, self.line
        if not self.over.done():
            self.over.set_result(dict(how=how, **more))

    async def parted(self):
        """What was written last has gone out."""
        if self.last:
            await asyncio.wait([asyncio.ensure_future(self.last.writer.wait_closed())], timeout=10)

    def lost(self, code):
        """Nothing more is to be had of it: what is known of what was sent."""
        self.end("lost", code=code, handledUpTo=self.first - 1, unknown=self.sent_next - self.first,
                 notSent=self.next - self.sent_next)

    def legal(self, values):
        if self.rx_next > values["txNext"] or values["rxNext"] > self.sent_next:
            return "SEQ_AHEAD"
        if self.rx_next < values["txFirst"] or values["rxNext"] < self.first:
            return "HISTORY_LOST"
        return None

    def summary(self):
        return dict(self.over.result(), sent=self.next - 1, heard=self.heard, sha256=self.digest.hexdigest(),
                    duplicates=self.duplicates, replayed=self.replayed, resumes=self.resumes, broken=self.broken)


class Line:
    """One socket: frames with their length before them."""

    def __init__(self, reader, writer, longest):
        self.reader, self.writer, self.longest = reader, writer, longest
        self.full = asyncio.Event()
        writer.transport.set_write_buffer_limits(high=32_768)

    async def read(self, most=None):
        (length,) = struct.unpack(">I", await self.reader.readexactly(4))
        if length > (most or self.longest + DATA_HEAD):
            raise Broken(f"a frame of {length} bytes")
        return await self.reader.readexactly(length)

    async def first(self):
        """The first frame that says something."""
        while True:
            frame = await asyncio.wait_for(self.read(MOST_HANDSHAKE), 10)
            if frame:
                return frame

    def write(self, frame):
        # A socket that is gone is told by its reader.
        if not self.writer.transport.is_closing():
            self.writer.write(struct.pack(">I", len(frame)) + frame)

    def takes_more(self):
        if self.writer.transport.get_write_buffer_size() > 32_768:
            self.full.set()
        return not self.full.is_set() and not self.writer.transport.is_closing()

    def close(self):
        """Behind what was written."""
        self.writer.close()

    def drop(self):
        self.writer.transport.abort()


async def live(session, line):
    """Reads until the socket breaks, or the session is over; asks for a sign of life meanwhile."""

    async def breathe():
        nonce = 0
        while True:
            await asyncio.sleep(session.args.heartbeat / 1000)
            nonce += 1
            line.write(encode("PING", nonce=nonce, next=session.tell()))

    async def flow():
        while True:
            await line.full.wait()
            await line.writer.drain()
            line.full.clear()
            session.pump()

    tasks = [asyncio.ensure_future(task()) for task in (breathe, flow)]
    try:
        while session.line is line:
            session.receive(line, await asyncio.wait_for(line.read(), session.args.silence / 1000))
    finally:
        for task in tasks:
            task.cancel()
        session.detach(line)


BREAKS = (Broken, OSError, asyncio.IncompleteReadError, asyncio.TimeoutError)


# --- the client
class Client(Session):
    def __init__(self, args):
        super().__init__(args)
        self.instance = secrets.token_bytes(16)
        self.established = False
        self.doubtful = 0

    def produce(self):
        while self.next <= self.args.messages and self.has_room(self.args.pad + 32):
            self.send(f"{self.args.name} {self.next} ".encode().ljust(self.args.pad, b"."))
        if self.next > self.args.messages and self.heard >= self.args.expect:
            self.leave()

    async def greet(self, line):
        args = self.args
        if not self.established:
            line.write(encode("HELLO", args.tlvs, verMin=VERSION, verMax=VERSION, maxFrame=args.max_frame,
                              windowBytes=args.window_bytes, windowMessages=args.window_messages,
                              heartbeatMs=args.heartbeat, resumeMs=args.resume, clientInstance=self.instance))
        else:
            self.epoch += 1
            nonce = secrets.token_bytes(16)
            body = encode("RESUME", args.tlvs, version=VERSION, sessionId=self.id, epoch=self.epoch, rxNext=self.rx_next,
                          txFirst=self.first, txNext=self.sent_next, nonce=nonce)
            line.write(body + mac_of("RESUME", self.secret, self.id, nonce, body))
        answer = await line.first()
        if answer[0] not in (LAYOUTS["WELCOME"][0], LAYOUTS["RESUMED"][0], LAYOUTS["REFUSED"][0]):
            raise NoSession(answer[:16].hex())
        name, values, body, mac = decode(answer)
        if name == "REFUSED":
            self.refused(values, self.established and self.vouched(name, nonce, body, mac) and values["nonce"] == nonce)
        elif name == "WELCOME" and not self.established:
            self.established, self.doubtful = True, 0
            self.id, self.secret, self.epoch = values["sessionId"], values["secret"], values["epoch"]
            self.longest, self.window = values["maxFrame"], (values["windowBytes"], values["windowMessages"])
            self.attach(line, 1, False)
        elif name == "RESUMED" and self.established:
            if not self.vouched(name, nonce, body, mac):
                raise Broken("the MAC of RESUMED is wrong")
            obstacle = self.legal(values)
            if obstacle:
                self.lost(obstacle)
                return
            self.doubtful = 0
            self.attach(line, values["rxNext"], True)
        else:
            raise NoSession(name)

    def vouched(self, name, nonce, body, mac):
        return mac is not None and hmac.compare_digest(mac, mac_of(name, self.secret, self.id, nonce, body))

    def refused(self, values, believed):
        code = CODE_NAMES.get(values["code"], f"code {values['code']}")
        if believed and values["lastHandled"] < self.sent_next:
            while self.first <= values["lastHandled"]:
                self.kept_bytes -= len(self.kept.popleft())
                self.first += 1
        final = values["retryable"] == 0 or values["code"] in FOR_GOOD
        if final and not believed:
            self.doubtful += 1
        if not final or (not believed and self.doubtful < self.args.addresses):
            raise Broken(f"refused: {code}")
        if self.established and self.next == 1 and self.rx_next == 1 and code in ("UNKNOWN", "EXPIRED"):
            self.established, self.doubtful, self.instance = False, 0, secrets.token_bytes(16)
            raise Broken("nothing was carried: another session")
        if self.established and self.finishing and not self.kept:
            self.end("closed")
        else:
            self.lost(code)

    async def run(self):
        while not self.over.done():
            line = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.args.port)
                line = Line(reader, writer, self.args.max_frame)
                await self.greet(line)
                if not self.over.done():
                    await live(self, line)
            except BREAKS as reason:
                self.note(reason)
                await asyncio.sleep(self.args.pause / 1000)
            except NoSession as reason:
                self.end("no session", first=str(reason))
            finally:
                if line and not self.over.done():
                    line.drop()
        await self.parted()


# --- the server: of one session
class Server(Session):
    def __init__(self, args):
        super().__init__(args)
        self.me = secrets.token_bytes(16)
        self.client = None
        self.granted = 0
        self.expiry = None
        self.waiting = collections.deque()

    def hear(self, message):
        super().hear(message)
        self.waiting.append(message)

    def produce(self):
        while self.waiting and self.has_room(len(self.waiting[0])):
            self.send(self.waiting.popleft())

    def conclude(self):
        if not self.waiting:
            super().conclude()

    def refuse(self, line, code, nonce=NOTHING, believed=False):
        handled = self.handled - 1 if believed else 0
        retryable = CODES[code] not in FOR_GOOD
        body = encode("REFUSED", code=CODES[code], retryable=int(retryable), retryAfterMs=1000 * retryable,
                      lastHandled=handled, nonce=nonce)
        line.write(body + (mac_of("REFUSED", self.secret, self.id, nonce, body) if believed else b""))
        line.close()
        return False

    def fence(self):
        """What the old socket still brings is not looked at."""
        if self.line:
            self.line.drop()
        self.line = None

    def admit(self, line, frame):
        name, values, body, mac = decode(frame)
        if name == "HELLO":
            return self.hello(line, values)
        if name == "RESUME":
            return self.resume(line, values, body, mac)
        raise Broken(f"{name} comes first")

    def hello(self, line, values):
        if not values["verMin"] <= VERSION <= values["verMax"]:
            return self.refuse(line, "VERSION")
        untouched = self.rx_next == 1 and self.first == 1 and not self.over.done()
        if self.client == values["clientInstance"] and not untouched:
            return self.refuse(line, "STALE_EPOCH")
        if self.client not in (None, values["clientInstance"]):
            return self.refuse(line, "LIMIT")
        if self.client is None:
            self.client, self.id = values["clientInstance"], secrets.token_bytes(16)
            self.secret = secrets.token_bytes(32) if self.args.secret else bytes(32)
            print("a session", flush=True)
        self.epoch, self.granted = 1, min(values["resumeMs"], self.args.resume)
        self.longest, self.window = values["maxFrame"], (values["windowBytes"], values["windowMessages"])
        self.fence()
        args = self.args
        line.write(encode("WELCOME", version=VERSION, sessionId=self.id, secret=self.secret, epoch=1,
                          maxFrame=args.max_frame, windowBytes=args.window_bytes, windowMessages=args.window_messages,
                          heartbeatMs=args.heartbeat, resumeMs=self.granted, serverInstance=self.me))
        self.attach(line, 1, False)
        return True

    def resume(self, line, values, body, mac):
        nonce = values["nonce"]
        if self.client is None or values["sessionId"] != self.id:
            return self.refuse(line, "UNKNOWN", nonce)
        if not hmac.compare_digest(mac, mac_of("RESUME", self.secret, self.id, nonce, body)):
            return self.refuse(line, "BAD_MAC", nonce)
        if self.over.done():
            return self.refuse(line, "EXPIRED", nonce, True)
        if values["version"] != VERSION:
            return self.refuse(line, "VERSION", nonce, True)
        jump = values["epoch"] - self.epoch
        if jump <= 0 or (not self.args.secret and jump > MOST_EPOCHS_AT_ONCE):
            return self.refuse(line, "STALE_EPOCH", nonce, True)
        self.epoch = values["epoch"]
        obstacle = self.legal(values)
        if obstacle:
            return self.refuse(line, obstacle, nonce, True)
        self.fence()
        body = encode("RESUMED", epoch=self.epoch, rxNext=self.rx_next, txFirst=self.first, txNext=self.sent_next)
        line.write(body + mac_of("RESUMED", self.secret, self.id, nonce, body))
        self.attach(line, values["rxNext"], True)
        return True

    def attach(self, line, peer_next, resumed):
        if self.expiry:
            self.expiry.cancel()
        super().attach(line, peer_next, resumed)

    def detach(self, line):
        if self.line is line:
            self.expiry = asyncio.get_running_loop().call_later(self.granted / 1000, self.expire)
        super().detach(line)

    def expire(self):
        if self.finishing and not self.kept and not self.waiting:
            self.end("closed")
        else:
            self.lost("EXPIRED")

    async def serve(self, reader, writer):
        line = Line(reader, writer, self.args.max_frame)
        try:
            if self.admit(line, await line.first()):
                await live(self, line)
        except BREAKS as reason:
            self.note(reason)
            line.drop()

    async def run(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.args.port)
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await self.over
        await self.parted()
        # Late copies of a RESUME are answered for a while.
        await asyncio.sleep(self.args.linger / 1000)
        server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", nargs="?", choices=("client", "server"))
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--vectors")
    parser.add_argument("--name", default="python")
    parser.add_argument("--token", default="")
    parser.add_argument("--verbose", action="store_true", help="tells why sockets break")
    parser.add_argument("--secret", action="store_true", help="of a server: a true secret, as over TLS")
    for name, otherwise in dict(messages=0, expect=0, pad=0, addresses=1, pause=10, linger=0, heartbeat=200, silence=30_000,
                                resume=60_000, max_frame=65_536, window_bytes=65_536, window_messages=256).items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=otherwise)
    args = parser.parse_args()
    if args.vectors:
        check_vectors(args.vectors)
        return
    args.tlvs = [(0x8000, args.token.encode())] if args.token else []

    async def run():
        session = (Client if args.role == "client" else Server)(args)
        if args.role == "client":
            print("client", flush=True)
        await session.run()
        print(json.dumps(session.summary()), flush=True)

    asyncio.run(run())


if __name__ == "__main__":
    main()
