import { NinjaTcpError } from '../errors.js';
import { aborted } from './waiters.js';

export interface Subscription {
  unsubscribe(): void;
}

export interface StatusOptions {
  /** Ends the iteration with `NINJA_ABORTED`; what is watched goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** So many statuses wait for a slow reader; then the oldest make room. */
const MOST = 50;

/** What the feed asks of its owner. */
export interface FeedOwner<S> {
  /** The present status. */
  current(): S;
  /** Nothing comes behind this status. */
  isLast(status: S): boolean;
  /** Calls back when the running tick is over. */
  defer(callback: () => void): void;
  /** A subscriber threw. */
  threw(cause: unknown): void;
}

/**
 * The statuses of one statechart, for those who watch it. Each is taken when its state is entered, and told when the
 * running tick is over: what a subscriber does can never come into the middle of a step.
 */
export class StatusFeed<S> {
  private readonly listeners = new Set<(status: S) => void>();
  private untold: S[] = [];

  constructor(private readonly owner: FeedOwner<S>) {}

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.listeners.size > 0;
  }

  publish(status: S): void {
    this.untold.push(status);
    if (this.untold.length === 1) this.owner.defer(() => this.tell());
  }

  private tell(): void {
    const { untold } = this;
    this.untold = [];
    for (const status of untold) {
      for (const listener of [...this.listeners]) {
        if (!this.listeners.has(listener)) continue;
        try {
          listener(status);
        } catch (cause) {
          this.owner.threw(cause);
        }
      }
    }
  }

  subscribe(listener: (status: S) => void): Subscription {
    if (typeof listener !== 'function') {
      throw new NinjaTcpError('NINJA_INVALID_OPTION', `subscribe() must be given a function, got ${typeof listener}`);
    }
    // The same function twice is two subscriptions.
    const own = (status: S) => listener(status);
    this.listeners.add(own);
    return { unsubscribe: () => void this.listeners.delete(own) };
  }

  /** The present status, then each one that follows, to the last. */
  async *iterate({ signal }: StatusOptions = {}): AsyncGenerator<S, undefined, undefined> {
    const what = 'status()';
    if (signal?.aborted) throw aborted(what, signal);
    let waiting: S[] = [this.owner.current()];
    let wake = () => {};
    const { unsubscribe } = this.subscribe((status) => {
      waiting.push(status);
      if (waiting.length > MOST) waiting.shift();
      wake();
    });
    const stop = () => wake();
    signal?.addEventListener('abort', stop);
    try {
      for (;;) {
        const batch = waiting;
        waiting = [];
        for (const status of batch) {
          if (signal?.aborted) throw aborted(what, signal);
          yield status;
          if (this.owner.isLast(status)) return undefined;
        }
        if (signal?.aborted) throw aborted(what, signal);
        if (waiting.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      unsubscribe();
      signal?.removeEventListener('abort', stop);
    }
  }
}
