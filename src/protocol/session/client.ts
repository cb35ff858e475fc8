import { NinjaTcpError } from '../../errors.js';
import { decode, encode } from './frames.js';
import { KeptSession } from './kept.js';
import { isSealed, type Keys, NO_NONCE, NO_SECRET, type SessionCrypto, seal } from './keys.js';
import { type FrameOf, layouts, refusalCodes, refusalName, VERSION } from './layouts.js';
import type { SessionHead, SessionLink, SessionOptions, SessionOwner, SessionRecord } from './ports.js';
import { malformed, type Tlv } from './wire.js';

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
/**
 * A store has to know an epoch before it is used, so that none is used twice: it is told so many at once, and again when
 * half of them are used.
 */
const EPOCHS_AHEAD = 16;
/** What may be answered to a HELLO or a RESUME. */
const answers = new Set<number | undefined>([layouts.WELCOME.type, layouts.RESUMED.type, layouts.REFUSED.type]);

const NO_KEYS: Keys = { sessionId: new Uint8Array(16), secret: NO_SECRET };

/** The client's side. Each socket that is opened for it goes to `open`, until the session has ended. */
export class ClientSession extends KeptSession {
  /** Made anew for each session: the server tells by it that a HELLO came before. */
  private instance: Uint8Array;
  private established = false;
  /** Of the RESUME under way. */
  private resumeNonce: Uint8Array = NO_NONCE;
  protected override keys: Keys = NO_KEYS;
  /** Refusals in a row that nobody vouched for. */
  private doubtful = 0;
  /** Epochs up to this one are to be known to the store. */
  private ahead = 0;
  /** What is to be said on a socket that is open, and of which the store has to know first. */
  private unasked: readonly Tlv[] | undefined;
  /** It came out of a store. */
  private restored = false;

  /** @param record what a store has of it: it goes on there */
  constructor(
    protected override readonly options: ClientOptions,
    crypto: SessionCrypto,
    owner: SessionOwner,
    record?: SessionRecord,
  ) {
    super(options, crypto, owner);
    this.instance = record?.head.clientInstance ?? crypto.random(16);
    if (record) this.goOn(record);
  }

  private goOn(record: SessionRecord): void {
    const { sessionId, secret } = record.head;
    this.keys = { sessionId, secret };
    this.restore(record);
    this.restored = true;
    this.ahead = record.epoch;
    this.established = record.head.longest > 0;
    if (this.established) this.state = 'detached';
  }

  override head(): SessionHead {
    const { keys, instance: clientInstance, longest, sender } = this;
    return { ...keys, clientInstance, longest, window: sender.window, principal: '', secure: false, granted: 0 };
  }

  protected override get reserved(): number {
    return this.ahead;
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
    this.unasked = tlvs;
    this.proceed();
  }

  protected override proceed(): void {
    const { link, unasked } = this;
    if (!link || !unasked) return;
    if (!this.isKnown || (this.established && !this.mayUse(this.epoch + 1))) {
      this.keeper?.changed();
      return;
    }
    this.unasked = undefined;
    if (this.established) this.askAgain(link, unasked);
    else this.ask(link, unasked);
  }

  /** Whether the store knows that this epoch may be in use; takes care that the next ones will be known in time. */
  private mayUse(epoch: number): boolean {
    if (!this.keeper) return true;
    if (this.ahead - epoch < EPOCHS_AHEAD / 2) {
      this.ahead = epoch + EPOCHS_AHEAD;
      this.keeper.changed();
    }
    return epoch <= this.knownEpoch;
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
    this.unasked = undefined;
    if (this.state === 'establishing') this.state = 'fresh';
  }

  protected override greeted(link: SessionLink, bytes: Buffer, now: number): void {
    const frame = answers.has(bytes[0]) && !this.unasked ? decode(bytes) : undefined;
    if (frame?.name === 'REFUSED') this.refusedBy(link, frame, bytes, now);
    else if (frame?.name === 'WELCOME' && !this.established) this.welcomed(link, frame);
    else if (frame?.name === 'RESUMED' && this.established) this.resumed(link, frame, bytes, now);
    else this.notAPeer(link, bytes, now);
  }

  private welcomed(link: SessionLink, frame: FrameOf<'WELCOME'>): void {
    if (frame.version !== VERSION) malformed('WELCOME', `version must be ${VERSION}, as asked for`, frame.version);
    this.established = true;
    this.keys = { sessionId: frame.sessionId, secret: frame.secret };
    this.epoch = frame.epoch;
    this.agree(frame.maxFrame, { bytes: frame.windowBytes, messages: frame.windowMessages });
    this.doubtful = 0;
    this.restored = false;
    this.identity += 1;
    this.ahead = this.epoch + EPOCHS_AHEAD;
    this.attach(link, 1, false);
    this.keeper?.changed();
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
    else if (this.leftInPeace && this.established) this.end({ how: 'closed' });
    else if (this.unused && this.isGone(frame.code)) this.beginAnew(code);
    // Only another process with the same store can have been further.
    else if (vouched && this.keeper && frame.code === refusalCodes.STALE_EPOCH) this.takenOver();
    else this.end({ how: 'lost', code, ...this.sender.standing() });
  }

  /** Whether the server has no such session any more; before it was answered, a process that was restarted hears it so. */
  private isGone(code: number): boolean {
    return this.established ? code <= refusalCodes.EXPIRED : this.restored && code === refusalCodes.STALE_EPOCH;
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
    this.restored = false;
    this.instance = this.crypto.random(16);
    this.longest = 0;
    this.identity += 1;
    this.state = 'fresh';
    this.keeper?.changed();
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
