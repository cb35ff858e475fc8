import type { AddressMatcher } from './addresses.js';
import type { Backoff } from './backoff.js';
import type { ClientTls, Environment, LookupFunction, ServerTls, TlsFacts } from './environment.js';
import type { Framing } from './framing/framing.js';
import type { Inspector } from './inspection.js';
import type { FlightDump } from './recorder/dump.js';
import type { SessionStore } from './store/contract.js';

export interface NumberRule {
  /** Absent where the default follows from other options; the words say how. */
  readonly default: number | undefined;
  readonly unit: 'ms' | 'bytes' | 'messages' | 'failures' | 'peers' | 'sessions' | 'descriptors' | 'entries';
  readonly min: number;
  readonly max: number;
  /** One value below `min` (or above `max`) that is allowed, and what it means. */
  readonly also?: readonly [value: number, meaning: string];
}

/** The longest delay that a timer can wait, milliseconds. */
export const MAX_DELAY = 2 ** 31 - 1;
export const MiB = 2 ** 20;
/** Bytes that a message is longer in a session. */
export const SESSION_HEAD = 6;
/** Bytes of the longest frame by which a session is asked for: one that nobody vouches for must cost little. */
export const LONGEST_HANDSHAKE = 16 * 1024;
/** The largest size of anything in bytes. */
export const MAX_BYTES = 2 ** 31 - 1;

// The comment of each option is its documentation: editors show it to users, and docs/options.md is made from it.

/** The numbers of everything that has a line: a connection, and the peers of a server. */
export const lineNumbers = {
  /** No byte for so long, and the line is stale: its socket is thrown away. Any byte counts, heartbeats too. 0 is for peers that are silent when idle and know no heartbeat. */
  staleAfter: { default: 3000, unit: 'ms', min: 50, max: MAX_DELAY, also: [0, 'off'] },
  /** An empty frame is written when nothing else was written for so long, so that the other side hears us. At most half of `staleAfter`. The default is 1000, or a third of `staleAfter` where that is less. */
  heartbeatInterval: { default: undefined, unit: 'ms', min: 10, max: MAX_DELAY, also: [0, 'off'] },
  /** The longest message, in both directions. The default is 8 MiB, or what the framing's header can announce where that is less. */
  maxFrameLength: { default: undefined, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** A frame that was begun has to be finished within this time, from its first byte. */
  frameTimeout: { default: 30_000, unit: 'ms', min: 10, max: MAX_DELAY, also: [0, 'off'] },
  /** Bytes are pending and for so long the system did not confirm that any were taken: the other side speaks perhaps, but does not read, and the line is dropped with `NINJA_WRITE_STALL`. It confirms up to 384 KiB at a time: a link slower than 13 kB/s needs more than the default. A reader of 200 kB/s has gaps of 7 s. */
  writeStallTimeout: { default: 30_000, unit: 'ms', min: 50, max: MAX_DELAY, also: [0, 'off'] },
  /** Bytes of accepted messages that are not with the kernel yet; beyond it `send` throws `NINJA_OUTBOX_FULL`. At least `maxFrameLength + highWaterMark`, so that who waits when told to is never refused. The default is that sum, and not less than 8 MiB. */
  outboxBytes: { default: undefined, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** The same bound as a number of messages. */
  outboxMessages: { default: 65_536, unit: 'messages', min: 1, max: MAX_BYTES },
  /** When so many bytes (or half of `outboxMessages`) were accepted and are not with the kernel yet, `send` returns false; `drained()` waits for half of that. Above it messages wait in the outbox, whole, and are not lost with a socket. The default is 1 MiB, or what `outboxBytes` leaves beside one longest message. */
  highWaterMark: { default: undefined, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** While no byte has come on a fresh line at most so much is written to it (or one message, if that is larger), since a stopped process swallows it. Does not count where `staleAfter` is 0. */
  unprovenBytes: { default: 65_536, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** A message that waits in the outbox for longer is dropped, with the event `dropped`. */
  ttl: { default: 0, unit: 'ms', min: 1, max: MAX_DELAY, also: [0, 'for ever'] },
  /** Bytes of received messages that nobody took yet; reading pauses at it, and goes on at half of it. */
  inboxBytes: { default: 8 * MiB, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** The same bound as a number of messages. */
  inboxMessages: { default: 65_536, unit: 'messages', min: 1, max: MAX_BYTES },
  /** `close()` may take so long to hand over all that was accepted, counted from the call. While an attempt is under way, that comes first, and `connectTimeout` bounds it. */
  drainTimeout: { default: 30_000, unit: 'ms', min: 1, max: MAX_DELAY },
  /** After our FIN the other side may be silent for so long before it sends its own; while it speaks it may still be reading, and `drainTimeout` is the bound. */
  finTimeout: { default: 2000, unit: 'ms', min: 1, max: MAX_DELAY },
  /** A socket that was thrown away has so long to say that it is gone. */
  discardTimeout: { default: 1000, unit: 'ms', min: 1, max: MAX_DELAY },
} as const satisfies Record<string, NumberRule>;

/** The numbers that only a connection has. */
export const connectionNumbers = {
  /** Name look-up, TCP, TLS and the `onConnect` hook together may take so long. */
  connectTimeout: { default: 5000, unit: 'ms', min: 1, max: MAX_DELAY },
  /** A line that was live for so long had been a good one: its loss starts the backoff from the beginning. */
  stableAfter: { default: 3000, unit: 'ms', min: 0, max: MAX_DELAY },
  /** So many failures in a row, and the connection gives up: `disconnected.failed`. */
  maxAttempts: {
    default: Number.POSITIVE_INFINITY,
    unit: 'failures',
    min: 1,
    max: MAX_BYTES,
    also: [Number.POSITIVE_INFINITY, 'never gives up'],
  },
} as const satisfies Record<string, NumberRule>;

/** The numbers that only a server has. */
export const serverNumbers = {
  /** Further sockets are dropped as they are accepted, with the event `refused`. */
  maxConnections: { default: 10_000, unit: 'peers', min: 1, max: MAX_BYTES },
  /** Bytes of memory that the unfinished frames of all peers may hold together; above it the peer that holds the most is dropped, with `NINJA_FRAME_BUDGET`. At least `maxFrameLength`. The default is 256 MiB, or `maxFrameLength` where that is more. */
  unfinishedBytes: { default: undefined, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** The same for the sockets of one client address; behind a proxy (`proxyProtocol`) its own, not the proxy's. An IPv6 client counts by the first 64 bits of its address. Sockets of a `path` are not counted, unless a proxy tells an address. */
  maxConnectionsPerAddress: {
    default: Number.POSITIVE_INFINITY,
    unit: 'peers',
    min: 1,
    max: MAX_BYTES,
    also: [Number.POSITIVE_INFINITY, 'no limit of its own'],
  },
  /** From being accepted to the end of PROXY header and TLS handshake a socket has so long, or it is dropped, with the event `refused`. The first frame of a session may take as long again; with mode `'accept'` let it be longer than the clients' `connectTimeout`, or a late one is served as plain. */
  handshakeTimeout: { default: 10_000, unit: 'ms', min: 1, max: MAX_DELAY },
  /** When fewer descriptors are free in this process (`ulimit -n`), the server closes its port, with the event `paused`, so that the program can still open its files and lines; peers live on. It listens again on the same port when there are more. */
  reservedDescriptors: { default: 32, unit: 'descriptors', min: 1, max: MAX_BYTES, also: [0, 'off'] },
} as const satisfies Record<string, NumberRule>;

/** The numbers of the flight recorder. */
export const recorderNumbers = {
  /** So many of the last steps are kept, and as many entries of traffic and messages. */
  entries: { default: 500, unit: 'entries', min: 1, max: 100_000 },
  /** So many bytes of each message are kept. */
  payloads: { default: 0, unit: 'bytes', min: 1, max: 65_536, also: [0, 'none'] },
} as const satisfies Record<string, NumberRule>;

/** The numbers of a session, on both sides. */
export const sessionNumbers = {
  /** A session that has no socket is kept for so long; then it is lost. The client wishes, the server's own is the bound. */
  resumeWindow: { default: 120_000, unit: 'ms', min: 100, max: MAX_DELAY },
  /** With a `store`: a session waits so long for it, and nothing is sent or acknowledged meanwhile; then its socket is dropped, and it resumes when the store is back. */
  storeTimeout: { default: 10_000, unit: 'ms', min: 1, max: MAX_DELAY },
} as const satisfies Record<string, NumberRule>;

/** How much of a session may be under way unacknowledged, each way: kept by who sends, waiting at who receives. */
export const windowNumbers = {
  /** Bytes of messages. One message always passes, however long it is. */
  bytes: { default: 8 * MiB, unit: 'bytes', min: 1, max: MAX_BYTES },
  /** The same bound as a number of messages. */
  messages: { default: 65_536, unit: 'messages', min: 1, max: 2 ** 24 },
} as const satisfies Record<string, NumberRule>;

/** The numbers of a server's sessions. */
export const sessionServerNumbers = {
  /** Sessions with a socket and without. Further ones are refused, and may ask again; one that carried nothing and has no socket makes room. */
  maxSessions: { default: 20_000, unit: 'sessions', min: 1, max: 2 ** 24 },
  /** The same for the sessions of one principal: whom `authenticate` names, else a client address. The default is `maxSessions`. */
  maxSessionsPerPrincipal: { default: undefined, unit: 'sessions', min: 1, max: 2 ** 24 },
  /** Bytes of sent messages that all sessions together keep until they are acknowledged; above it each keeps one, and the rest waits in its outbox. */
  retainedBytes: { default: 256 * MiB, unit: 'bytes', min: 1, max: Number.MAX_SAFE_INTEGER },
  /** The same for the sessions of one principal. The default is a quarter of `retainedBytes`. */
  retainedBytesPerPrincipal: { default: undefined, unit: 'bytes', min: 1, max: Number.MAX_SAFE_INTEGER },
} as const satisfies Record<string, NumberRule>;

export type Numbers<Table> = { readonly [Option in keyof Table]?: number | undefined };
export type Resolved<Table> = { readonly [Option in keyof Table]: number };

export interface LineChoices {
  /** How messages lie in the byte stream. Default: `lengthPrefixed()`, 4 bytes, big-endian. */
  readonly framing?: Framing | undefined;
  /** What an empty frame means: `'heartbeat'` is a sign of life and is not delivered; `'message'` is delivered, and requires `heartbeatInterval: 0`. Default `'heartbeat'`. */
  readonly emptyFrames?: 'heartbeat' | 'message' | undefined;
  /** Throw received messages away unread, for programs that only send. Default false. */
  readonly discardIncoming?: boolean | undefined;
  /** Give each message memory of its own; else a message is a view of the chunk it came in, and pins it while it is kept. Default false. */
  readonly copy?: boolean | undefined;
  /** Switch off Nagle's algorithm. Default true. */
  readonly noDelay?: boolean | undefined;
  /** Hears every event of the statechart, from the first: a function, an observer `{ next }`, or what the package `@statelyai/inspect` returns. Of a server it hears those of all its peers too, each of which weighs four times as much then. If it throws, it is detached. See also `connection.inspect()`. */
  readonly inspect?: Inspector | undefined;
  /** Keep the last events, transitions and byte counts, for `flightRecorder.dump()` and `ninja-tcp replay`; true is `{}`. Of a server: one for each peer. Default false. */
  readonly flightRecorder?: boolean | FlightRecorderOptions | undefined;
  /** Clock, chance and network. Default: Node's. */
  readonly environment?: Environment | undefined;
}

export interface RecorderChoices {
  /** What of a message may be kept, where `payloads` asks for it: other bytes, or undefined for none. If it throws, none. Default: all of it. */
  readonly redact?: ((message: Uint8Array, way: 'received' | 'sent') => Uint8Array | string | undefined) | undefined;
  /** When a connection fails, or a line is ended by a fault: call this with the dump; true gives it as the event `flightDump`. Default false. */
  readonly dumpOnFailure?: boolean | ((dump: FlightDump) => unknown) | undefined;
}

export interface FlightRecorderOptions extends Numbers<typeof recorderNumbers>, RecorderChoices {}

/** When a received message counts as handled, and is acknowledged to the other side. */
export type AcknowledgeMode = 'handled' | 'received' | 'manual';

/** What is said of a session on both sides. */
export interface SessionChoices extends Numbers<typeof sessionNumbers> {
  /** When a received message is acknowledged: `'handled'` when the listener returned or its promise settled, when the iterator is asked for the next, or when `receive()` gave it; `'received'` as it comes, before the program has seen it; `'manual'` when the program calls `message.acknowledge()`. Default `'handled'`. */
  readonly acknowledge?: AcknowledgeMode | undefined;
  /** How much may be under way unacknowledged, each way: `{ bytes, messages }`. */
  readonly window?: Numbers<typeof windowNumbers> | undefined;
  /** Where sessions outlive their process: `redisStore()` of `ninja-tcp/redis`, `fileStore()` of `ninja-tcp/file-store`, `memoryStore()`, or one of your own. It stays yours to close. Default: none. */
  readonly store?: SessionStore | undefined;
}

/** What a client shows to a server's `authenticate`: at most 8 KiB, asked for afresh on each socket where it is a function. */
export type Credentials = Uint8Array | string | (() => Uint8Array | string | Promise<Uint8Array | string>);

export interface ClientSessionOptions extends SessionChoices {
  /** After a loss: `'fail'` gives up as after a fatal failure, `'new'` opens another session, and what waits in the outbox goes there. Default `'fail'`. */
  readonly onSessionLost?: 'fail' | 'new' | undefined;
  /** Under which name the session lies in the `store`: clients that share one need different ones, and one that is started again needs the same. Default `'client'`. */
  readonly storeName?: string | undefined;
  /** What the server's `authenticate` is shown, on each socket: bytes, a string, or a function that gives them, also later. At most 8 KiB. */
  readonly credentials?: Credentials | undefined;
}

/** Who asks for a session, or for having one back. */
export interface SessionApplicant {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** What the handshake came to; undefined without TLS. */
  readonly tls: TlsFacts | undefined;
  /** True where it wants a session back. */
  readonly resumes: boolean;
}

/** Names the principal who holds the session; undefined, or a throw, refuses. */
export type Authenticate = (
  credentials: Buffer | undefined,
  applicant: SessionApplicant,
) => string | undefined | Promise<string | undefined>;

export interface ServerSessionOptions extends SessionChoices, Numbers<typeof sessionServerNumbers> {
  /** `'require'` refuses whoever speaks no sessions; `'accept'` serves them as plain peers, from their first message on, or when they were silent for `handshakeTimeout`. Default `'require'`. */
  readonly mode?: 'require' | 'accept' | undefined;
  /** Names who is behind a socket, from what the client shows. A session is given back only to its own principal. Without it that is the client's address. */
  readonly authenticate?: Authenticate | undefined;
}

/** One of several servers that serve alike: a host's port, or a path. */
export interface Endpoint {
  /** Name or address. Default `'localhost'`. */
  readonly host?: string | undefined;
  /** 1 … 65535. Either `port` or `path` is required. */
  readonly port?: number | undefined;
  /** A Unix domain socket, or a Windows pipe. */
  readonly path?: string | undefined;
}

/** So many endpoints may be given. */
export const MAX_ENDPOINTS = 256;

export interface ConnectOptions extends Numbers<typeof lineNumbers>, Numbers<typeof connectionNumbers>, LineChoices {
  /** Name or address. It is looked up afresh at each attempt. Default `'localhost'`. */
  readonly host?: string | undefined;
  /** 1 … 65535, unless there is a `path`. */
  readonly port?: number | undefined;
  /** A Unix domain socket, or a Windows pipe such as `\\.\pipe\till`, instead of `host` and `port`. */
  readonly path?: string | undefined;
  /** Several servers that serve alike, `[{ host, port }, …]`, at most 256, instead of `host` and `port`. They are shuffled once; all are tried before the backoff sleeps, those that failed least in a row first. */
  readonly endpoints?: readonly Endpoint[] | undefined;
  /** Shown in `explain()`, in logs and to inspectors. Default `host:port`, or the path, or those of all endpoints. */
  readonly name?: string | undefined;
  /** What `send` does while the line is down: `'queue'` accepts into the outbox, `'fail'` throws `NINJA_NOT_CONNECTED`. Default `'queue'`. */
  readonly whenDisconnected?: 'queue' | 'fail' | undefined;
  /** From failures in a row (from 1; where there are several endpoints, failed rounds through them) and the last reason to milliseconds; false gives up. Default: `50 + random(0, min(10000, 100 · 1.5^(n-1)))`. */
  readonly backoff?: Backoff | undefined;
  /** Runs on each fresh line before anything queued is written: an application's login. If it throws, the attempt has failed; `NINJA_NOT_A_PEER` ends all attempts. */
  readonly onConnect?: OnConnect | undefined;
  /** Nothing is lost: messages are numbered, kept until they are acknowledged, and written again on the next socket; see docs/delivery.md. The server has to speak sessions too. True is `{}`. Default false. */
  readonly session?: boolean | ClientSessionOptions | undefined;
  /** Our own address, as in `net.connect`. */
  readonly localAddress?: string | undefined;
  /** Our own port, as in `net.connect`. */
  readonly localPort?: number | undefined;
  /** Looks names up, as `dns.lookup` does. If it throws, the attempt has failed. */
  readonly lookup?: LookupFunction | undefined;
  /** Speak TLS with the options of `tls.connect`, or with Node's own where true. The server's name is `host`, unless `servername` says another. Default false. */
  readonly tls?: boolean | ClientTls | undefined;
  /** Disposes the connection when it fires. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListenOptions extends Numbers<typeof lineNumbers>, Numbers<typeof serverNumbers>, LineChoices {
  /** The address to bind. Default: all of them. */
  readonly host?: string | undefined;
  /** 0 … 65535, unless there is a `path`; 0 lets the system choose. */
  readonly port?: number | undefined;
  /** A Unix domain socket, or a Windows pipe, instead of `host` and `port`. The file must not exist yet; it is removed when the server closes. */
  readonly path?: string | undefined;
  /** Serve sessions, which survive their sockets: `'require'`, `'accept'`, or `{ mode, … }`. A peer is then the session. Default false. */
  readonly session?: 'require' | 'accept' | boolean | ServerSessionOptions | undefined;
  /** Length of the kernel's queue of connections not yet accepted. Default: Node's 511. */
  readonly backlog?: number | undefined;
  /** Speak TLS with the options of `tls.createServer`, `key` and `cert` among them. For mutual TLS also `ca` and `requestCert: true`. */
  readonly tls?: ServerTls | undefined;
  /** Client addresses that are dropped as they are accepted, with the event `refused`: addresses and networks such as `10.0.0.0/8`, or a `net.BlockList`, to which the program may add later. Behind a proxy the client's own address counts. */
  readonly blockList?: readonly string[] | AddressMatcher | undefined;
  /** Each socket begins with a header of the PROXY protocol, version 2, in front of TLS; `peer.remoteAddress` is then the client's. It is believed only from proxies that are `trusted`: addresses and networks such as `10.0.0.0/8`, or a `net.BlockList`; true is for those on this machine. Default false. */
  readonly proxyProtocol?: boolean | { readonly trusted: readonly string[] | AddressMatcher } | undefined;
  /** Shown in `explain()`, in logs and to inspectors. Default `host:port`, or the path. */
  readonly name?: string | undefined;
  /** Disposes the server when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** The fresh line as `onConnect` sees it: only this socket, before anybody else's messages. */
export interface Greeter {
  readonly epoch: number;
  /** Writes a message to this socket. */
  send(message: Uint8Array | string): void;
  /** Waits for the next message of this socket. */
  receive(): Promise<Buffer>;
}

export type OnConnect = (line: Greeter, context: { readonly signal: AbortSignal }) => unknown;
