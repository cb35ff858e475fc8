import type { NinjaTcpError } from '../errors.js';
import { Fifo } from './fifo.js';

/** Who waits for what becomes of one message. Settled exactly once. */
export interface Receipt {
  handled(): void;
  failed(error: NinjaTcpError): void;
}

interface Entry {
  readonly number: number;
  readonly receipt: Receipt;
}

/** Receipts of messages that a session has numbered, in order. */
export class Receipts {
  private readonly entries = new Fifo<Entry>();

  add(number: number, receipt: Receipt): void {
    this.entries.push({ number, receipt });
  }

  /** All up to `number` are handled. */
  handled(number: number): void {
    for (let next = this.entries.first(); next && next.number <= number; next = this.entries.first()) {
      this.entries.shift();
      next.receipt.handled();
    }
  }

  /** None of the others will be. */
  fail(errorOf: (number: number) => NinjaTcpError): void {
    for (const { number, receipt } of this.entries.drain()) receipt.failed(errorOf(number));
  }
}

/** Of all who have none; never written to. */
const NONE: never[] = [];

/**
 * Which accepted message has which number in its session. The two differ by what was dropped from the outbox, so a new
 * mark is made only behind a drop.
 */
export class NumberMap {
  private marks: { from: number; readonly ahead: number }[] = NONE;
  /** Of the last mark. */
  private ahead = Number.NaN;

  note(number: number, accepted: number): void {
    if (accepted - number !== this.ahead) this.mark(number, accepted - number);
  }

  private mark(from: number, ahead: number): void {
    this.ahead = ahead;
    if (this.marks === NONE) this.marks = [{ from, ahead }];
    else this.marks.push({ from, ahead });
  }

  /** The place among all accepted messages of a number that was noted. */
  acceptedOf(number: number): number {
    const mark = this.marks.findLast(({ from }) => from <= number);
    return number + (mark?.ahead ?? 0);
  }

  /** Nobody asks for lower numbers any more. */
  forget(below: number): void {
    while (this.marks.length > 1 && (this.marks[1]?.from ?? 0) <= below) this.marks.shift();
  }
}
