/** What both sides of a session have in common: its life over successive sockets. See index.ts for how it is driven. */
import type { NinjaTcpError } from '../../errors.js';
import type { Budget } from './budget.js';
import { Exchange } from './exchange.js';
import { decode, encode, encodeNext, readAck } from './frames.js';
import type { Keys, SessionCrypto } from './keys.js';
import type { Frame, FrameOf } from './layouts.js';
import type { SessionEnd, SessionLink, SessionOptions, SessionOwner } from './ports.js';
import { illegality, type Reach } from './reach.js';
import { malformed } from './wire.js';

export abstract class Session extends Exchange {
  /** The number of the socket in this session, from 1. */
  epoch = 0;
  protected abstract keys: Keys;
  private draining = false;
  private byeSent = false;
  /** The owner was told that the other side leaves. */
  private left = false;
  /** Of the last PING. */
  private nonce = 0;
  /** Of the last PONG; what was asked on another socket counts as answered. */
  private answered = 0;

  constructor(
    options: SessionOptions,
    protected readonly crypto: SessionCrypto,
    owner: SessionOwner,
    budget?: Budget,
  ) {
    super(options, owner, budget);
  }

  /** Its id; undefined before there is a session. Without TLS whoever knows it may take it over. */
  get sessionId(): Uint8Array | undefined {
    return this.longest > 0 ? this.keys.sessionId : undefined;
  }

  /**
   * The frame to be written whenever nothing else was for the other side's patience: a sign of life, and an
   * acknowledgement too. Whoever takes it has to write it.
   *
   * @returns undefined where it has no socket, or is not established yet
   */
  signOfLife(): Buffer | undefined {
    if (this.state !== 'attached') return undefined;
    this.rest();
    this.nonce = (this.nonce + 1) >>> 0;
    return encodeNext('PING', this.receiver.tell(), this.nonce);
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

  /** It has no socket now. */
  protected detach(_now: number): void {
    this.link = undefined;
    this.flowing = false;
    if (this.state === 'attached') {
      this.state = 'detached';
      this.rest();
      this.owner.detached();
    }
  }

  /** The handshake is over. `peerNext` is what the other side expects. */
  protected attach(link: SessionLink, peerNext: number, resumed: boolean): void {
    this.link = link;
    this.state = 'attached';
    this.flowing = true;
    this.wokenAt = Number.POSITIVE_INFINITY;
    // The other side says goodbye again on each socket; one that was restarted may have changed its mind.
    this.byeSent = false;
    this.byeHeard = false;
    this.answered = this.nonce;
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

  protected override fail(link: SessionLink, error: NinjaTcpError, now: number): void {
    this.detach(now);
    link.drop(error);
  }

  /** Whether a resume would be illegal: `undefined` where the other side is where it can go on, both ways. */
  protected illegality(reach: Reach): 'HISTORY_LOST' | 'SEQ_AHEAD' | undefined {
    const { sender, receiver } = this;
    return illegality({ received: receiver.next, first: sender.first, sent: sender.sentNext }, reach);
  }

  /** @param why told to its socket, where that is no matter of course */
  protected end(end: SessionEnd, why?: NinjaTcpError): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    const { link } = this;
    this.link = undefined;
    this.flowing = false;
    if (end.how === 'closed') link?.end();
    else link?.drop(why);
    this.keeper?.ended(end);
    this.owner.ended(end);
    this.sender.clear();
  }

  /** All of this side is handled, and no more will come: what the other side knows of it no longer matters. */
  protected get leftInPeace(): boolean {
    return this.finishing && this.sender.first === this.sender.next;
  }

  protected override control(bytes: Buffer): void {
    const next = readAck(bytes);
    if (next > 0) this.acknowledged('ACK', next);
    else this.obey(decode(bytes));
  }

  private obey(frame: Frame): void {
    switch (frame.name) {
      case 'PONG':
        this.answer(frame.nonce);
        this.acknowledged(frame.name, frame.next);
        return;
      case 'PING':
        this.acknowledged(frame.name, frame.next);
        this.rest();
        this.link?.control(encodeNext('PONG', this.receiver.tell(), frame.nonce));
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

  private answer(nonce: number): void {
    // Nonces begin anew behind 2^32 - 1.
    const asked = (this.nonce - this.answered) >>> 0;
    const ahead = (nonce - this.answered) >>> 0;
    if (ahead === 0 || ahead > asked) malformed('PONG', 'nonce must be that of a PING that was not answered', nonce);
    this.answered = nonce;
  }

  private acknowledged(frame: string, next: number): void {
    if (!this.sender.acknowledge(frame, next)) return;
    this.keeper?.changed();
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
    this.byeHeard = true;
    if (!this.left) this.owner.leaving();
    this.left = true;
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
}
