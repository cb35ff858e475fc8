import type { Dropped, Loss, NinjaTcpError, Range } from '../../../src/index.js';
import type { SessionLost } from '../../../src/line/session-host.js';
import { payloadFor } from './payload.js';

/** What is known of one message, in bits. */
const ARRIVED = 1;
const HANDLED = 2;
const DROPPED = 4;
const UNKNOWN = 8;
const NOT_SENT = 16;
/** The receiver's process had taken it, and died before its program saw it. */
const BURIED = 32;
/** It will not be told of again. */
const TOLD = DROPPED | UNKNOWN | NOT_SENT | BURIED;

const words = (flags: number): string =>
  [
    [ARRIVED, 'arrived'],
    [HANDLED, 'handled'],
    [DROPPED, 'told as dropped'],
    [UNKNOWN, 'told as unknown'],
    [NOT_SENT, 'told as not sent'],
    [BURIED, 'taken by a process that died'],
  ]
    .filter(([flag]) => flags & (flag as number))
    .map(([, word]) => word)
    .join(' and ') || 'under way';

/** Words of `deliver()` that say that a message may have come through. */
export type Outcome = 'handled' | NonNullable<NinjaTcpError['outcome']>;

/** The books of one sender, a connection or a peer: what it sent, what it was told, what arrived. Kept apart from the library's. */
export class Book {
  private readonly sizes: number[] = [0];
  private readonly flags: number[] = [TOLD];
  arrived = 0;
  confirmed = 0;
  lost = 0;
  dropped = 0;
  /** Below, all is told or handled. */
  private open = 1;
  /** Up to here all is handled, as sessions that are lost have said. */
  private believed = 0;

  constructor(
    readonly name: string,
    readonly tag: number,
    /** Whether the other side says that it has handled a message before its program has seen it. */
    readonly early: boolean,
    private readonly complain: (what: string) => void,
  ) {}

  fail(what: string): void {
    this.complain(`${this.name}: ${what}`);
  }

  get accepted(): number {
    return this.sizes.length - 1;
  }

  // --- sending

  next(size: number): Buffer {
    return payloadFor(this.tag, this.sizes.length, size);
  }

  accept(size: number): number {
    this.sizes.push(size);
    this.flags.push(0);
    return this.accepted;
  }

  /** Takes the last one back: the library refused it. */
  refuse(): void {
    this.sizes.pop();
    if (this.flags.pop() !== 0) this.fail('a message that was refused was told of');
  }

  // --- arriving

  /** Told, arrived elsewhere, or never accepted: nobody waits for it any more. */
  isPast(number: number): boolean {
    return ((this.flags[number] as number) & (TOLD | ARRIVED)) !== 0;
  }

  arrive(number: number, size: number): void {
    const flags = this.flags[number];
    if (flags === undefined) {
      this.fail(`message ${number} arrived, and only ${this.accepted} were accepted`);
      return;
    }
    if (this.sizes[number] !== size) this.fail(`message ${number} arrived with ${size} bytes`);
    if (flags & ~UNKNOWN) this.fail(`message ${number} arrived, and was ${words(flags)}`);
    this.flags[number] = flags | ARRIVED;
    this.arrived += 1;
  }

  /** The receiver's program is done with it. */
  handle(number: number): void {
    this.flags[number] = (this.flags[number] as number) | HANDLED;
  }

  // --- what the library tells

  /** What `deliver()` came to. */
  outcome(number: number, outcome: Outcome, code: string | undefined): void {
    const flags = this.flags[number] as number;
    if (outcome === 'handled') {
      this.confirmed += 1;
      if (!this.early && !(flags & HANDLED))
        this.fail(`deliver() of ${number} says handled, and it was ${words(flags)}`);
      if (flags & TOLD & ~BURIED) this.fail(`deliver() of ${number} says handled, and it was ${words(flags)}`);
    } else if (outcome === 'notSent') {
      // The session's own event comes in the same turn, before or behind.
      if (flags & (ARRIVED | UNKNOWN))
        this.fail(`deliver() of ${number} says notSent, ${code}, and it was ${words(flags)}`);
      this.flags[number] = flags | NOT_SENT;
    } else if (outcome === 'unknown' && code !== 'NINJA_ABORTED') {
      if (flags & (DROPPED | NOT_SENT))
        this.fail(`deliver() of ${number} says unknown, ${code}, and it was ${words(flags)}`);
      this.flags[number] = flags | UNKNOWN;
    }
  }

  /** What `flush()` promised. */
  flushed(upTo: number): void {
    for (let number = this.firstOpen(); number <= upTo && !this.early; number += 1) {
      if (!this.isSettled(number)) {
        this.fail(
          `flush() says that all is settled, and ${number} of ${upTo} was ${words(this.flags[number] as number)}`,
        );
        return;
      }
    }
  }

  drop(range: Dropped): void {
    this.dropped += range.messages;
    this.tell(range, DROPPED);
  }

  /** A line or a life is over: what is held is the program's still. */
  lose(_epoch: number, { unknown, held }: Loss): void {
    if (unknown) this.tell(unknown, UNKNOWN);
    if (!held) {
      if (!this.early && this.firstOpen() <= this.accepted)
        this.fail(`nothing is held, and ${this.firstOpen()} of ${this.accepted} is open`);
      return;
    }
    for (let number = this.firstOpen(); number < held.from && !this.early; number += 1) {
      if (!this.isSettled(number))
        this.fail(`held begins with ${held.from}, and ${number} was ${words(this.flags[number] as number)}`);
    }
    this.count(held, 'held');
  }

  /** A session is over, and this was said of its messages. */
  lostSession({ code, handledUpTo, unknown, notSent }: SessionLost): void {
    for (let number = this.firstOpen(); number <= handledUpTo; number += 1) {
      if (!this.isSettled(number) && !this.early) {
        this.fail(
          `lost (${code}) with all handled up to ${handledUpTo}, and ${number} was ${words(this.flags[number] as number)}`,
        );
      }
    }
    if (unknown && unknown.from <= handledUpTo)
      this.fail(`unknown from ${unknown.from}, and handled up to ${handledUpTo}`);
    if (notSent && unknown && notSent.from <= unknown.to)
      this.fail(`not sent from ${notSent.from}, unknown to ${unknown.to}`);
    this.believed = handledUpTo;
    if (unknown) this.tell(unknown, UNKNOWN);
    if (notSent) this.tell(notSent, NOT_SENT);
  }

  /** The receiver's process is dead. Who says so before the program has seen a message, may take it along. */
  bury(): void {
    for (let number = this.firstOpen(); number <= this.believed && this.early; number += 1) {
      if (!this.isSettled(number)) this.flags[number] = (this.flags[number] as number) | BURIED;
    }
  }

  /** Nothing more will be told: all has to be. @param died the receiver's process, with what it had read */
  settle(when: string, died: boolean): void {
    for (let number = this.firstOpen(); number <= this.accepted; number += 1) {
      if (this.isSettled(number) || (died && this.early)) continue;
      this.fail(`${number} of ${this.accepted} was ${words(this.flags[number] as number)}, ${when}`);
      return;
    }
  }

  /** Messages that somebody waits for. */
  get waiting(): number {
    let count = 0;
    for (let number = this.firstOpen(); number <= this.accepted; number += 1) if (!this.isSettled(number)) count += 1;
    return count;
  }

  /**
   * Compares with what the library keeps: none of those that are waited for may be forgotten.
   *
   * @param keeps in its outbox, and unacknowledged in its session
   */
  compare(keeps: number): void {
    if (!this.early && this.waiting > keeps) this.fail(`${this.waiting} messages are waited for, ${keeps} are kept`);
  }

  /** Whether nobody waits for anything. */
  get settled(): boolean {
    return this.firstOpen() > this.accepted;
  }

  /** What it waits for; undefined for nothing. */
  get waits(): string | undefined {
    const number = this.firstOpen();
    if (number > this.accepted) return undefined;
    return `${this.name}: ${number} of ${this.accepted} is ${words(this.flags[number] as number)}`;
  }

  private isSettled(number: number): boolean {
    return ((this.flags[number] as number) & (this.early ? TOLD | ARRIVED : TOLD | HANDLED)) !== 0;
  }

  private firstOpen(): number {
    while (this.open <= this.accepted && this.isSettled(this.open)) this.open += 1;
    return this.open;
  }

  private tell(range: Range, what: number): void {
    this.lost += what === DROPPED ? 0 : range.messages;
    for (let number = range.from; number <= range.to; number += 1) {
      const flags = this.flags[number];
      const isEnd = number === range.from || number === range.to;
      // Neighbours that were dropped before may lie in between.
      if (flags !== undefined && flags & DROPPED && !isEnd) continue;
      const wrong = flags === undefined || flags & TOLD & ~what || (what !== UNKNOWN && flags & ARRIVED);
      // Its deliver() may have said so a moment before.
      if (wrong && !(what === DROPPED && flags === NOT_SENT)) {
        this.fail(`${number} is ${words(what)}, and was ${flags === undefined ? 'never accepted' : words(flags)}`);
        return;
      }
      this.flags[number] = (flags as number) | what;
    }
    this.count(range, words(what));
  }

  /** Whether a range says how much it is. */
  private count(range: Range, word: string): void {
    let messages = 0;
    let bytes = 0;
    for (let number = range.from; number <= range.to; number += 1) {
      const flags = this.flags[number] as number;
      if (flags & (DROPPED | NOT_SENT) && word === 'held') continue;
      if (flags & DROPPED && word !== words(DROPPED)) continue;
      messages += 1;
      bytes += this.sizes[number] as number;
    }
    if (messages === range.messages && bytes === range.bytes) return;
    const told = `${range.messages} messages, ${range.bytes} bytes`;
    this.fail(`${word} ${range.from}-${range.to} is ${told}; the books have ${messages}, ${bytes}`);
  }
}

/** What arrives in one session: each message once, in order, none left out. */
export class Reception {
  private last: number | undefined;

  constructor(readonly book: Book) {}

  take(number: number, size: number): void {
    const { book, last } = this;
    if (last !== undefined && number <= last) book.fail(`message ${number} arrived behind ${last}`);
    for (let between = (last ?? 0) + 1; between < number; between += 1) {
      if (book.isPast(between) || (last === undefined && book.early)) continue;
      book.fail(`message ${number} arrived behind ${last ?? 'nothing'}, and ${between} is missing`);
      break;
    }
    this.last = number;
    book.arrive(number, size);
  }
}
