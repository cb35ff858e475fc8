/** A clock for statecharts alone that is moved by hand, at once: no turn of the event loop lies between two timers. */

interface HandTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** Something that goes round in circles, rather than a busy instant. */
const CIRCLES = 10_000;

export class HandClock {
  private time = 1000;
  private readonly set = new Set<HandTimer>();

  get pending(): number {
    return this.set.size;
  }

  readonly now = (): number => this.time;

  readonly wallNow = (): number => 1_767_225_600_000 + this.time;

  readonly setTimeout = (callback: () => void, ms: number): HandTimer => {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new RangeError(`a timer of ${ms} ms`);
    const timer = { at: this.time + ms, callback };
    this.set.add(timer);
    return timer;
  };

  readonly clearTimeout = (timer: HandTimer): void => void this.set.delete(timer);

  advance(ms: number): void {
    const until = this.time + ms;
    for (let fired = 0; ; fired += 1) {
      if (fired > CIRCLES) throw new Error(`${CIRCLES} timers within ${ms} ms`);
      let next: HandTimer | undefined;
      for (const timer of this.set) if (timer.at <= until && (!next || timer.at < next.at)) next = timer;
      if (!next) break;
      this.set.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = until;
  }
}
