import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from '../environment.js';
import { MAX_DELAY } from '../options.js';
import { Heap } from './heap.js';
import type { LineTimers } from './timers.js';

/** So many cleared timers are left lying; nobody digs in a heap for one. */
const SLACK = 64;

/**
 * One timer of the environment's clock for the timers of all peers of a server: one for each would be most of what a
 * sleeping peer weighs. None fires early, and each finds `polledAt` as if it had a timer of its own. Those that are due
 * fire one behind the other, as they are due and then as they were set, each with all that it defers.
 */
export class Crowd {
  private readonly heap = new Heap<CrowdTimer>();
  /** Timers are set from within all kinds of calls of the program: none of its async contexts may stick to the others'. */
  private readonly context = new AsyncResource('ninja-tcp.Crowd');
  private alarm: Timer | undefined;
  private alarmAt = Number.POSITIVE_INFINITY;
  private order = 0;
  private pending = 0;
  /** How many of them keep the process alive. */
  private referenced = 0;
  private ringing = false;
  /** All that are due by then, and were set before, ring now. */
  private seen = 0;
  private lastDue = 0;

  constructor(private readonly clock: Clock) {}

  /** The timers of one more line. */
  timers(): LineTimers {
    return new CrowdTimers(this);
  }

  /** @returns what `clearTimeout` of its line takes */
  set(owner: CrowdTimers, callback: () => void, ms: number): object {
    this.order += 1;
    const timer = new CrowdTimer(owner, callback, this.clock.now() + ms, this.order);
    this.heap.push(timer);
    this.pending += 1;
    this.arm();
    return timer;
  }

  /** One fired or was cleared. */
  gone(): void {
    this.pending -= 1;
    if (this.heap.size > SLACK && this.heap.size > 2 * this.pending) this.heap.keep(isSet);
    if (this.pending === 0) this.arm();
  }

  /** So many more (or fewer) keep the process alive. */
  refer(by: number): void {
    const before = this.referenced;
    this.referenced += by;
    if (before === 0 && by > 0) this.alarm?.ref?.();
    else if (this.referenced === 0 && by < 0) this.alarm?.unref?.();
  }

  private arm(): void {
    if (this.ringing) return;
    const next = this.next();
    if (next && this.alarmAt <= next.at) return;
    if (this.alarm) this.clock.clearTimeout(this.alarm);
    this.alarm = undefined;
    this.alarmAt = next ? next.at : Number.POSITIVE_INFINITY;
    if (!next) return;
    // What is lost in adding and subtracting must not lift it over the longest delay there is, which fires at once.
    const wait = Math.min(MAX_DELAY, Math.max(0, Math.ceil(next.at - this.clock.now())));
    this.alarm = this.context.runInAsyncScope(() => this.clock.setTimeout(this.ring, wait));
    if (this.referenced === 0) this.alarm.unref?.();
  }

  private next(): CrowdTimer | undefined {
    for (;;) {
      const next = this.heap.peek();
      if (!next || isSet(next)) return next;
      this.heap.pop();
    }
  }

  private readonly ring = (): void => {
    this.alarm = undefined;
    this.alarmAt = Number.POSITIVE_INFINITY;
    this.ringing = true;
    this.seen = this.clock.polledAt();
    this.lastDue = this.order;
    this.ringNext();
  };

  private readonly ringNext = (): void => {
    const next = this.next();
    // What was set by one of these has to see a poll first.
    if (!next || next.at > this.seen || next.order > this.lastDue) {
      this.ringing = false;
      this.arm();
      return;
    }
    this.heap.pop();
    try {
      next.fire();
    } finally {
      // Behind what this one deferred: else all heartbeats of one instant would fill a slab each before the first is written.
      this.clock.defer(this.ringNext);
    }
  };
}

class CrowdTimer {
  /** @param at monotonic milliseconds */
  constructor(
    private readonly owner: CrowdTimers,
    /** Until it fires or is cleared. */
    public callback: (() => void) | undefined,
    readonly at: number,
    readonly order: number,
  ) {}

  fire(): void {
    const { callback } = this;
    this.clear();
    callback?.();
  }

  clear(): void {
    if (!this.callback) return;
    this.callback = undefined;
    this.owner.gone();
  }
}

function isSet(timer: CrowdTimer): boolean {
  return timer.callback !== undefined;
}

/** Those of one line. */
class CrowdTimers implements LineTimers {
  private count = 0;
  private referenced = true;

  constructor(private readonly crowd: Crowd) {}

  setTimeout(callback: () => void, ms: number): Timer {
    this.count += 1;
    if (this.referenced) this.crowd.refer(1);
    return this.crowd.set(this, callback, ms);
  }

  clearTimeout(timer: Timer): void {
    (timer as CrowdTimer).clear();
  }

  gone(): void {
    this.count -= 1;
    if (this.referenced) this.crowd.refer(-1);
    this.crowd.gone();
  }

  ref(): void {
    if (!this.referenced) this.crowd.refer(this.count);
    this.referenced = true;
  }

  unref(): void {
    if (this.referenced) this.crowd.refer(-this.count);
    this.referenced = false;
  }
}
