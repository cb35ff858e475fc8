/** What a session tells a line, its program, and asks of it. Types only. */
import type { Ledger } from '../delivery/ledger.js';
import type { Range } from '../delivery/outbox.js';
import type { Attached, Refused } from '../protocol/session/index.js';
import type { LineTimers } from '../socket/timers.js';

/** A message in a session whose option `acknowledge` is `'manual'`. */
export interface ManualMessage extends Buffer {
  /** The place of the message among all of its session, from 1: the same when it comes again after a crash. */
  readonly number: number;
  /** The program is done with it. In any order; doing so twice does nothing. */
  acknowledge(): void;
}

/** A session is over, and not all of it was handled. */
export interface SessionLost {
  /** As the other side said: `EXPIRED`, `UNKNOWN`, `HISTORY_LOST` … */
  readonly code: string;
  /** The number of the last message that was handled, of those that `connection.accepted` counts; 0 for none. */
  readonly handledUpTo: number;
  /** These were written, and nobody can say. Numbers up to 0 are of the process before this one, out of the store. */
  readonly unknown: Range | undefined;
  /** These were not written. */
  readonly notSent: Range | undefined;
}

/** What the line does for its session. */
export interface SessionHost {
  readonly timers: LineTimers;
  now(): number;
  /** A monotonic time as wall-clock milliseconds since 1970. */
  wallAt(at: number): number;
  /** When the chunk came that is being decoded, monotonic milliseconds. */
  readonly lastByteAt: number | undefined;
  /** Counts what is written. */
  readonly ledger: Ledger;
  /** A message for the program. */
  deliver(message: Buffer): void;
  /** The same. @returns true where the program is done with it; else the inbox tells by `settle` */
  deliverCounted(message: Buffer): boolean;
  /** There may be room for what is held. */
  writable(): void;
  /** Something was acknowledged. */
  progressed(): void;
  sessionAttached(how: Attached): void;
  sessionDetached(): void;
  sessionLeaving(): void;
  sessionRefused(refusal: Refused): void;
  /** @param lost undefined where it was closed, and all of it handled */
  sessionEnded(lost: SessionLost | undefined): void;
}

/** What a client's session tells the face. */
export interface SessionEvents {
  resumed(how: Attached, afterMs: number): void;
  lost(lost: SessionLost): void;
}
