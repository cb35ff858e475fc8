/** What both sides of a session have in common: its life over successive sockets. See index.ts for how it is driven. */
import { NinjaTcpError } from '../../errors.js';
import { viewOf } from '../../framing/view.js';
import type { Budget } from './budget.js';
import { decode, encode, readDataHead } from './frames.js';
import { type Keys, NO_SECRET, type SessionCrypto } from './keys.js';
import { DATA, DATA_HEAD, type Frame, type FrameOf } from './layouts.js';
import type { SessionEnd, SessionLink, SessionOptions, SessionOwner, SessionState } from './ports.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { malformed } from './wire.js';

/** How far the other side came: what it expects, what it keeps, what it has written. */
type Reach = Pick<FrameOf<'RESUME'>, 'rxNext' | 'txFirst' | 'txNext'>;

export abstract class Session {
  state: SessionState = 'fresh';
  /** The number of the socket in this session, from 1. */
  epoch = 0;
  /** Frames of sockets that had been replaced, and were dropped. */
  fenced = 0;
  readonly sender: Sender;
  readonly receiver: Receiver;
  protected keys: Keys = { sessionId: new Uint8Array(16), secret: NO_SECRET };
  protected link: SessionLink | undefined;
  /** The longest message that the other side takes. */
  protected longest = 0;
  /** The socket takes more. */
  private flowing = false;
  /** Somebody was told that there is no room. */
  private awaited = false;
  private draining = false;
  private finishing = false;
  private byeSent = false;
  private byeHeard = false;
  private nonce = 0;

  constructor(
    protected readonly options: SessionOptions,
    protected readonly crypto: SessionCrypto,
    public owner: SessionOwner,
    budget?: Budget,
  ) {
    this.sender = new Sender(options.retain, budget);
    this.receiver = new Receiver(options.window);
  }

  /** Of this session nothing was carried yet, either way. */
  get unused(): boolean {
    return this.sender.next === 1 && this.receiver.next === 1;
  }

  /** When `tick` is to be called at the latest, ms; Infinity for never. */
  get deadline(): number {
    return this.link === undefined ? Number.POSITIVE_INFINITY : this.receiver.dueAt;
  }

  /**
   * Sends one message, and keeps it until it is acknowledged: it must not be changed meanwhile.
   *
   * @returns its number; 0 where there is no room or no line for it: keep it, `owner.room()` tells when to come again
   * @throws NinjaTcpError `NINJA_INVALID_MESSAGE` where it is longer than the other side takes: it would never arrive
   */
  send(payload: Uint8Array): number {
    if (this.state !== 'attached' || this.finishing) return 0;
    if (payload.length > this.longest) {
      throw new NinjaTcpError(
        'NINJA_INVALID_MESSAGE',
        `a message must have at most ${this.longest} bytes, since the other side takes no longer ones, got ${payload.length}`,
      );
    }
    if (!this.sender.hasRoom(payload.length)) {
      this.awaited = true;
      return 0;
    }
    const number = this.sender.push(payload);
    this.pump();
    return number;
  }

  /** The socket takes more, having said that it does not. */
  writable(link: SessionLink): void {
    if (link !== this.link) return;
    this.flowing = true;
    this.pump();
  }

  /** One whole frame came from a socket; empty ones are legal, and mean nothing. */
  receive(link: SessionLink, frame: Buffer, now: number): void {
    if (link !== this.link) {
      this.fenced += 1;
      return;
    }
    if (frame.length === 0) return;
    try {
      if (this.state !== 'attached') this.greeted(link, frame, now);
      else if (frame[0] === DATA) this.take(frame, now);
      else this.control(decode(frame));
    } catch (error) {
      if (!(error instanceof NinjaTcpError) || error.code !== 'NINJA_PROTOCOL') throw error;
      this.fail(link, error, now);
    }
  }

  /** The program has done with message `number`. For `acknowledge: 'manual'`, and for `'handled'` where it took time. */
  settle(number: number, now: number): void {
    if (this.state === 'ended') return;
    const armed = this.receiver.dueAt;
    if (this.receiver.settle(number, now)) this.acknowledge();
    else this.arm(armed);
  }

  /** To be called at `deadline`; earlier or later does no harm. */
  tick(now: number): void {
    if (now >= this.receiver.dueAt) this.acknowledge();
  }

  /** Writes a sign of life, an acknowledgement too: whenever nothing was written for the other side's patience. */
  heartbeat(): void {
    if (this.state !== 'attached') return;
    this.nonce = (this.nonce + 1) >>> 0;
    this.link?.control(encode('PING', { nonce: this.nonce, next: this.receiver.tell() }));
  }

  /** Tells the other side that this one is about to leave. Messages still go both ways. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    if (this.state === 'attached') this.link?.control(encode('DRAIN', {}));
  }

  /** No more messages will be sent: the session ends when all are handled, both ways, however many sockets that takes. */
  finish(): void {
    this.drain();
    this.finishing = true;
    this.conclude();
  }

  /** The socket broke, or is being thrown away. */
  lost(link: SessionLink, now: number): void {
    if (link !== this.link) return;
    this.detach(now);
  }

  /** Gives the session up: what is not acknowledged stays unknown. */
  abandon(): void {
    this.end({ how: 'lost', code: 'ABANDONED', ...this.sender.standing() });
  }

  /** A frame of a socket that is not attached. */
  protected abstract greeted(link: SessionLink, frame: Buffer, now: number): void;

  /** It has no socket now. */
  protected detach(_now: number): void {
    this.link = undefined;
    this.flowing = false;
    if (this.state === 'attached') {
      this.state = 'detached';
      this.owner.detached();
    }
  }

  /** The handshake is over. `peerNext` is what the other side expects. */
  protected attach(link: SessionLink, peerNext: number, resumed: boolean): void {
    this.link = link;
    this.state = 'attached';
    this.flowing = true;
    this.byeSent = false;
    const replayed = this.sender.rewind(peerNext);
    // What was acknowledged last may have been lost with the old socket.
    if (resumed) this.acknowledge();
    if (this.draining) link.control(encode('DRAIN', {}));
    this.owner.attached({ resumed, replayed, deduplicated: this.receiver.duplicates });
    if (link !== this.link) return;
    this.pump();
    this.owner.room();
    this.conclude();
  }

  protected fail(link: SessionLink, error: NinjaTcpError, now: number): void {
    this.detach(now);
    link.drop(error);
  }

  /** Whether a resume would be illegal: `undefined` where the other side is where it can go on, both ways. */
  protected illegality({ rxNext, txFirst, txNext }: Reach): 'HISTORY_LOST' | 'SEQ_AHEAD' | undefined {
    const { sender, receiver } = this;
    if (receiver.next > txNext || rxNext > sender.sentNext) return 'SEQ_AHEAD';
    if (receiver.next < txFirst || rxNext < sender.first) return 'HISTORY_LOST';
    return undefined;
  }

  protected end(end: SessionEnd): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    const { link } = this;
    this.link = undefined;
    this.flowing = false;
    this.sender.clear();
    if (end.how === 'closed') link?.end();
    else link?.drop(undefined);
    this.owner.ended(end);
  }

  /** All of this side is handled, and no more will come: what the other side knows of it no longer matters. */
  protected get leftInPeace(): boolean {
    return this.finishing && this.sender.first === this.sender.next;
  }

  private take(frame: Buffer, now: number): void {
    const length = frame.length - DATA_HEAD;
    const number = this.receiver.accept(readDataHead(frame), length);
    const armed = this.receiver.dueAt;
    if (number === 0) {
      // Told again, but not at once for each: the other side seems not to know.
      if (this.receiver.owe(0, now)) this.acknowledge();
      else this.arm(armed);
      return;
    }
    if (this.byeHeard) malformed('DATA', 'none may follow BYE', number);
    const { acknowledge } = this.options;
    const done = this.owner.deliver(viewOf(frame.buffer, frame.byteOffset + DATA_HEAD, length), number);
    if (acknowledge === 'received' || (done && acknowledge === 'handled')) this.settle(number, now);
  }

  private control(frame: Frame): void {
    switch (frame.name) {
      case 'ACK':
      case 'PONG':
        this.acknowledged(frame.name, frame.next);
        return;
      case 'PING':
        this.acknowledged(frame.name, frame.next);
        this.link?.control(encode('PONG', { nonce: frame.nonce, next: this.receiver.tell() }));
        return;
      case 'DRAIN':
        this.owner.draining();
        return;
      case 'BYE':
        this.bye(frame);
        return;
      case 'BYE_OK':
        if (!this.byeSent) malformed('BYE_OK', 'it must answer a BYE', 'none was sent');
        this.end({ how: 'closed' });
        return;
      default:
        malformed(frame.name, 'it must not come into an established session', frame.name);
    }
  }

  private acknowledged(frame: string, next: number): void {
    if (!this.sender.acknowledge(frame, next)) return;
    this.owner.acknowledged(next - 1);
    if (this.awaited) {
      this.awaited = false;
      this.owner.room();
    }
    this.conclude();
  }

  private bye({ last }: FrameOf<'BYE'>): void {
    if (last !== this.receiver.handled - 1) {
      malformed('BYE', `last must be ${this.receiver.handled - 1}, what is handled here`, last);
    }
    if (!this.byeHeard) this.owner.leaving();
    this.byeHeard = true;
    this.conclude();
  }

  /** Says goodbye when all is done. Again on each socket. */
  private conclude(): void {
    if (this.state !== 'attached' || !this.leftInPeace || this.link === undefined) return;
    if (this.byeHeard) {
      this.link.control(encode('BYE_OK', {}));
      this.end({ how: 'closed' });
    } else if (!this.byeSent) {
      this.byeSent = true;
      this.acknowledge();
      this.link.control(encode('BYE', { last: this.sender.next - 1 }));
    }
  }

  private acknowledge(): void {
    if (this.state === 'attached') this.link?.control(encode('ACK', { next: this.receiver.tell() }));
  }

  /** Tells the owner of a deadline that was not there before. */
  private arm(before: number): void {
    if (this.receiver.dueAt < before && this.link !== undefined) this.owner.wake(this.receiver.dueAt);
  }

  /** Writes from the cursor on, as long as the socket takes it. */
  private pump(): void {
    const { sender } = this;
    while (this.flowing && sender.cursor < sender.next) {
      const number = sender.cursor;
      this.flowing = (this.link as SessionLink).data(number, sender.step());
    }
  }
}
