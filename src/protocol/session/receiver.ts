import type { SessionKeeper, Window } from './ports.js';
import { Ring } from './ring.js';
import { malformed } from './wire.js';

/** When at the latest handled messages are acknowledged, ms. */
const ACK_WITHIN = 25;
/** … and behind how many; behind a quarter of the window in any case. */
const ACK_BEHIND = 64;
/**
 * … but so long after the last time, ms: at full speed 64 messages take 50 µs, and a small write on a busy socket costs as
 * much as a hundred messages.
 */
const ACK_APART = 1;

/**
 * Takes numbers in order, and knows what is handled and what of that the other side was told.
 *
 * ```text
 *     told      handled     next
 * … 4 | 5  6  7  | 8  9  10  |
 *       owed       with the program
 * ```
 *
 * Where there is a store, what is handled is owed only when the store knows it, and told only then.
 */
export class Receiver {
  /** The number that is expected. */
  next = 1;
  /** Everything below is handled. */
  handled = 1;
  /** Everything below is handled, as far as the store knows; Infinity where there is none. */
  storedHandled = Number.POSITIVE_INFINITY;
  keeper: SessionKeeper | undefined;
  /** Messages that came again, and were dropped. */
  duplicates = 0;
  /** When what is owed is acknowledged at the latest; Infinity for nothing owed. */
  dueAt = Number.POSITIVE_INFINITY;
  private unhandledBytes = 0;
  /** Of what is handled, and the store does not know it. */
  private unstoredBytes = 0;
  private owedMessages = 0;
  private owedBytes = 0;
  private ackBytes = 0;
  private ackMessages = 0;
  private ackBehind = 0;
  /** When it was acknowledged last because it was due, ms. */
  private toldAt = Number.NEGATIVE_INFINITY;
  /** Of the message that came last: most are handled before another comes, and never see the ring. As in `lengths`. */
  private last = 0;
  /** Lengths of the others that are not handled; ~length of what is handled before its turn. */
  private readonly lengths = new Ring<number>(0);

  constructor(private readonly window: Window) {
    this.pace(window);
  }

  /**
   * The other side has said how much it takes, and keeps no more than that: where it is less than we take, what is owed is
   * told earlier, or it would stand still until the timer.
   */
  pace(theirs: Window): void {
    const { window } = this;
    this.ackBytes = Math.min(window.bytes, theirs.bytes) / 4;
    this.ackMessages = Math.max(1, Math.floor(Math.min(window.messages, theirs.messages) / 4));
    this.ackBehind = Math.min(ACK_BEHIND, this.ackMessages);
  }

  /**
   * A message came, with the lower half of its number.
   *
   * @returns its number; 0 where it is an old one, which is dropped
   * @throws NinjaTcpError `NINJA_PROTOCOL` where one is missing before it, or the window is exceeded
   */
  accept(seq: number, length: number): number {
    const number = this.next;
    const ahead = (seq - (number >>> 0)) | 0;
    if (ahead !== 0) return this.outOfTurn(seq, ahead);
    if (number > this.handled) this.pushDown(length);
    return this.add(length);
  }

  /** Whether this is the number of the next message, and the program has done with all before it: nothing else to be looked at. */
  expects(seq: number): boolean {
    return this.next === this.handled && seq === this.next >>> 0;
  }

  /** The next message came; gives its number. The caller has seen that it may. */
  add(length: number): number {
    const number = this.next;
    this.unhandledBytes += length;
    this.last = length;
    this.next = number + 1;
    return number;
  }

  /** The program has done with the message that `add` gave a number last, before another came; `owe` is to be called for it. */
  passLast(number: number): boolean {
    if (number !== this.handled || number !== this.next - 1 || this.keeper !== undefined) return false;
    this.handled = this.next;
    this.unhandledBytes -= this.last;
    return true;
  }

  private outOfTurn(seq: number, ahead: number): 0 {
    if (ahead > 0) malformed('DATA', `seq must be ${this.next >>> 0}, since the message before it is missing`, seq);
    this.duplicates += 1;
    return 0;
  }

  /** The message that came last makes room for another one, of `length` bytes, if the window has any. */
  private pushDown(length: number): void {
    const { next, handled, window } = this;
    const count = next - handled;
    const bytes = this.unhandledBytes + length;
    if (count >= window.messages || bytes > window.bytes) {
      const rule = `at most ${window.messages} messages of ${window.bytes} bytes may be unacknowledged`;
      malformed('DATA', rule, `${count + 1} of ${bytes} bytes`);
    }
    this.lengths.set(next - 1, this.last, handled);
  }

  /**
   * The program has done with a message, in any order; doing so twice does nothing.
   *
   * @returns whether what is owed should be acknowledged at once
   */
  settle(number: number, now: number): boolean {
    // As nearly always: it is the only one that the program has.
    if (number === this.handled && number === this.next - 1) return this.pass(this.last, now);
    return this.settleOneOfMany(number, now);
  }

  private settleOneOfMany(number: number, now: number): boolean {
    const { handled } = this;
    if (number < handled || number >= this.next) return false;
    if (number > handled) {
      this.settleEarly(number);
      return false;
    }
    let due = this.pass(this.lengthOf(number), now);
    while (this.handled < this.next && this.lengthOf(this.handled) < 0) {
      due = this.pass(~this.lengthOf(this.handled), now) || due;
    }
    return due;
  }

  private settleEarly(number: number): void {
    const length = this.lengthOf(number);
    if (length < 0) return;
    if (number === this.next - 1) this.last = ~length;
    else this.lengths.set(number, ~length, this.handled);
  }

  private lengthOf(number: number): number {
    return number === this.next - 1 ? this.last : this.lengths.get(number);
  }

  private pass(length: number, now: number): boolean {
    this.handled += 1;
    this.unhandledBytes -= length;
    if (this.handled > this.storedHandled) {
      this.unstoredBytes += length;
      this.keeper?.changed();
      return false;
    }
    return this.owe(length, now);
  }

  /**
   * The store knows that everything below `handled` is handled: from here on it is owed.
   *
   * @returns whether it should be acknowledged at once
   */
  stored(handled: number, now: number): boolean {
    const count = handled - this.storedHandled;
    if (count <= 0) return false;
    this.storedHandled = handled;
    this.owedMessages += count - 1;
    const bytes = this.unstoredBytes;
    this.unstoredBytes = 0;
    return this.owe(bytes, now);
  }

  /** Begins where a store has it: what had come and was not handled comes again. */
  restore(handled: number): void {
    this.next = handled;
    this.handled = handled;
    this.storedHandled = handled;
  }

  /** One more has to be acknowledged, perhaps again. Gives whether at once. */
  owe(length: number, now: number, messages = 1): boolean {
    this.owedMessages += messages;
    this.owedBytes += length;
    if (this.dueAt === Number.POSITIVE_INFINITY) this.dueAt = now + ACK_WITHIN;
    if (this.owedMessages >= this.ackMessages || this.owedBytes >= this.ackBytes) this.dueAt = now;
    else if (this.owedMessages >= this.ackBehind) this.dueAt = Math.min(this.dueAt, this.toldAt + ACK_APART);
    return this.isDue(now);
  }

  /** Whether what is owed is to be acknowledged at once; the caller does it then. */
  isDue(now: number): boolean {
    if (now < this.dueAt) return false;
    this.toldAt = now;
    return true;
  }

  /** Every now and then: gives memory back where it is much, and nothing in use. */
  pause(): void {
    if (this.handled === this.next) this.lengths.emptied();
  }

  /** What to tell the other side; nothing is owed then. */
  tell(): number {
    this.owedMessages = 0;
    this.owedBytes = 0;
    this.dueAt = Number.POSITIVE_INFINITY;
    return this.handled < this.storedHandled ? this.handled : this.storedHandled;
  }

  /** Nothing happens for now: memory for what may come is given back. */
  rest(): void {
    // The last one is not in the ring.
    this.lengths.fit(Math.min(this.handled, this.next - 1), this.next - 1);
  }
}
