import type { Outbox } from '../delivery/outbox.js';
import type { Timer } from '../environment.js';
import type { LineTimers } from '../socket/timers.js';

/** Expired messages are looked for at most once in so many milliseconds. */
const GRAIN = 10;

/** The one timer for all messages of an outbox that may wait too long. */
export class ExpiryWatch {
  private timer: Timer | undefined;
  private due = Number.POSITIVE_INFINITY;

  constructor(
    private readonly outbox: Outbox,
    private readonly timers: LineTimers,
    private readonly ring: () => void,
  ) {}

  /** Looks again when the next message may have expired. */
  arm(now: number): void {
    const { soonestExpiry } = this.outbox;
    if (this.timer && soonestExpiry === this.due) return;
    if (this.timer) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.due = soonestExpiry;
    if (soonestExpiry === Number.POSITIVE_INFINITY) return;
    // A look costs a walk through the outbox: not more than one in so many milliseconds.
    const wait = Math.max(GRAIN, Math.ceil(soonestExpiry - now));
    this.timer = this.timers.setTimeout(() => {
      this.timer = undefined;
      this.ring();
    }, wait);
  }
}
