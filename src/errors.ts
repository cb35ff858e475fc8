/**
 * What the caller may conclude about a message when it meets an error:
 *
 * - `notSent`: no byte of it was handed to a socket.
 * - `unknown`: it was written and the line broke before an answer; TCP cannot say whether it arrived.
 * - `refused`: the call itself was turned down; nothing was accepted.
 */
export type Outcome = 'notSent' | 'unknown' | 'refused';

interface ErrorEntry {
  /** When it happens. */
  readonly when: string;
  /** What may be concluded about the messages concerned. */
  readonly outcome: Outcome;
  /** What helps. */
  readonly cure: string;
}

/** Every error, once. `docs/errors.md` is generated from this table. */
export const errorTable = {
  NINJA_CONNECT_TIMEOUT: {
    when: 'Dialing and greeting together took longer than `connectTimeout`.',
    outcome: 'notSent',
    cure: 'Check the address and the firewall between; raise `connectTimeout` for a slow link. It is retried by itself.',
  },
  NINJA_CONNECT_FAILED: {
    when: 'The dial failed: refused, unreachable, no such host, or the `onConnect` hook threw. `cause` has the details.',
    outcome: 'notSent',
    cure: 'Read `cause`. It is retried by itself.',
  },
  NINJA_CERTIFICATE: {
    when: 'A TLS certificate is not accepted: unknown authority, expired, for another host; or the other side refuses ours. Fatal: there is no retry.',
    outcome: 'unknown',
    cure: 'The message says whose certificate it is and what is wrong. Mend the certificate, or `ca`, `cert` and `servername` of the option `tls`; then call `connect()`.',
  },
  NINJA_TLS_FAILED: {
    when: 'The two sides have no TLS in common: other versions, ciphers or ALPN protocols. Fatal: there is no retry.',
    outcome: 'notSent',
    cure: 'Check `minVersion`, `ciphers` and `ALPNProtocols` of the option `tls`; then call `connect()`.',
  },
  NINJA_NOT_TLS: {
    when: 'One side speaks TLS, and the other answers with something else: the wrong port, or a proxy in between that has no server behind it for the moment.',
    outcome: 'notSent',
    cure: 'Check the port, and `tls` on both sides. It is retried by itself; a `backoff` that returns false for this code gives up.',
  },
  NINJA_STALE: {
    when: 'No byte came for `staleAfter` milliseconds.',
    outcome: 'unknown',
    cure: 'It heals by itself. If the peer is silent when idle, let it send empty frames or set `staleAfter: 0`.',
  },
  NINJA_FRAME_TOO_LARGE: {
    when: 'A header announced a message longer than `maxFrameLength`; often the peer speaks another protocol.',
    outcome: 'unknown',
    cure: 'Look at the first bytes in the message of the error. Raise `maxFrameLength`, or choose the right framing.',
  },
  NINJA_FRAME_INVALID: {
    when: 'A header cannot be right: it includes itself, yet announces less than its own length.',
    outcome: 'unknown',
    cure: 'Check `includesHeader` and `endian` of the framing.',
  },
  NINJA_FRAME_BUDGET: {
    when: 'The unfinished frames of all peers of a server held more than `unfinishedBytes`; the peer that held the most was dropped.',
    outcome: 'unknown',
    cure: 'An attack, or too many large messages at a time: raise `unfinishedBytes`, or lower `maxFrameLength` or `maxConnections`.',
  },
  NINJA_FRAME_TIMEOUT: {
    when: 'A frame was begun and not finished within `frameTimeout`.',
    outcome: 'unknown',
    cure: 'Raise `frameTimeout` for large messages on slow lines.',
  },
  NINJA_WRITE_STALL: {
    when: 'Bytes were pending, and the system did not confirm for `writeStallTimeout` that any of them were taken.',
    outcome: 'unknown',
    cure: 'The peer is alive and does not read: see why. Raise `writeStallTimeout` for a reader with long pauses, or a link slower than 13 kB/s.',
  },
  NINJA_TRUNCATED: {
    when: 'The peer closed the line in the middle of a frame.',
    outcome: 'unknown',
    cure: 'The half message is dropped, the whole ones before it were delivered. The peer died, or closes too early.',
  },
  NINJA_RESET: {
    when: 'The line was reset, or the system reported another error on it. `cause` has the details.',
    outcome: 'unknown',
    cure: 'It heals by itself.',
  },
  NINJA_CLOSED_BY_PEER: {
    when: 'The peer closed the line between two frames.',
    outcome: 'unknown',
    cure: 'It heals by itself.',
  },
  NINJA_NOT_A_PEER: {
    when: 'The other side answered, but is not what we want to talk to. Fatal: there is no retry.',
    outcome: 'notSent',
    cure: 'Throw it from `onConnect` when a login is refused for good; then mend the address or the credentials.',
  },
  NINJA_PROTOCOL: {
    when: 'The other side broke a rule of the session protocol. The message names the frame, the field, the rule and the value.',
    outcome: 'unknown',
    cure: 'The socket is dropped, and the session resumes on another one. If it comes again, one of the two sides has a bug: report the message.',
  },
  NINJA_SESSION_LOST: {
    when: 'A session is over, and not all of it was handled: its resume window passed, the server knows it no more, or this side gave it up. The message names the refusal.',
    outcome: 'unknown',
    cure: 'The event `sessionLost` says how far it came; an error of `deliver()` has the `outcome` of its own message. Raise `session.resumeWindow`, or give the session a store.',
  },
  NINJA_SESSION_REFUSED: {
    when: 'A server did not grant a session, or a server refused to grant one: no room, an unknown principal, another version. The message names the refusal.',
    outcome: 'notSent',
    cure: 'Read the message. It is retried by itself where the refusal allows that.',
  },
  NINJA_STORE_FAILED: {
    when: 'The store of sessions could not be reached, or did not take what it was given, for longer than the patience that was set. `cause` has the details.',
    outcome: 'unknown',
    cure: 'See why it is away. The socket was dropped, and the session stays in the store: it resumes when the store is back.',
  },
  NINJA_STORE_CORRUPT: {
    when: 'What the store of sessions has was cut, changed, mixed up, or sealed by another key. Nothing of it is believed.',
    outcome: 'unknown',
    cure: 'Bring back the right key or file. To begin anew, move the file away: what was under way in it stays unknown.',
  },
  NINJA_STORE_LOCKED: {
    when: 'Another process has the file of the session store open, or a copy of this one.',
    outcome: 'refused',
    cure: 'Give each process a file of its own; or end the other process, which the message names.',
  },
  NINJA_SESSION_TAKEN_OVER: {
    when: 'Another process has taken the session over, through the store that both have: its client went there. This one has nothing to say in it any more.',
    outcome: 'unknown',
    cure: 'Nothing to cure where a client may go to any of several servers. Else see who has the same store and the same key of a client.',
  },
  NINJA_NOT_CONNECTED: {
    when: "`send` while the line is down, and `whenDisconnected` is `'fail'`.",
    outcome: 'refused',
    cure: "Wait for `connected()`, or use `whenDisconnected: 'queue'`.",
  },
  NINJA_DISCONNECTED: {
    when: 'The program itself gave up this line, by `disconnect()` or `reconnectNow()`.',
    outcome: 'unknown',
    cure: 'Nothing to cure: it was asked for.',
  },
  NINJA_OUTBOX_FULL: {
    when: 'Accepting the message would exceed `outboxBytes` or `outboxMessages`.',
    outcome: 'refused',
    cure: 'When `send` returns false, await `drained()` before you send more; or raise the limit.',
  },
  NINJA_EXPIRED: {
    when: 'A message waited in the outbox for longer than its `ttl`.',
    outcome: 'notSent',
    cure: 'Send it again if it still matters; raise `ttl`.',
  },
  NINJA_DRAIN_TIMEOUT: {
    when: '`close()` could not hand over all that was accepted within `drainTimeout`.',
    outcome: 'unknown',
    cure: 'Raise `drainTimeout`, or see why the peer does not read.',
  },
  NINJA_ABORTED: {
    when: 'The `AbortSignal` of a wait fired. Only the wait ended; the connection goes on.',
    outcome: 'refused',
    cure: 'Nothing to cure: it was asked for.',
  },
  NINJA_DISPOSED: {
    when: 'The connection, peer or server was closed or disposed by the program.',
    outcome: 'notSent',
    cure: 'Make a new one.',
  },
  NINJA_GAVE_UP: {
    when: '`maxAttempts` failures in a row, a fatal failure, or `backoff` returned false. `cause` is the last failure.',
    outcome: 'notSent',
    cure: 'Call `connect()` to begin anew. What was held was dropped, and told by the event `dropped`.',
  },
  NINJA_HANDLER_FAILED: {
    when: "A listener or handler of the program threw. `cause` is the program's own error.",
    outcome: 'unknown',
    cure: 'Mend the handler. Its connection was closed, or its peer destroyed; others are untouched.',
  },
  NINJA_LISTEN_FAILED: {
    when: 'The server could not bind or lost its port. `cause` has the details.',
    outcome: 'refused',
    cure: 'Read `cause`: the port or path is in use, or binding it is not permitted. A socket file that a killed process left behind has to be removed.',
  },
  NINJA_PROXY_HEADER: {
    when: 'An accepted socket was dropped since it did not begin with a good header of the PROXY protocol, version 2.',
    outcome: 'refused',
    cure: 'The message says what is wrong with it. Let the proxy send version 2 (haproxy: `send-proxy-v2`), or switch `proxyProtocol` off.',
  },
  NINJA_BLOCKED: {
    when: 'An accepted socket was dropped since its address is in `blockList`, or is no trusted proxy of `proxyProtocol`.',
    outcome: 'refused',
    cure: 'Nothing, if it should not be let in. Else take the address out of `blockList`, or put it into `trusted`.',
  },
  NINJA_HANDSHAKE_TIMEOUT: {
    when: 'An accepted socket was dropped since its PROXY header and TLS handshake were not over within `handshakeTimeout`.',
    outcome: 'refused',
    cure: 'Nothing, if it was a port scan. Raise `handshakeTimeout` for clients on slow lines.',
  },
  NINJA_SERVER_FULL: {
    when: 'An accepted socket was dropped since the server has `maxConnections` peers, or its address `maxConnectionsPerAddress`; or the system could not accept it. `cause` has the details.',
    outcome: 'refused',
    cure: 'Raise the limit, or add servers.',
  },
  NINJA_FEW_DESCRIPTORS: {
    when: 'Fewer descriptors than `reservedDescriptors` are free in the process: the server has closed its port for a while. Its peers live on.',
    outcome: 'refused',
    cure: 'It listens again by itself when there are more. Raise `ulimit -n`, lower `maxConnections`, or look for what opens files and does not close them.',
  },
  NINJA_INVALID_OPTION: {
    when: 'An option, or a call, breaks a rule. The message names the option, the rule and the value.',
    outcome: 'refused',
    cure: 'Mend the call.',
  },
  NINJA_INVALID_MESSAGE: {
    when: 'What was given to `send` cannot be a message: wrong type, too long, or empty while empty frames are heartbeats.',
    outcome: 'refused',
    cure: "Mend the call, raise `maxFrameLength`, or, for empty messages, set `emptyFrames: 'message'`.",
  },
} as const satisfies Record<`NINJA_${string}`, ErrorEntry>;

/** The literal type of every `code`. */
export type ErrorCode = keyof typeof errorTable;

/** The one error class of ninja-tcp. Tell errors apart by `code`, never by the message. */
export class NinjaTcpError extends Error {
  override readonly name = 'NinjaTcpError';
  readonly code: ErrorCode;
  /** What may be concluded about the messages concerned. */
  readonly outcome: Outcome;

  /**
   * @param code one of the codes in `docs/errors.md`
   * @param message a sentence for people; it names the option or header, the rule and the value where there are such
   * @param cause the error below, of Node or of the program
   * @param outcome where more is known of a message than the code says
   */
  constructor(code: ErrorCode, message: string, cause?: unknown, outcome: Outcome = errorTable[code].outcome) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.outcome = outcome;
  }

  /** Plain values, for logs: `{ name, code, outcome, message }`. */
  toJSON(): { name: string; code: ErrorCode; outcome: Outcome; message: string } {
    return { name: this.name, code: this.code, outcome: this.outcome, message: this.message };
  }
}

/** Why a line was lost or a life ended, as plain values that a statechart may hold and a log may print. */
export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
  /** Wall-clock time, milliseconds since 1970. */
  readonly at: number;
  /** The attempt it belongs to; 0 before the first. */
  readonly epoch: number;
}

/** Failures that no retry can mend. */
export function isFatal(code: ErrorCode): boolean {
  if (code === 'NINJA_STORE_CORRUPT' || code === 'NINJA_SESSION_TAKEN_OVER') return true;
  return code === 'NINJA_NOT_A_PEER' || code === 'NINJA_CERTIFICATE' || code === 'NINJA_TLS_FAILED';
}

/**
 * The message of whatever was thrown, with a dual-stack dial's AggregateError unwrapped:
 * `connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9`.
 */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(messageOf))].join('; ');
  }
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** A value as people write it, short. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`;
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : `a ${value.constructor?.name ?? 'object'}`;
}
