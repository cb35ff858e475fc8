import { NinjaTcpError } from '../../errors.js';
import { decode, encode } from './frames.js';
import { isSealed, NO_NONCE, type SessionCrypto, seal } from './keys.js';
import { type FrameOf, layouts, refusalCodes, refusalName, VERSION } from './layouts.js';
import type { SessionLink, SessionOptions, SessionOwner } from './ports.js';
import { Session } from './session.js';
import type { Tlv } from './wire.js';

export interface ClientOptions extends SessionOptions {
  /** How many endpoints there are to try before a session is given up that nobody vouches to be lost. */
  readonly endpoints: number;
}

/** Refusals after which a session cannot be resumed anywhere. */
const terminal = new Set<number>([
  refusalCodes.UNKNOWN,
  refusalCodes.EXPIRED,
  refusalCodes.HISTORY_LOST,
  refusalCodes.SEQ_AHEAD,
  refusalCodes.BAD_MAC,
  refusalCodes.STALE_EPOCH,
  refusalCodes.PRINCIPAL,
  refusalCodes.VERSION,
]);
/** What may be answered to a HELLO or a RESUME. */
const answers = new Set<number | undefined>([layouts.WELCOME.type, layouts.RESUMED.type, layouts.REFUSED.type]);

/** The client's side. Each socket that is opened for it goes to `open`, until the session has ended. */
export class ClientSession extends Session {
  /** Made anew for each session: the server tells by it that a HELLO came before. */
  private instance: Uint8Array;
  private established = false;
  /** Of the RESUME under way. */
  private resumeNonce: Uint8Array = NO_NONCE;
  /** Refusals in a row that nobody vouched for. */
  private doubtful = 0;

  constructor(
    protected override readonly options: ClientOptions,
    crypto: SessionCrypto,
    owner: SessionOwner,
  ) {
    super(options, crypto, owner);
    this.instance = crypto.random(16);
  }

  /** A socket is open: asks for a session, or for this one again. `tlvs` are the application's, for `authenticate`. */
  open(link: SessionLink, tlvs: readonly Tlv[], now: number): void {
    if (this.state === 'ended') return;
    const old = this.link;
    if (old) {
      this.detach(now);
      old.drop(undefined);
    }
    this.link = link;
    if (this.established) this.askAgain(link, tlvs);
    else this.ask(link, tlvs);
  }

  private ask(link: SessionLink, tlvs: readonly Tlv[]): void {
    const { maxFrame, window, heartbeatMs, resumeMs } = this.options;
    this.state = 'establishing';
    link.control(
      encode('HELLO', {
        verMin: VERSION,
        verMax: VERSION,
        maxFrame,
        windowBytes: window.bytes,
        windowMessages: window.messages,
        heartbeatMs,
        resumeMs,
        clientInstance: this.instance,
        tlvs,
      }),
    );
  }

  private askAgain(link: SessionLink, tlvs: readonly Tlv[]): void {
    const { sender, receiver, keys } = this;
    this.epoch += 1;
    this.resumeNonce = this.crypto.random(16);
    const bytes = encode('RESUME', {
      version: VERSION,
      sessionId: keys.sessionId,
      epoch: this.epoch,
      rxNext: receiver.next,
      txFirst: sender.first,
      txNext: sender.sentNext,
      nonce: this.resumeNonce,
      tlvs,
    });
    link.control(seal(this.crypto, 'RESUME', keys, this.resumeNonce, bytes));
  }

  protected override detach(now: number): void {
    super.detach(now);
    if (this.state === 'establishing') this.state = 'fresh';
  }

  protected override greeted(link: SessionLink, bytes: Buffer, now: number): void {
    const frame = answers.has(bytes[0]) ? decode(bytes) : undefined;
    if (frame?.name === 'REFUSED') this.refusedBy(link, frame, bytes, now);
    else if (frame?.name === 'WELCOME' && !this.established) this.welcomed(link, frame);
    else if (frame?.name === 'RESUMED' && this.established) this.resumed(link, frame, bytes, now);
    else this.notAPeer(link, bytes, now);
  }

  private welcomed(link: SessionLink, frame: FrameOf<'WELCOME'>): void {
    this.established = true;
    this.keys = { sessionId: frame.sessionId, secret: frame.secret };
    this.epoch = frame.epoch;
    this.longest = frame.maxFrame;
    this.sender.limit({ bytes: frame.windowBytes, messages: frame.windowMessages });
    this.doubtful = 0;
    this.attach(link, 1, false);
  }

  private resumed(link: SessionLink, frame: FrameOf<'RESUMED'>, bytes: Buffer, now: number): void {
    if (!isSealed(this.crypto, 'RESUMED', this.keys, this.resumeNonce, bytes)) {
      this.fail(link, new NinjaTcpError('NINJA_PROTOCOL', 'session frame RESUMED: its MAC is wrong'), now);
      return;
    }
    const code = this.illegality(frame);
    if (code) {
      this.end({ how: 'lost', code, ...this.sender.standing() });
      return;
    }
    this.doubtful = 0;
    this.attach(link, frame.rxNext, true);
  }

  private refusedBy(link: SessionLink, frame: FrameOf<'REFUSED'>, bytes: Buffer, now: number): void {
    const vouched =
      frame.mac !== undefined &&
      this.established &&
      this.crypto.equal(frame.nonce, this.resumeNonce) &&
      isSealed(this.crypto, 'REFUSED', this.keys, this.resumeNonce, bytes);
    const code = refusalName(frame.code);
    if (vouched) this.believe(frame.lastHandled);
    const final = terminal.has(frame.code) || frame.retryable === 0;
    if (final && !vouched) this.doubtful += 1;
    // Nobody vouches for it: perhaps a balancer chose the wrong backend. Each endpoint is tried once.
    const over = final && (vouched || this.doubtful >= this.options.endpoints);
    this.detach(now);
    link.drop(undefined);
    if (!over) this.owner.refused({ code, retryAfterMs: frame.retryAfterMs });
    else if (this.established && this.unused && frame.code <= refusalCodes.EXPIRED) this.beginAnew(code);
    else if (this.leftInPeace && this.established) this.end({ how: 'closed' });
    else this.end({ how: 'lost', code, ...this.sender.standing() });
  }

  /** How far the server came, under its MAC. */
  private believe(lastHandled: number): void {
    if (lastHandled >= this.sender.sentNext) return;
    if (this.sender.release(lastHandled + 1)) this.owner.acknowledged(lastHandled);
  }

  /** Nothing was carried, so nothing is lost by another session. */
  private beginAnew(code: string): void {
    this.established = false;
    this.doubtful = 0;
    this.instance = this.crypto.random(16);
    this.state = 'fresh';
    this.owner.refused({ code, retryAfterMs: 0 });
  }

  private notAPeer(link: SessionLink, bytes: Buffer, now: number): void {
    const first = bytes.toString('hex', 0, 16).replace(/(..)(?=.)/g, '$1 ');
    this.detach(now);
    link.drop(
      new NinjaTcpError('NINJA_NOT_A_PEER', `the other side speaks no sessions: its first frame begins with ${first}`),
    );
  }
}
