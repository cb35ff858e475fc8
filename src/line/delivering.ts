import type { Receipt } from '../delivery/receipts.js';
import { NinjaTcpError } from '../errors.js';
import { Sending } from './sending.js';
import { aborted, Waiters } from './waiters.js';

/** What `deliver()` comes to. */
export interface Delivered {
  readonly outcome: 'handled';
}

const HANDLED: Delivered = { outcome: 'handled' };

/** The part of sending that only a session can do: to know what became of a message. */
export abstract class Delivering extends Sending {
  /** Those who wait until all up to a number is settled. */
  private flushes: Map<number, Waiters<void>> | undefined;

  /** Sends a message, and waits until the other side has handled it. Accepted or thrown at once, as by `send`. */
  deliverTo(
    message: Uint8Array | string,
    ttl: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Delivered> {
    this.demandSession('deliver()');
    if (signal?.aborted) throw aborted('deliver()', signal);
    return new Promise((resolve, reject) => {
      const receipt: Receipt = {
        handled: () => {
          signal?.removeEventListener('abort', abort);
          resolve(HANDLED);
        },
        failed: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      const abort = () => this.withdraw(receipt, signal);
      this.consider(message, ttl ?? this.settings.ttl, receipt);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Takes a message back that was not handed over yet; of one that was, only the wait ends. */
  private withdraw(receipt: Receipt, signal: AbortSignal | undefined): void {
    const why = (outcome: 'notSent' | 'unknown') => {
      const what = outcome === 'notSent' ? 'it was taken back, unsent' : 'it was written, and goes on';
      return new NinjaTcpError(
        'NINJA_ABORTED',
        `deliver() was aborted by its signal: ${what}`,
        signal?.reason,
        outcome,
      );
    };
    const withdrawn = this.outbox.withdraw(receipt, () => why('notSent'));
    if (withdrawn.length === 0) receipt.failed(why('unknown'));
    for (const range of withdrawn) this.tellDropped({ code: 'NINJA_ABORTED', ...range });
    this.progressed();
  }

  /** Waits until all that was accepted so far is handled, or told as dropped. */
  flush(signal?: AbortSignal): Promise<void> {
    this.demandSession('flush()');
    const { accepted } = this.ledger;
    if (this.firstUnsettled > accepted) return Promise.resolve();
    this.flushes ??= new Map();
    let waiters = this.flushes.get(accepted);
    if (!waiters) {
      waiters = new Waiters();
      this.flushes.set(accepted, waiters);
    }
    return waiters.wait('flush()', signal);
  }

  /** Something was acknowledged or dropped. */
  progressed(): void {
    this.settleDrained();
    if (!this.flushes?.size) return;
    const { firstUnsettled } = this;
    for (const [upTo, waiters] of this.flushes) {
      if (firstUnsettled <= upTo) return;
      this.flushes.delete(upTo);
      waiters.resolve();
    }
  }

  protected failFlushes(error: NinjaTcpError): void {
    for (const waiters of this.flushes?.values() ?? []) waiters.reject(error);
    this.flushes = undefined;
  }

  protected override settled(): void {
    this.progressed();
  }

  private get firstUnsettled(): number {
    return this.side?.firstKept ?? this.outbox.first()?.number ?? Number.POSITIVE_INFINITY;
  }

  private demandSession(call: string): void {
    if (this.side) return;
    throw new NinjaTcpError(
      'NINJA_INVALID_OPTION',
      `${call} needs the option session: without it nobody can say what the other side has handled`,
    );
  }
}
