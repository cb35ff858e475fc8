import type { Range } from './outbox.js';

/** What may be said of the accepted messages when a line is lost. */
export interface Loss {
  /**
   * All that was written in this epoch: TCP cannot say what of it arrived, not even where both sides sent their FIN.
   * Undefined when nothing was written.
   */
  readonly unknown: Range | undefined;
  /** Of how many of these, the last ones, the system never confirmed that it took them. Parts of them may have arrived. */
  readonly unflushed: number;
  /** Still in the outbox, kept for the next socket. Undefined when there is none. */
  readonly held: Range | undefined;
}

/**
 * Counts what becomes of accepted messages. They are numbered from 1 for the life of the connection; at any time
 * accepted = written in earlier epochs + written in this one + held + dropped.
 */
export class Ledger {
  /** The number of the last accepted message. */
  accepted = 0;
  /** Written in this epoch. */
  written = 0;
  /** Of these, taken by the kernel. */
  flushed = 0;
  private firstNumber = 0;
  private lastNumber = 0;
  private bytes = 0;

  accept(): number {
    this.accepted += 1;
    return this.accepted;
  }

  /** The same of a message that is written at once, and that a session keeps: gives its place in this epoch. */
  acceptWritten(): number {
    this.accepted += 1;
    this.written += 1;
    return this.written;
  }

  /** A message goes to the socket; gives its place in this epoch, from 1. */
  write(number: number, bytes: number): number {
    if (this.written === 0) this.firstNumber = number;
    this.lastNumber = number;
    this.bytes += bytes;
    this.written += 1;
    return this.written;
  }

  /** The epoch is over: what was written in it is unknown. */
  lose(): Omit<Loss, 'held'> {
    const loss = {
      unknown:
        this.written === 0
          ? undefined
          : { from: this.firstNumber, to: this.lastNumber, messages: this.written, bytes: this.bytes },
      unflushed: this.written - this.flushed,
    };
    this.written = 0;
    this.flushed = 0;
    this.bytes = 0;
    return loss;
  }
}
