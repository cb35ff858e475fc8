import type { NinjaTcpError } from '../../errors.js';
import type { Budget } from './budget.js';
import { encode } from './frames.js';
import { KeptSession } from './kept.js';
import { type Keys, NO_SECRET, type SessionCrypto, seal } from './keys.js';
import { type FrameOf, VERSION } from './layouts.js';
import type { SessionEnd, SessionHead, SessionLink, SessionOptions, SessionOwner, SessionRecord } from './ports.js';
import { malformed } from './wire.js';

/** What a server's session tells the table that it stands in. */
export interface SessionTable {
  attached(session: ServerSession): void;
  detached(session: ServerSession): void;
  ended(session: ServerSession, end: SessionEnd): void;
}

/** Who is behind a session. */
export interface Holder {
  readonly principal: string;
  /** Whether its secret is one: there was TLS. */
  readonly secure: boolean;
  readonly clientInstance: Uint8Array;
}

/** Bytes of an id, of a session or of a client. */
const ID = 16;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The server's side. The registry makes it, and gives it its sockets. */
export class ServerSession extends KeptSession {
  /** When it is given up, ms; Infinity while it has a socket. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** How long it is kept without a socket, ms. */
  granted = 0;
  readonly principal: string;
  private readonly secure: boolean;
  /** Its id, its client's instance and its secret: as arrays they would weigh half a kilobyte, and they are seldom asked for. */
  private readonly packed: string;
  /** A HELLO that is answered when the store knows the session. */
  private unanswered: { readonly serverInstance: Uint8Array; readonly again: boolean } | undefined;

  constructor(
    options: SessionOptions,
    crypto: SessionCrypto,
    keys: Keys,
    holder: Holder,
    budget: Budget,
    private readonly table: SessionTable,
  ) {
    // The table gives it its owner, before anything happens.
    super(options, crypto, undefined as unknown as SessionOwner, budget);
    const { principal, secure, clientInstance } = holder;
    this.principal = principal;
    this.secure = secure;
    this.packed =
      textOf(keys.sessionId) + textOf(clientInstance) + (keys.secret === NO_SECRET ? '' : textOf(keys.secret));
  }

  override get keys(): Keys {
    const { packed } = this;
    const secret = packed.length > 2 * ID ? bytesOf(packed.slice(2 * ID)) : NO_SECRET;
    return { sessionId: bytesOf(packed.slice(0, ID)), secret };
  }

  get holder(): Holder {
    const { principal, secure, packed } = this;
    return { principal, secure, clientInstance: bytesOf(packed.slice(ID, 2 * ID)) };
  }

  override head(): SessionHead {
    const { keys, holder, granted, longest, sender } = this;
    return { ...keys, ...holder, granted, longest, window: sender.window };
  }

  /** Begins where a store has it, without a socket. */
  goOn(record: SessionRecord, now: number): void {
    this.granted = record.head.granted;
    this.restore(record);
    this.state = 'detached';
    this.expiresAt = now + this.granted;
  }

  override get deadline(): number {
    return Math.min(super.deadline, this.expiresAt);
  }

  /** Nothing shows that the client has heard of it: another HELLO of the same client is still about this session. */
  get untouched(): boolean {
    return this.sender.first === 1 && this.receiver.next === 1;
  }

  /** The number of the client's last message that was handled; 0 for none. */
  get lastHandled(): number {
    return Math.min(this.receiver.handled, this.receiver.storedHandled) - 1;
  }

  /** Answers a HELLO; also a second one, where the first answer was lost. */
  welcome(link: SessionLink, hello: FrameOf<'HELLO'>, serverInstance: Uint8Array): void {
    this.granted = Math.min(this.options.resumeMs, hello.resumeMs);
    this.epoch = Math.max(this.epoch, 1);
    this.agree(hello.maxFrame, { bytes: hello.windowBytes, messages: hello.windowMessages });
    this.identity += 1;
    this.fence();
    this.link = link;
    this.unanswered = { serverInstance, again: this.state === 'attached' };
    this.state = 'establishing';
    this.proceed();
  }

  protected override proceed(): void {
    const { link, unanswered } = this;
    if (!link || !unanswered) return;
    if (!this.isKnown) {
      this.keeper?.changed();
      return;
    }
    const { maxFrame, window, heartbeatMs } = this.options;
    const { sessionId, secret } = this.keys;
    this.unanswered = undefined;
    link.control(
      encode('WELCOME', {
        version: VERSION,
        sessionId,
        secret,
        epoch: this.epoch,
        maxFrame,
        windowBytes: window.bytes,
        windowMessages: window.messages,
        heartbeatMs,
        resumeMs: this.granted,
        serverInstance: unanswered.serverInstance,
      }),
    );
    this.attach(link, 1, false);
  }

  /** Why a RESUME, whose MAC, principal and epoch are good, cannot be granted. */
  obstacle(frame: FrameOf<'RESUME'>): 'HISTORY_LOST' | 'SEQ_AHEAD' | undefined {
    return this.illegality(frame);
  }

  /** Goes on over this socket. The caller has seen that it may. */
  resume(link: SessionLink, frame: FrameOf<'RESUME'>): void {
    const { sender, receiver } = this;
    this.fence();
    const bytes = encode('RESUMED', {
      epoch: this.epoch,
      rxNext: receiver.next,
      txFirst: sender.first,
      txNext: sender.sentNext,
    });
    link.control(seal(this.crypto, 'RESUMED', this.keys, frame.nonce, bytes));
    this.attach(link, frame.rxNext, true);
  }

  override tick(now: number): void {
    if (now < this.expiresAt) super.tick(now);
    else if (!this.keeper) this.expire();
    else {
      this.expiresAt = Number.POSITIVE_INFINITY;
      this.keeper.overdue();
    }
  }

  /** Nobody came back for it. */
  expire(): void {
    if (this.leftInPeace) this.end({ how: 'closed' });
    else this.end({ how: 'lost', code: 'EXPIRED', ...this.sender.standing() });
  }

  /** What the old socket still brings is not looked at any more. */
  private fence(): void {
    const old = this.link;
    this.link = undefined;
    this.flowing = false;
    this.unanswered = undefined;
    old?.drop(undefined);
  }

  protected override attach(link: SessionLink, peerNext: number, resumed: boolean): void {
    this.expiresAt = Number.POSITIVE_INFINITY;
    this.table.attached(this);
    super.attach(link, peerNext, resumed);
  }

  protected override detach(now: number): void {
    if (this.state === 'establishing') this.state = this.unanswered?.again ? 'attached' : 'detached';
    this.unanswered = undefined;
    this.expiresAt = now + this.granted;
    this.table.detached(this);
    super.detach(now);
    this.owner.wake(this.expiresAt);
  }

  protected override end(end: SessionEnd, why?: NinjaTcpError): void {
    if (this.state === 'ended') return;
    this.expiresAt = Number.POSITIVE_INFINITY;
    this.table.ended(this, end);
    super.end(end, why);
  }

  protected override greeted(): never {
    return malformed('of a detached session', 'it must have been admitted', 'none that was');
  }
}
