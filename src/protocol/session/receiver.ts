import type { Window } from './ports.js';
import { Ring } from './ring.js';
import { malformed } from './wire.js';

/** When at the latest handled messages are acknowledged, ms. */
const ACK_WITHIN = 25;
/** … and behind how many. */
const ACK_BEHIND = 64;

/**
 * Takes numbers in order, and knows what is handled and what of that the other side was told.
 *
 * ```text
 *     told      handled     next
 * … 4 | 5  6  7  | 8  9  10  |
 *       owed       with the program
 * ```
 */
export class Receiver {
  /** The number that is expected. */
  next = 1;
  /** Everything below is handled. */
  handled = 1;
  /** Messages that came again, and were dropped. */
  duplicates = 0;
  /** When what is owed is acknowledged at the latest; Infinity for nothing owed. */
  dueAt = Number.POSITIVE_INFINITY;
  private unhandledBytes = 0;
  private owedMessages = 0;
  private owedBytes = 0;
  private readonly ackBytes: number;
  private readonly ackMessages: number;
  /** Lengths of what is not handled; ~length of what is handled before its turn. */
  private readonly lengths = new Ring<number>(0);

  constructor(private readonly window: Window) {
    this.ackBytes = window.bytes / 4;
    this.ackMessages = Math.max(1, Math.min(ACK_BEHIND, Math.floor(window.messages / 4)));
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
    if (ahead < 0) {
      this.duplicates += 1;
      return 0;
    }
    if (ahead > 0) malformed('DATA', `seq must be ${number >>> 0}, since the message before it is missing`, seq);
    this.unhandledBytes += length;
    const count = number - this.handled;
    if (count > 0 && (count >= this.window.messages || this.unhandledBytes > this.window.bytes)) {
      const { messages, bytes } = this.window;
      const got = `${count + 1} of ${this.unhandledBytes} bytes`;
      malformed('DATA', `at most ${messages} messages of ${bytes} bytes may be unacknowledged`, got);
    }
    this.lengths.set(number, length, this.handled);
    this.next = number + 1;
    return number;
  }

  /**
   * The program has done with a message, in any order; doing so twice does nothing.
   *
   * @returns whether what is owed should be acknowledged at once
   */
  settle(number: number, now: number): boolean {
    if (number < this.handled || number >= this.next) return false;
    const length = this.lengths.get(number);
    if (number > this.handled) {
      if (length >= 0) this.lengths.set(number, ~length, this.handled);
      return false;
    }
    let due = this.pass(length, now);
    while (this.handled < this.next && this.lengths.get(this.handled) < 0) {
      due = this.pass(~this.lengths.get(this.handled), now) || due;
    }
    return due;
  }

  private pass(length: number, now: number): boolean {
    this.handled += 1;
    this.unhandledBytes -= length;
    return this.owe(length, now);
  }

  /** One more has to be acknowledged, perhaps again. Gives whether at once. */
  owe(length: number, now: number): boolean {
    this.owedMessages += 1;
    this.owedBytes += length;
    if (this.owedMessages >= this.ackMessages || this.owedBytes >= this.ackBytes) return true;
    if (this.dueAt === Number.POSITIVE_INFINITY) this.dueAt = now + ACK_WITHIN;
    return false;
  }

  /** What to tell the other side; nothing is owed then. */
  tell(): number {
    this.owedMessages = 0;
    this.owedBytes = 0;
    this.dueAt = Number.POSITIVE_INFINITY;
    return this.handled;
  }
}
