/**
 * Writes what changes of sessions into their store. What changes within a tick goes in one call, of all sessions and with many
 * messages; what changes while a call is under way goes in the next one. When the store fails the same is written again,
 * later and later; sessions wait meanwhile, and are told nothing. Whoever waits for too long loses its socket, no more.
 */
import type { Clock, Timer } from '../environment.js';
import { messageOf, NinjaTcpError } from '../errors.js';
import type { SessionStore, StoreOutcome } from '../store/contract.js';
import type { RandomBytes } from '../store/sealing.js';
import type { Codec } from './codec.js';
import type { Entry, Flight } from './entry.js';

export interface DurablePorts {
  readonly clock: Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout' | 'defer'>;
  readonly random: RandomBytes;
  /** Hears what is wrong with the store: once for each time that it begins to fail, and for each thing that it has broken. */
  readonly report: (error: NinjaTcpError) => void;
}

export interface DurableOptions {
  /** For how long a session waits for its store before its socket is dropped, ms. */
  readonly patience: number;
  /** Bytes of messages that go in one call, about. */
  readonly batchBytes: number;
  /** Calls that are under way at a time. */
  readonly batches: number;
}

/** When a call that failed is made again, ms: the first time, and at the latest. */
const RETRY_FIRST = 50;
const RETRY_LAST = 2000;

export class StoreWriter {
  private readonly queue = new Set<Entry>();
  /** Those that wait for the store. */
  private readonly waiting = new Set<Entry>();
  private readonly again: Flight[] = [];
  private underWay = 0;
  private scheduled = false;
  /** The last call that came back has failed: until one succeeds nothing else is tried. */
  private failing = false;
  private failure: unknown;
  private retryIn = RETRY_FIRST;
  private retryTimer: Timer | undefined;
  private patienceTimer: Timer | undefined;
  private closed = false;

  constructor(
    private readonly store: SessionStore,
    private readonly codec: Codec,
    private readonly ports: DurablePorts,
    private readonly options: DurableOptions,
  ) {}

  /** There is something of it to be written. */
  changed(entry: Entry): void {
    if (this.closed) return;
    if (!entry.inFlight) this.queue.add(entry);
    if (entry.since === Number.POSITIVE_INFINITY) entry.since = this.ports.clock.now();
    this.waiting.add(entry);
    this.beImpatient();
    this.flushSoon();
  }

  /** Nothing more of it is written. */
  drop(entry: Entry): void {
    entry.leave();
    this.queue.delete(entry);
    this.rest(entry);
  }

  /** It ends here, and goes on elsewhere: what the store does not have yet is written, and then nothing more. */
  parting(entry: Entry): void {
    // Nothing to be said, or nobody to be told.
    if (this.closed || (!entry.dirty && !entry.inFlight)) {
      this.drop(entry);
      return;
    }
    const { inFlight } = entry;
    // All of it, whatever becomes of a change that is under way.
    entry.whole = true;
    entry.last = entry.take(this.codec, Number.MAX_SAFE_INTEGER);
    entry.inFlight = inFlight;
    entry.dirty = true;
    this.changed(entry);
    // At once: the program may be about to end.
    if (!inFlight) this.flush();
  }

  /** Resolves when the store has all of it, or never will. */
  whenStored(entry: Entry): Promise<void> {
    return new Promise((resolve) => {
      if (entry.gone || (!entry.dirty && !entry.inFlight)) resolve();
      else entry.waiters.push(resolve);
    });
  }

  /** Resolves when the store has all that there is. */
  async whenIdle(): Promise<void> {
    await Promise.all([...this.waiting].map((entry) => this.whenStored(entry)));
  }

  close(): void {
    this.closed = true;
    for (const timer of [this.retryTimer, this.patienceTimer]) if (timer) this.ports.clock.clearTimeout(timer);
    for (const entry of this.waiting) this.drop(entry);
  }

  /** @param cause undefined where there was no answer */
  failed(cause: unknown): NinjaTcpError {
    if (cause instanceof NinjaTcpError) return cause;
    const why = cause === undefined ? `it did not answer within ${this.options.patience} ms` : messageOf(cause);
    return new NinjaTcpError('NINJA_STORE_FAILED', `the session store failed: ${why}`, cause);
  }

  after(ms: number, callback: () => void): Timer {
    const timer = this.ports.clock.setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    timer.unref?.();
    return timer;
  }

  private rest(entry: Entry): void {
    entry.since = Number.POSITIVE_INFINITY;
    this.waiting.delete(entry);
    for (const done of entry.waiters.splice(0)) done();
  }

  private flushSoon(): void {
    if (this.scheduled || this.failing) return;
    this.scheduled = true;
    this.ports.clock.defer(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const { batchBytes, batches } = this.options;
    while (this.queue.size > 0 && this.underWay < batches && !this.failing && !this.closed) {
      const flights: Flight[] = [];
      let left = batchBytes;
      for (const entry of this.queue) {
        if (left <= 0) break;
        this.queue.delete(entry);
        const flight = entry.take(this.codec, left);
        left -= flight.change.block?.bytes.length ?? 0;
        flights.push(flight);
      }
      void this.write(flights);
    }
  }

  private async write(flights: readonly Flight[]): Promise<void> {
    this.underWay += 1;
    let outcomes: readonly StoreOutcome[] | undefined;
    try {
      outcomes = await this.store.write(flights.map(({ change }) => change));
    } catch (error) {
      this.failure = error;
    }
    this.underWay -= 1;
    if (this.closed) return;
    if (!outcomes) {
      this.retryLater(flights);
      return;
    }
    this.failing = this.again.length > 0;
    if (!this.failing) this.retryIn = RETRY_FIRST;
    this.failure = undefined;
    for (const [index, flight] of flights.entries()) this.arrived(flight, outcomes[index] ?? 'lost');
    this.flush();
  }

  private arrived({ entry, session, marks, change }: Flight, outcome: StoreOutcome): void {
    entry.inFlight = false;
    // Else another session of the same client is there already.
    const current = session === entry.session;
    if (entry.gone) return;
    if (outcome === 'stored' && current) {
      const now = this.ports.clock.now();
      entry.created = true;
      entry.identity = marks.identity;
      entry.whole = false;
      entry.writtenAt = now;
      entry.since = now;
      if (change.end || entry.last?.change === change) this.drop(entry);
      else session.stored(marks, now);
    } else if (outcome === 'gap') {
      entry.whole = true;
      entry.dirty = true;
    } else if (outcome === 'fenced' || outcome === 'taken') {
      this.drop(entry);
      entry.session.takenOver();
    } else if (outcome === 'lost' && current) {
      this.drop(entry);
      session.forgotten();
    }
    if (entry.dirty) this.queue.add(entry);
    else this.rest(entry);
  }

  private retryLater(flights: readonly Flight[]): void {
    if (!this.failing) this.ports.report(this.failed(this.failure));
    this.failing = true;
    this.again.push(...flights);
    if (this.retryTimer) return;
    this.retryTimer = this.after(this.retryIn, () => {
      this.retryTimer = undefined;
      void this.write(this.again.splice(0));
    });
    this.retryIn = Math.min(RETRY_LAST, this.retryIn * 2);
  }

  /** Drops the sockets of those that have waited for too long. */
  private beImpatient(): void {
    if (this.patienceTimer || this.closed) return;
    const { clock } = this.ports;
    const { patience } = this.options;
    let first = Number.POSITIVE_INFINITY;
    for (const { since } of this.waiting) first = Math.min(first, since);
    if (first === Number.POSITIVE_INFINITY) return;
    this.patienceTimer = this.after(Math.max(1, first + patience - clock.now()), () => {
      this.patienceTimer = undefined;
      const now = clock.now();
      for (const entry of this.waiting) {
        if (now - entry.since < patience) continue;
        entry.since = now;
        entry.session.wait(this.failed(this.failure), now);
      }
      this.beImpatient();
    });
  }
}
