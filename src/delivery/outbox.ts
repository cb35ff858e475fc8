import { type ErrorCode, NinjaTcpError } from '../errors.js';
import { Fifo } from './fifo.js';
import type { Receipt } from './receipts.js';

/** A message that was accepted and is not written yet. */
export interface Held {
  readonly payload: Uint8Array;
  readonly number: number;
  /** Monotonic milliseconds; Infinity for never. */
  readonly expiresAt: number;
  /** Who waits for what becomes of it. */
  readonly receipt?: Receipt | undefined;
}

/** Messages in a row, by their numbers. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Messages that will not be sent. */
export interface Dropped extends Range {
  /** `NINJA_EXPIRED`, `NINJA_ABORTED`, `NINJA_GAVE_UP` or `NINJA_DISPOSED`; `NINJA_INVALID_MESSAGE` where the other side turned out to take none so long. */
  readonly code: ErrorCode;
}

const disposed = () => new NinjaTcpError('NINJA_DISPOSED', 'it was not sent');

/** Accepted but not yet written: whole messages, in order, each with its number. Pure: it is told the time. */
export class Outbox {
  bytes = 0;
  messages = 0;
  private readonly held = new Fifo<Held>();
  /** No entry expires before this, monotonic milliseconds; Infinity for never. */
  soonestExpiry = Number.POSITIVE_INFINITY;

  /** What is held, or undefined. */
  get range(): Range | undefined {
    const first = this.held.first();
    const last = this.held.last();
    return first && last && { from: first.number, to: last.number, messages: this.messages, bytes: this.bytes };
  }

  push(entry: Held): void {
    this.held.push(entry);
    this.bytes += entry.payload.length;
    this.messages += 1;
    if (entry.expiresAt < this.soonestExpiry) this.soonestExpiry = entry.expiresAt;
  }

  first(): Held | undefined {
    return this.held.first();
  }

  shift(): Held | undefined {
    const entry = this.held.shift();
    if (entry) {
      this.bytes -= entry.payload.length;
      this.messages -= 1;
    }
    return entry;
  }

  /** Drops what has expired by `now`; gives it as ranges of neighbouring numbers. */
  expire(now: number): Range[] {
    if (now < this.soonestExpiry) return [];
    const gone = this.held.extract((entry) => entry.expiresAt <= now);
    this.soonestExpiry = Number.POSITIVE_INFINITY;
    for (const entry of this.held) this.soonestExpiry = Math.min(this.soonestExpiry, entry.expiresAt);
    return this.dropped(gone, () => new NinjaTcpError('NINJA_EXPIRED', 'it waited for longer than its ttl'));
  }

  /** Drops everything. @param errorOf for who waits for a message */
  clear(errorOf: () => NinjaTcpError = disposed): Range[] {
    this.soonestExpiry = Number.POSITIVE_INFINITY;
    return this.dropped(
      this.held.extract(() => true),
      errorOf,
    );
  }

  /** Takes one back, if it is still here. */
  withdraw(receipt: Receipt, errorOf: () => NinjaTcpError): Range[] {
    // One signal may be for all that is held: each of them looks for its own.
    const entry = this.held.take((held) => held.receipt === receipt);
    return entry ? this.dropped([entry], errorOf) : [];
  }

  private dropped(gone: readonly Held[], errorOf: () => NinjaTcpError): Range[] {
    const ranges: { from: number; to: number; messages: number; bytes: number }[] = [];
    this.messages -= gone.length;
    for (const { number, payload, receipt } of gone) {
      receipt?.failed(errorOf());
      this.bytes -= payload.length;
      const last = ranges.at(-1);
      if (last && last.to + 1 === number) {
        last.to = number;
        last.messages += 1;
        last.bytes += payload.length;
      } else {
        ranges.push({ from: number, to: number, messages: 1, bytes: payload.length });
      }
    }
    return ranges;
  }
}
