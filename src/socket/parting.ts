import type { ErrorCode } from '../errors.js';

const GONE = { code: 'NINJA_RESET', message: 'the socket is gone' } as const;
const PEACE = { code: 'NINJA_DISPOSED', message: 'closed; both sides sent their FIN' } as const;

/** How far the two sides of one socket have come in parting: our FIN, and theirs. Pure: it is told the time. */
export class Parting {
  /** We write no more: our FIN is on its way, behind all that was accepted. */
  ending = false;
  /** Their FIN came. */
  theirs = false;
  /** Both have said goodbye already. */
  settled = false;
  /** What is told where both part in peace. */
  private why: { readonly code: ErrorCode; readonly message: string } = PEACE;
  /** Monotonic milliseconds at which the kernel took our FIN. */
  private oursAt = Number.POSITIVE_INFINITY;

  /** @param timeout milliseconds that the other side may be silent before its FIN */
  constructor(private readonly timeout: number) {}

  /** Both have said goodbye, as in a session: however the socket ends now, even by a reset, this is why. */
  settle(code: ErrorCode, message: string): void {
    this.settled = true;
    this.why = { code, message };
  }

  /** The kernel took our FIN. */
  finished(now: number): void {
    this.oursAt = now;
  }

  /** Their FIN came. */
  ended(): void {
    this.theirs = true;
  }

  /** Why the socket has closed: both FINs passed, or not. @param over something else had ended it */
  farewell(over: boolean): { readonly code: ErrorCode; readonly message: string } {
    if (this.settled) return this.why;
    return !over && this.theirs && this.oursAt !== Number.POSITIVE_INFINITY ? this.why : GONE;
  }

  /**
   * When we wait no longer for theirs, monotonic milliseconds. A peer that still speaks may still read, so it counts
   * from its last byte; `drainTimeout` bounds it all.
   */
  dueAt(quietSince: number): number {
    return Math.max(this.oursAt, quietSince) + this.timeout;
  }
}
