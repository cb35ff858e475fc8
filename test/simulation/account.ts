import type { Dropped, Loss, Range } from '../../src/index.js';
import { isPayload, payloadFor } from './messages.js';

const UNTOLD = 0;
const UNKNOWN = 1;
const DROPPED = 2;
const WORDS = ['not told', 'unknown', 'dropped'] as const;

export type Fail = (what: string) => void;

/** The books of one sender: what was accepted, what was told of it, and what arrived. Kept apart from the library's. */
export class Account {
  /** By number, from 1. */
  private readonly sizes: number[] = [0];
  private readonly told: number[] = [UNTOLD];
  private readonly arrived: boolean[] = [true];
  delivered = 0;
  /** What the last lost line left unknown. */
  private lastUnknown: Range | undefined;
  private toldCount = 0;
  private lowest = 1;
  readonly streams: Stream[] = [];

  constructor(
    readonly name: string,
    readonly tag: number,
    readonly fail: Fail,
  ) {}

  get accepted(): number {
    return this.sizes.length - 1;
  }

  /** The payload of the message that would be accepted next. */
  next(size: number): Buffer {
    return payloadFor(this.tag, this.sizes.length, size);
  }

  accept(size: number): void {
    this.sizes.push(size);
    this.told.push(UNTOLD);
    this.arrived.push(false);
  }

  /** Takes the last one back: the library refused it. */
  refuse(): void {
    this.sizes.pop();
    this.told.pop();
    this.arrived.pop();
  }

  /** A fresh socket: the first message on it is the lowest of which nothing was told. */
  begin(epoch: number): Stream {
    const stream = new Stream(this, epoch, this.lowestUntold() - 1);
    this.streams.push(stream);
    this.lastUnknown = undefined;
    return stream;
  }

  drop(dropped: Dropped): void {
    this.tell(dropped, DROPPED);
  }

  /** A line was lost; what was held is compared with the books. */
  lose(epoch: number, loss: Loss): void {
    const { unknown, held } = loss;
    if (loss.unflushed < 0 || loss.unflushed > (unknown?.messages ?? 0)) {
      this.fail(`${this.name}: ${loss.unflushed} unflushed of ${unknown?.messages ?? 0} unknown`);
    }
    if (unknown) {
      this.lastUnknown = unknown;
      this.tell(unknown, UNKNOWN);
    }
    for (const stream of this.streams) if (stream.epoch === epoch) stream.over(unknown);
    const heldCount = held?.messages ?? 0;
    if (this.toldCount + heldCount !== this.accepted) {
      this.fail(`${this.name}: ${this.toldCount} told and ${heldCount} held, of ${this.accepted} accepted`);
    }
    if (held) this.checkRange(held, 'held', UNTOLD);
  }

  /** Everything that was accepted was told of: nothing is lost in silence. */
  settle(when: string): void {
    const untold = this.lowestUntold();
    if (untold <= this.accepted)
      this.fail(`${this.name}: message ${untold} of ${this.accepted} was not told of, ${when}`);
  }

  /** The last line was closed while all was well: what was written to it is unknown by the rule, and did arrive. */
  parted(): void {
    const { from, to } = this.lastUnknown ?? { from: 1, to: 0 };
    for (let number = from; number <= to; number += 1) {
      if (this.told[number] !== UNKNOWN || this.arrived[number]) continue;
      this.fail(`${this.name}: message ${number} was written before close() in a healthy network, and never arrived`);
      return;
    }
  }

  /** Whether everything that was not told of has arrived. */
  get settled(): boolean {
    for (let number = this.lowestUntold(); number <= this.accepted; number += 1) {
      if (this.told[number] === UNTOLD && !this.arrived[number]) return false;
    }
    return true;
  }

  wasDropped(number: number): boolean {
    return this.told[number] === DROPPED;
  }

  matches(message: Buffer, number: number): boolean {
    return number <= this.accepted && isPayload(message, this.tag, number, this.sizes[number] as number);
  }

  arrive(number: number): void {
    if (this.arrived[number]) this.fail(`${this.name}: message ${number} was delivered twice`);
    this.arrived[number] = true;
    this.delivered += 1;
  }

  /** Which message this is, for the words of a failure. */
  identify(message: Buffer): string {
    for (let number = 1; number <= this.accepted; number += 1) if (this.matches(message, number)) return `${number}`;
    return `no message (${message.length} bytes: ${message.subarray(0, 24).toString('hex')})`;
  }

  private lowestUntold(): number {
    while (this.lowest <= this.accepted && this.told[this.lowest] !== UNTOLD) this.lowest += 1;
    return this.lowest;
  }

  private tell(range: Range, what: typeof UNKNOWN | typeof DROPPED): void {
    this.checkRange(range, WORDS[what], UNTOLD);
    for (let number = range.from; number <= Math.min(range.to, this.accepted); number += 1) {
      if (this.told[number] !== UNTOLD) continue;
      if (what === DROPPED && this.arrived[number]) this.fail(`${this.name}: ${number} was dropped, and had arrived`);
      this.told[number] = what;
      this.toldCount += 1;
    }
  }

  /** Neighbours that were dropped may lie in between; all others have to be of the wanted kind. */
  private checkRange(range: Range, word: string, wanted: number): void {
    let messages = 0;
    let bytes = 0;
    for (let number = range.from; number <= range.to; number += 1) {
      const told = this.told[number];
      if (told === DROPPED && number !== range.from && number !== range.to) continue;
      if (told !== wanted) {
        const before = told === undefined ? 'never accepted' : (WORDS[told] as string);
        this.fail(`${this.name}: ${number} is ${word} now, and was ${before}`);
        return;
      }
      messages += 1;
      bytes += this.sizes[number] as number;
    }
    if (messages === range.messages && bytes === range.bytes) return;
    this.fail(
      `${this.name}: ${word} ${range.from}-${range.to} told ${range.messages} messages, ${range.bytes} bytes; the books have ${messages}, ${bytes}`,
    );
  }
}

/** What arrives over one socket: exactly the messages that were written on it, from the first, each once and in order. */
export class Stream {
  private range: Range | undefined;
  private isOver = false;
  private last: number;

  /** @param start the number before the first that may come */
  constructor(
    readonly account: Account,
    readonly epoch: number,
    private readonly start: number,
  ) {
    this.last = start;
  }

  /** A message arrived; gives its number. */
  take(message: Buffer): number {
    const { account } = this;
    let number = this.last + 1;
    while (account.wasDropped(number)) number += 1;
    const where = `${account.name}, epoch ${this.epoch}`;
    if (!account.matches(message, number)) {
      account.fail(`${where}: message ${number} is due, and what came is ${account.identify(message)}`);
      return number;
    }
    this.last = number;
    account.arrive(number);
    if (this.isOver && (!this.range || number > this.range.to || number < this.range.from)) {
      account.fail(`${where}: ${number} arrived, and was not reported as unknown`);
    }
    return number;
  }

  /** Its line was lost. Told once: a connection that is disposed later has nothing new to say of it. */
  over(range: Range | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.range = range;
    if (this.last > this.start && (!range || this.last > range.to)) {
      this.account.fail(`${this.account.name}, epoch ${this.epoch}: ${this.last} had arrived, and is not in unknown`);
    }
  }
}
