import { NinjaTcpError } from '../../errors.js';
import { Budget } from './budget.js';
import { decode, encode } from './frames.js';
import { isSealed, type Keys, NO_NONCE, NO_SECRET, type SessionCrypto, seal } from './keys.js';
import { type FrameOf, type RefusalCode, refusalCodes, VERSION } from './layouts.js';
import type { SessionEnd, SessionKeeper, SessionLink, SessionOptions, SessionOwner, SessionRecord } from './ports.js';
import { type Holder, ServerSession, type SessionTable } from './server.js';
import { clientKey, Tombstones } from './tombstones.js';
import { MAC_LENGTH } from './wire.js';

export interface RegistryOptions extends SessionOptions {
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  /** Bytes that all sessions together keep unacknowledged; each may keep one message beyond it. */
  readonly retainedBytes: number;
  readonly retainedBytesPerPrincipal: number;
}

/** Who opens a session, as `authenticate` found. */
export interface Opener {
  /** Of one who did not say who it is: its remote address. */
  readonly principal: string;
  /** Whether nobody can read along: there is TLS. */
  readonly secure: boolean;
}

export type Admission =
  | { readonly session: ServerSession; readonly resumed: boolean }
  | { readonly refused: RefusalCode };

/** Without TLS whoever saw an id could jump to the last epoch, and so lock its owner out. */
const MOST_EPOCHS_AT_ONCE = 2 ** 16;
/** When somebody who was refused for want of room may ask again, ms. */
const RETRY_AFTER = 1000;

interface Principal {
  sessions: number;
  readonly budget: Budget;
  /** Its own of those that go first: at a limit nobody looks through those of all. */
  readonly spare: Set<ServerSession>;
}

/** What is known of a session, here or by a store; its epoch, while it lives. */
export interface Known {
  readonly keys: Keys;
  readonly holder: Holder;
  readonly epoch?: number;
}

export interface Refusal {
  readonly nonce: Uint8Array;
  /** Where the session is known, and whoever asks has shown to be its holder. */
  readonly keys?: Keys;
  readonly lastHandled?: number;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A server's sessions: who may have one, and who may have one back. */
export class SessionRegistry implements SessionTable {
  /** Only sessions that exist are served: new ones are told to go elsewhere. */
  draining = false;
  readonly serverInstance: Uint8Array;
  private readonly sessions = new Map<string, ServerSession>();
  /** By principal and client's instance. */
  private readonly byInstance = new Map<string, ServerSession>();
  private readonly principals = new Map<string, Principal>();
  private readonly withSocket = new Set<ServerSession>();
  /** Without a socket, and nothing was carried: the first to go, oldest first. */
  private readonly spare = new Set<ServerSession>();
  private readonly tombstones: Tombstones;
  private readonly budget: Budget;

  /**
   * @param opened gives a session that was made or restored its owner
   * @param kept gives it who writes it into a store, where there is one
   */
  constructor(
    private readonly options: RegistryOptions,
    private readonly crypto: SessionCrypto,
    private readonly opened: (session: ServerSession) => SessionOwner,
    private readonly kept?: (session: ServerSession) => SessionKeeper,
  ) {
    this.budget = new Budget(options.retainedBytes);
    this.serverInstance = crypto.random(16);
    this.tombstones = new Tombstones(options.maxSessions);
  }

  get size(): number {
    return this.sessions.size;
  }

  /** Of these, without a socket. */
  get detachedSessions(): number {
    return this.sessions.size - this.withSocket.size;
  }

  /** Bytes kept unacknowledged by all sessions. */
  get retainedBytes(): number {
    return this.budget.bytes;
  }

  /**
   * What a first frame says; to be shown to `authenticate`, which gives the opener, before `admit`.
   *
   * @throws NinjaTcpError `NINJA_PROTOCOL` where it is malformed, or opens nothing: drop its socket
   */
  read(bytes: Buffer): FrameOf<'HELLO'> | FrameOf<'RESUME'> {
    const frame = decode(bytes);
    if (frame.name === 'HELLO' || frame.name === 'RESUME') return frame;
    throw new NinjaTcpError('NINJA_PROTOCOL', `session frame ${frame.name}: the first must be HELLO or RESUME`);
  }

  /**
   * Lets somebody in, or refuses; what it writes is written then, and a refused socket is closed. A session's own
   * socket is not touched before all is found good.
   *
   * @param bytes what `frame` was read from
   */
  admit(link: SessionLink, frame: FrameOf<'HELLO' | 'RESUME'>, bytes: Buffer, opener: Opener): Admission {
    return frame.name === 'HELLO' ? this.hello(link, frame, opener) : this.resume(link, frame, bytes, opener);
  }

  /** Refuses: also for the caller, such as PRINCIPAL where nobody was found, or BUSY. */
  refuse(link: SessionLink, code: RefusalCode, { nonce, keys, lastHandled = 0 }: Refusal): Admission {
    const retryable = code === 'BUSY' || code === 'DRAINING' || code === 'LIMIT' ? 1 : 0;
    const retryAfterMs = retryable ? RETRY_AFTER : 0;
    const fields = { code: refusalCodes[code], retryable, retryAfterMs, lastHandled, nonce };
    const bytes = encode('REFUSED', fields, keys !== undefined);
    link.control(keys ? seal(this.crypto, 'REFUSED', keys, nonce, bytes) : bytes);
    link.end();
    return { refused: code };
  }

  private hello(link: SessionLink, frame: FrameOf<'HELLO'>, { principal, secure }: Opener): Admission {
    const nonce = NO_NONCE;
    if (frame.verMin > VERSION || frame.verMax < VERSION) return this.refuse(link, 'VERSION', { nonce });
    const { clientInstance } = frame;
    const client = clientKey({ principal, clientInstance });
    const known = this.byInstance.get(client);
    if (this.tombstones.hasClient(client)) return this.refuse(link, 'STALE_EPOCH', { nonce });
    if (known) {
      // Its answer was lost: the client asks again, and gets the same session. One that has it would ask by RESUME.
      if (!known.untouched) return this.refuse(link, 'STALE_EPOCH', { nonce });
      known.welcome(link, frame, this.serverInstance);
      return { session: known, resumed: false };
    }
    if (this.draining) return this.refuse(link, 'DRAINING', { nonce });
    if (!this.makeRoom(principal)) return this.refuse(link, 'LIMIT', { nonce });
    const keys: Keys = {
      sessionId: this.crypto.random(16),
      secret: secure ? this.crypto.random(MAC_LENGTH) : NO_SECRET,
    };
    const session = this.enter(keys, { principal, secure, clientInstance });
    this.announce(session);
    session.welcome(link, frame, this.serverInstance);
    return { session, resumed: false };
  }

  private resume(link: SessionLink, frame: FrameOf<'RESUME'>, bytes: Buffer, { principal }: Opener): Admission {
    const { nonce, epoch } = frame;
    const id = textOf(frame.sessionId);
    const session = this.sessions.get(id);
    const found = session ?? this.tombstones.find(id);
    if (!found) return this.refuse(link, 'UNKNOWN', { nonce });
    const { keys, lastHandled } = found;
    const code = this.objection(frame, bytes, found, principal);
    if (code === 'BAD_MAC' || code === 'PRINCIPAL') return this.refuse(link, code, { nonce });
    // From here on it is the holder who asks: the answer may be believed.
    if (!session) return this.refuse(link, 'EXPIRED', { nonce, keys, lastHandled });
    if (code) return this.refuse(link, code, { nonce, keys, lastHandled });
    session.epoch = epoch;
    const obstacle = session.obstacle(frame);
    if (obstacle) return this.refuse(link, obstacle, { nonce, keys, lastHandled });
    session.resume(link, frame);
    return { session, resumed: true };
  }

  /** Why who sent a RESUME is not the holder of the session, or came with one that is old. */
  objection(frame: FrameOf<'RESUME'>, bytes: Buffer, known: Known, principal: string): RefusalCode | undefined {
    const { keys, holder } = known;
    if (!isSealed(this.crypto, 'RESUME', keys, frame.nonce, bytes)) return 'BAD_MAC';
    if (holder.principal !== principal) return 'PRINCIPAL';
    if (frame.version !== VERSION) return 'VERSION';
    const jump = frame.epoch - (known.epoch ?? 0);
    const tooFar = !holder.secure && jump > MOST_EPOCHS_AT_ONCE;
    if (jump <= 0 || tooFar) return 'STALE_EPOCH';
    return undefined;
  }

  /** The session of this id that is held here. */
  held(sessionId: Uint8Array): ServerSession | undefined {
    return this.sessions.get(textOf(sessionId));
  }

  /** The session that is held here of a client which asks by HELLO. */
  heldFor(principal: string, clientInstance: Uint8Array): ServerSession | undefined {
    return this.byInstance.get(clientKey({ principal, clientInstance }));
  }

  /**
   * Goes on with a session out of a store, without a socket yet; `admit` gives it one.
   *
   * @returns undefined where there is no room for it
   */
  restore(record: SessionRecord, now: number): ServerSession | undefined {
    const { sessionId, secret, principal, secure, clientInstance } = record.head;
    if (!this.makeRoom(principal)) return undefined;
    const session = this.enter({ sessionId, secret }, { principal, secure, clientInstance });
    session.goOn(record, now);
    this.announce(session);
    return session;
  }

  /** Whether there is, or can be made, room for one more. */
  private makeRoom(principal: string): boolean {
    const { maxSessions, maxSessionsPerPrincipal } = this.options;
    const own = this.principals.get(principal);
    if (own && own.sessions >= maxSessionsPerPrincipal && !this.dismiss(own.spare)) return false;
    if (this.sessions.size >= maxSessions && !(own && this.dismiss(own.spare)) && !this.dismiss(this.spare)) {
      return false;
    }
    return this.budget.has(1) && (own === undefined || own.budget.has(1));
  }

  /** Ends the oldest session that carried nothing and has no socket, of one principal or of all. */
  private dismiss(spare: ReadonlySet<ServerSession>): boolean {
    const [oldest] = spare;
    oldest?.expire();
    return oldest !== undefined;
  }

  private enter(keys: Keys, holder: Holder): ServerSession {
    const { principal } = holder;
    let own = this.principals.get(principal);
    if (!own) {
      const budget = new Budget(this.options.retainedBytesPerPrincipal, this.budget);
      own = { sessions: 0, budget, spare: new Set() };
      this.principals.set(principal, own);
    }
    own.sessions += 1;
    const session = new ServerSession(this.options, this.crypto, keys, holder, own.budget, this);
    this.sessions.set(textOf(keys.sessionId), session);
    this.byInstance.set(clientKey(holder), session);
    return session;
  }

  private announce(session: ServerSession): void {
    session.owner = this.opened(session);
    if (this.kept) session.keep(this.kept(session));
  }

  attached(session: ServerSession): void {
    this.withSocket.add(session);
    this.keep(session);
  }

  detached(session: ServerSession): void {
    this.withSocket.delete(session);
    if (!session.unused) return;
    this.spare.add(session);
    this.principals.get(session.principal)?.spare.add(session);
  }

  private keep(session: ServerSession): void {
    this.spare.delete(session);
    this.principals.get(session.principal)?.spare.delete(session);
  }

  ended(session: ServerSession, end: SessionEnd): void {
    const { principal } = session;
    const id = textOf(session.keys.sessionId);
    this.sessions.delete(id);
    this.byInstance.delete(clientKey(session.holder));
    this.keep(session);
    this.withSocket.delete(session);
    const own = this.principals.get(principal);
    if (own) {
      own.sessions -= 1;
      if (own.sessions === 0) this.principals.delete(principal);
    }
    const goesOn = end.how === 'lost' && (end.code === 'TAKEN_OVER' || end.code === 'PARTED');
    // Nothing can be said of one that carried nothing.
    if (!session.unused && !goesOn) this.tombstones.add(id, session);
  }
}
