import type { Clock, Timer } from '../environment.js';

/** The one timer of a socket, set to the nearest of its deadlines. */
export class Alarm {
  /** When it rings, monotonic milliseconds; Infinity where it is not set. */
  dueAt = Number.POSITIVE_INFINITY;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
    private readonly ring: () => void,
  ) {}

  /** Sets it anew. @param due monotonic milliseconds; Infinity for never */
  set(due: number): void {
    this.clear();
    if (due === Number.POSITIVE_INFINITY) return;
    this.dueAt = due;
    this.timer = this.timers.setTimeout(this.ring, Math.max(1, Math.ceil(due - this.clock.now())));
  }

  clear(): void {
    if (this.timer) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.dueAt = Number.POSITIVE_INFINITY;
  }
}
