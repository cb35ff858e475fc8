/** Messages that come, over whatever socket there is: the receiving half of what is hot in a session. */
import { NinjaTcpError } from '../../errors.js';
import { viewOf } from '../../framing/view.js';
import { encodeNext, readDataHead } from './frames.js';
import { DATA, DATA_HEAD, HEADERS } from './layouts.js';
import type { SessionLink, SessionOptions, SessionOwner, SessionState } from './ports.js';
import { Receiver } from './receiver.js';
import { malformed, readU32 } from './wire.js';

export abstract class Intake {
  state: SessionState = 'fresh';
  /** Frames of sockets that had been replaced, and were dropped. */
  fenced = 0;
  readonly receiver: Receiver;
  protected link: SessionLink | undefined;
  /** No more will come. */
  protected byeHeard = false;
  /** When the owner was asked to call `tick`, which it has not done yet; Infinity for not at all. */
  protected wokenAt = Number.POSITIVE_INFINITY;

  constructor(
    protected readonly options: SessionOptions,
    public owner: SessionOwner,
  ) {
    this.receiver = new Receiver(options.window);
  }

  /** When `tick` is to be called at the latest, ms; Infinity for never. */
  get deadline(): number {
    return this.link === undefined ? Number.POSITIVE_INFINITY : this.receiver.dueAt;
  }

  /** One whole frame came from a socket; empty ones are legal, and mean nothing. */
  receive(link: SessionLink, frame: Buffer, now: number): void {
    this.receiveSpan(link, frame, 0, frame.length, frame.buffer, now);
  }

  /**
   * The same of a frame that lies in `source` from `start` on, as a `SpanDecoder` tells. One view is made, of the message:
   * to make one of the frame, and another one of that, takes longer than all the rest.
   *
   * @param memory `source.buffer`
   */
  receiveSpan(
    link: SessionLink,
    source: Uint8Array,
    start: number,
    length: number,
    memory: ArrayBufferLike,
    now: number,
  ): void {
    if (link !== this.link) {
      // Another socket took its place.
      this.fenced += 1;
      return;
    }
    if (this.state === 'attached' && length >= DATA_HEAD && source[start] === DATA && source[start + 1] === 0) {
      // Outside of `try`, where making a view takes 18 ns more.
      const message = viewOf(memory, source.byteOffset + start + DATA_HEAD, length - DATA_HEAD);
      const seq = readU32(source, start + 2);
      try {
        this.take(message, seq, now);
      } catch (error) {
        this.broke(link, error, now);
      }
    } else if (length > 0) {
      this.takeOther(link, viewOf(memory, source.byteOffset + start, length), now);
    }
  }

  /**
   * The same of all the messages in a row that lie whole in `chunk` from `at` on, each behind the 4 bytes of its length, as a
   * `SpanDecoder` asks: as long as each is the next one, and the program has done with those before it. Three quarters of
   * the time of `receiveSpan`, which is there for all else.
   *
   * @param memory `chunk.buffer`
   * @returns where the first frame begins that was not taken
   */
  receiveRun(
    link: SessionLink,
    chunk: Uint8Array,
    at: number,
    end: number,
    memory: ArrayBufferLike,
    now: number,
  ): number {
    const { receiver, owner, options } = this;
    const { acknowledge } = options;
    const base = chunk.byteOffset + HEADERS;
    let place = at;
    let due = false;
    let owed = 0;
    let owedBytes = 0;
    while (end - place >= HEADERS && link === this.link && this.state === 'attached' && !this.byeHeard) {
      const length = readU32(chunk, place) - DATA_HEAD;
      const next = place + HEADERS + length;
      if (next > end || length < 0 || length > options.maxFrame) break;
      if (chunk[place + 4] !== DATA || chunk[place + 5] !== 0 || !receiver.expects(readU32(chunk, place + 6))) break;
      const message = viewOf(memory, base + place, length);
      const number = receiver.add(length);
      place = next;
      const done = owner.deliver(message, number);
      if (done ? acknowledge === 'manual' : acknowledge !== 'received') continue;
      if (receiver.passLast(number)) {
        owed += 1;
        owedBytes += length;
      } else {
        due = receiver.settle(number, now) || due;
      }
    }
    // Once for all of them: nothing is written before their tick is over.
    if (owed > 0) due = receiver.owe(owedBytes, now, owed) || due;
    if (place > at) this.owed(due);
    return place;
  }

  /** The program has done with message `number`. For `acknowledge: 'manual'`, and for `'handled'` where it took time. */
  settle(number: number, now: number): void {
    if (this.state === 'ended') return;
    this.owed(this.receiver.settle(number, now));
  }

  /** To be called at `deadline`; earlier or later does no harm. */
  tick(now: number): void {
    this.wokenAt = Number.POSITIVE_INFINITY;
    this.receiver.pause();
    this.owed(this.receiver.isDue(now));
  }

  /** A frame of a socket that is not attached. */
  protected abstract greeted(link: SessionLink, frame: Buffer, now: number): void;

  /** A frame of an established session other than DATA. */
  protected abstract control(frame: Buffer): void;

  /** A rule was broken: this socket is of no use any more. */
  protected abstract fail(link: SessionLink, error: NinjaTcpError, now: number): void;

  protected acknowledge(): void {
    if (this.state === 'attached') this.link?.control(encodeNext('ACK', this.receiver.tell()));
  }

  private broke(link: SessionLink, error: unknown, now: number): void {
    if (!(error instanceof NinjaTcpError) || error.code !== 'NINJA_PROTOCOL') throw error;
    this.fail(link, error, now);
  }

  private takeOther(link: SessionLink, frame: Buffer, now: number): void {
    try {
      if (this.state !== 'attached') this.greeted(link, frame, now);
      // Tells what is wrong with it.
      else if (frame[0] === DATA) readDataHead(frame);
      else this.control(frame);
    } catch (error) {
      this.broke(link, error, now);
    }
  }

  private take(message: Buffer, seq: number, now: number): void {
    const number = this.receiver.accept(seq, message.length);
    if (number === 0) {
      // Told again, but not at once for each: the other side seems not to know.
      this.owed(this.receiver.owe(0, now));
      return;
    }
    if (this.byeHeard) malformed('DATA', 'none may follow BYE', number);
    const { maxFrame } = this.options;
    // Only where a handshake may be longer than a message does the framing let a longer one pass.
    if (message.length > maxFrame) malformed('DATA', `a message must have at most ${maxFrame} bytes`, message.length);
    const { acknowledge } = this.options;
    const done = this.owner.deliver(message, number);
    if (acknowledge === 'received' || (done && acknowledge === 'handled')) this.settle(number, now);
  }

  /** What is owed is acknowledged at once, or the owner is asked to come at the deadline, if it would not come before. */
  protected owed(atOnce: boolean): void {
    if (atOnce) this.acknowledge();
    else if (this.receiver.dueAt < this.wokenAt) this.askForTick();
  }

  private askForTick(): void {
    if (this.link === undefined) return;
    this.wokenAt = this.receiver.dueAt;
    this.owner.wake(this.wokenAt);
  }
}
