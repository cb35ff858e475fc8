import type { ErrorCode } from '../errors.js';
import { Fifo } from './fifo.js';

/** A message that was accepted and is not written yet. */
export interface Held {
  readonly payload: Uint8Array;
  readonly number: number;
  /** Monotonic milliseconds; Infinity for never. */
  readonly expiresAt: number;
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
  /** `NINJA_EXPIRED`, `NINJA_GAVE_UP` or `NINJA_DISPOSED`. */
  readonly code: ErrorCode;
}

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
    return this.dropped(gone);
  }

  /** Drops everything. */
  clear(): Range[] {
    this.soonestExpiry = Number.POSITIVE_INFINITY;
    return this.dropped(this.held.extract(() => true));
  }

  private dropped(gone: readonly Held[]): Range[] {
    const ranges: { from: number; to: number; messages: number; bytes: number }[] = [];
    this.messages -= gone.length;
    for (const { number, payload } of gone) {
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
