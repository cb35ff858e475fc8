/**
 * Sessions: every message handed over exactly once and in order, through any number of broken sockets, while both processes
 * live. The pure core of the protocol NTS/1: frames and times in; frames, deliveries and deadlines out. No I/O, no clock,
 * no chance of its own.
 *
 * ```text
 *                 SessionOwner: deliver, acknowledged, room, attached, detached, leaving, ended, wake …
 *                      ▲
 * ClientSession ─┐     │
 *                ├─ Session ─ Exchange ── Sender    numbered and kept until acknowledged; the replay is a cursor over it
 * ServerSession ─┘     │              └── Receiver  the number expected, what is handled, when to acknowledge
 *      ▲               ▼
 * SessionRegistry   SessionLink: data, control, end, drop: one for each socket
 * ```
 *
 * How a client's data plane drives it:
 *
 * 1. `new ClientSession(options, sessionCrypto(random), owner)`, once; after `owner.ended` make another, by explicit policy.
 * 2. Each socket that is open: `open(link, tlvs, now)`. Which socket is heard is told by `link`: those of others are dropped.
 * 3. Each whole frame: `receive(link, frame, now)`, or `receiveSpan` and `receiveRun` where the decoder tells spans. The socket is gone: `lost(link, now)`.
 * 4. `send(payload)` gives the number, or 0: keep the message in the outbox until `owner.room()`. What is numbered must not
 *    be changed until `owner.acknowledged(number)`, since it may be written again.
 *    `flowing` tells whether it would go out at once.
 * 5. `link.data` writes the framing's header, `writeDataHead`, and the payload, in one; where it gives false, `writable(link)`
 *    follows. `deadline` and `owner.wake` tell when `tick(now)` is due: one timer, for acknowledgements, and on a server for
 *    the resume window. `signOfLife()` gives the frame to be written in place of an empty one.
 * 6. `owner.deliver` gives true where the program is done with the message; else `settle(number, now)` says so later.
 * 7. Leaving: `drain()` when it begins, `finish()` when the outbox is empty; then the session ends by itself. The same on
 *    `owner.leaving()`.
 *
 * A server's: `opensSession(frame)` tells the first frame of a session from a plain message. `registry.read(frame)`, then the
 * program's `authenticate(tlvs)`, then `registry.admit(link, frame, bytes, opener)`, or `registry.refuse`. After that the
 * session is driven in the same way, by 3 to 7.
 *
 * Kept by a store (kept.ts; src/sessions drives it): `session.keep(keeper)` before its first socket, on a server by the
 * registry's `kept`. On `keeper.changed()` write what `marks()`, `head()` and `unstored()` give, then `stored(marks, now)`.
 * In another process `new ClientSession(…, record)`, or `registry.restore(record, now)`, goes on with it.
 *
 * A frame that breaks a rule drops its socket by `link.drop(NINJA_PROTOCOL)`, and the session resumes on another one; only
 * refusals, the resume window and `abandon()` lose it.
 */
export { ClientSession } from './client.js';
export { opensSession, writeDataHead } from './frames.js';
export { NO_NONCE, sessionCrypto } from './keys.js';
export { DATA_HEAD, type FrameOf } from './layouts.js';
export type {
  Attached,
  NumberRange,
  Refused,
  SessionEnd,
  SessionLink,
  SessionOwner,
  SessionState,
} from './ports.js';
export { type Admission, type RegistryOptions, SessionRegistry } from './registry.js';
export { ServerSession } from './server.js';
export { Session } from './session.js';
export type { Tlv } from './wire.js';
