/** Messages both ways, over whatever socket there is: the hot half of a session. What becomes of sockets is session.ts. */
import { NinjaTcpError } from '../../errors.js';
import { viewOf } from '../../framing/view.js';
import type { Budget } from './budget.js';
import { encodeNext, readDataHead } from './frames.js';
import { DATA, DATA_HEAD, HEADERS } from './layouts.js';
import type { SessionKeeper, SessionLink, SessionOptions, SessionOwner, SessionState, Window } from './ports.js';
import { Receiver } from './receiver.js';
import { NO_WINDOW, Sender } from './sender.js';
import { malformed, readU32 } from './wire.js';

export abstract class Exchange {
  state: SessionState = 'fresh';
  /** Attached, and the socket takes more: a message that is sent now goes out at once, or when the store has it. To be read only. */
  flowing = false;
  /** Frames of sockets that had been replaced, and were dropped. */
  fenced = 0;
  readonly sender: Sender;
  readonly receiver: Receiver;
  /** Who writes it into a store, where there is one: nothing is sent, nor told as handled, before the store knows it. */
  keeper: SessionKeeper | undefined;
  protected link: SessionLink | undefined;
  /** The longest message that the other side takes. */
  protected longest = 0;
  /** No more will be sent. */
  protected finishing = false;
  /** No more will come. */
  protected byeHeard = false;
  /** Somebody was told that there is no room. */
  protected awaited = false;
  /** When the owner was asked to call `tick`, which it has not done yet; Infinity for not at all. */
  protected wokenAt = Number.POSITIVE_INFINITY;

  constructor(
    protected readonly options: SessionOptions,
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

  /** All of this side up to this number is handled; 0 for nothing yet. */
  get acknowledgedUpTo(): number {
    return this.sender.first - 1;
  }

  /** Messages that are kept, since nobody has said that they are handled. */
  get retainedMessages(): number {
    return this.sender.messages;
  }

  get retainedBytes(): number {
    return this.sender.bytes;
  }

  /** Bytes of some of these messages. */
  retainedBytesOf(from: number, to: number): number {
    return this.sender.bytesOf(from, to);
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
    const { sender } = this;
    const { length } = payload;
    if (length > this.longest) this.refuse(length);
    if (!sender.hasRoom(length)) {
      this.awaited = true;
      return 0;
    }
    const number = sender.push(payload);
    if (this.flowing && sender.cursor === number && number < sender.storedNext) {
      // As nearly always: nothing is before it. The same as `pump` does, with less ado.
      sender.advance();
      this.flowing = (this.link as SessionLink).data(number, payload);
    } else {
      this.pump();
    }
    return number;
  }

  private refuse(length: number): never {
    throw new NinjaTcpError(
      'NINJA_INVALID_MESSAGE',
      `a message must have at most ${this.longest} bytes, since the other side takes no longer ones, got ${length}`,
    );
  }

  /** Whether a message may be sent now, to be written at once; where not, `owner.room()` tells when to come again. */
  roomFor(length: number): boolean {
    if (!this.flowing || this.finishing) return false;
    if (this.sender.hasRoom(length)) return true;
    this.awaited = true;
    return false;
  }

  /** How much of the window is taken by what is kept: 1 for all of it; 0 where no window is known yet. */
  get fill(): number {
    return this.sender.fill;
  }

  /** How much may be sent without a look at `roomFor`; another session of the same budget may still take it away. */
  get free(): Window {
    return this.flowing && !this.finishing ? this.sender.free : NO_WINDOW;
  }

  /** @throws NinjaTcpError `NINJA_INVALID_MESSAGE` where the other side has said that it takes none so long */
  demandLength(length: number): void {
    if (this.longest > 0 && length > this.longest) this.refuse(length);
  }

  /** The socket takes more, having said that it does not. */
  writable(link: SessionLink): void {
    if (link !== this.link) return;
    this.flowing = true;
    this.pump();
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
    while (end - place >= HEADERS && link === this.link && this.state === 'attached' && !this.byeHeard) {
      const length = readU32(chunk, place) - DATA_HEAD;
      const next = place + HEADERS + length;
      if (next > end || length < 0 || length > options.maxFrame) break;
      if (chunk[place + 4] !== DATA || chunk[place + 5] !== 0 || !receiver.expects(readU32(chunk, place + 6))) break;
      const message = viewOf(memory, base + place, length);
      const number = receiver.add(length);
      place = next;
      const done = owner.deliver(message, number);
      if (done ? acknowledge !== 'manual' : acknowledge === 'received') this.settle(number, now);
    }
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
    this.owed(now >= this.receiver.dueAt);
  }

  /** The other side has said how long its messages may be, and how much it takes. */
  protected agree(longest: number, window: Window): void {
    this.longest = longest;
    this.sender.limit(window);
    this.receiver.pace(window);
  }

  /** A frame of a socket that is not attached. */
  protected abstract greeted(link: SessionLink, frame: Buffer, now: number): void;

  /** A frame of an established session other than DATA. */
  protected abstract control(frame: Buffer): void;

  /** A rule was broken: this socket is of no use any more. */
  protected abstract fail(link: SessionLink, error: NinjaTcpError, now: number): void;

  /** Nothing happens for now: memory for what may come is given back. */
  protected rest(): void {
    this.sender.rest();
    this.receiver.rest();
  }

  protected acknowledge(): void {
    if (this.state === 'attached') this.link?.control(encodeNext('ACK', this.receiver.tell()));
  }

  /** Writes from the cursor on, as long as the socket takes it. */
  protected pump(): void {
    const { sender } = this;
    const end = Math.min(sender.next, sender.storedNext);
    while (this.flowing && sender.cursor < end) {
      const number = sender.cursor;
      this.flowing = (this.link as SessionLink).data(number, sender.step());
    }
    if (end < sender.next) this.keeper?.changed();
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
