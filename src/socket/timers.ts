import type { Clock, Timer } from '../environment.js';

/** The timers of one line, for its statechart and its socket, plus `ref` and `unref` for all that are set and will be. */
export interface LineTimers extends Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  ref(): void;
  unref(): void;
}

/** Each is a timer of the environment's clock. */
export class Timers implements LineTimers {
  private readonly set = new Set<Timer>();
  private referenced = true;

  constructor(private readonly clock: Clock) {}

  setTimeout(callback: () => void, ms: number): Timer {
    const timer = this.clock.setTimeout(() => {
      this.set.delete(timer);
      callback();
    }, ms);
    this.set.add(timer);
    if (!this.referenced) timer.unref?.();
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.set.delete(timer);
    this.clock.clearTimeout(timer);
  }

  ref(): void {
    this.referenced = true;
    for (const timer of this.set) timer.ref?.();
  }

  unref(): void {
    this.referenced = false;
    for (const timer of this.set) timer.unref?.();
  }
}
