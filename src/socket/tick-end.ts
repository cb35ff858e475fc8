import type { Clock } from '../environment.js';

/** Wants to be called once when the running tick is over. */
export interface TickEndCaller {
  tickEnded(): void;
}

/** One deferred call for all that wait for the end of a tick. */
export class TickEnd {
  private callers: TickEndCaller[] = [];

  constructor(private readonly clock: Clock) {}

  add(caller: TickEndCaller): void {
    if (this.callers.push(caller) === 1) this.clock.defer(this.run);
  }

  private readonly run = (): void => {
    const { callers } = this;
    this.callers = [];
    let at = 0;
    try {
      while (at < callers.length) (callers[at++] as TickEndCaller).tickEnded();
    } finally {
      // One threw: the others are not to suffer for it.
      for (; at < callers.length; at += 1) this.add(callers[at] as TickEndCaller);
    }
  };
}

const ends = new WeakMap<Clock, TickEnd>();

/** The end of the running tick, as this clock tells it. */
export function tickEndOf(clock: Clock): TickEnd {
  const known = ends.get(clock);
  if (known) return known;
  const end = new TickEnd(clock);
  ends.set(clock, end);
  return end;
}
