import { setImmediate as importedSetImmediate } from 'node:timers';
import type { Clock, Timer } from '../environment.js';
import { EventLoop } from './loop.js';
import { Process } from './process.js';
import { LoopTimer } from './timers.js';

// Taken at import, so that a test runner's fake timers cannot stop the virtual clock.
const nextRealTurn = importedSetImmediate;
const realQueueMicrotask = globalThis.queueMicrotask;

/** The longest delay of a timer, as in Node, milliseconds. */
const longestDelay = 2 ** 31 - 1;

/** Options of {@link createVirtualClock}. */
export interface VirtualClockOptions {
  /** The monotonic clock's reading at the start, milliseconds. Default 0. */
  readonly start?: number;
  /** The wall clock's reading at the start, milliseconds since 1970. Default: 1 January 2026, 00:00 UTC. */
  readonly wallStart?: number;
}

/** Options of {@link VirtualClock.runUntil}. */
export interface RunUntilOptions {
  /** How much virtual time it may take, milliseconds. Default 60 000. */
  readonly limit?: number;
}

/**
 * A clock that stands still until a test moves it. It goes from timer to timer and from one delivery of the network to
 * the next, and lets promises settle between them; no real time passes.
 *
 * At one instant the network's deliveries come first, then timers, in the order in which they were set. An error thrown
 * by a timer or by a handler rejects the `advance` or `runUntil` that was running it; the clock can be moved on
 * afterwards.
 */
export interface VirtualClock extends Clock {
  /** How many timers are set, in all processes: 0 when nothing was left behind. */
  readonly pending: number;
  /** The instants at which timers are due (in terms of `now()`), earliest first. */
  timers(): readonly number[];
  /**
   * Lets `ms` milliseconds go by. `advance(0)` does what is due now.
   *
   * @throws RangeError (as a rejection) when `ms` is negative or not finite
   * @throws Error (as a rejection) when the clock is being moved already
   */
  advance(ms: number): Promise<void>;
  /**
   * Lets time go by until a condition holds; it is looked at after every callback.
   *
   * @throws Error (as a rejection) when it does not hold within `limit`: names the limit, the time, the timers left
   */
  runUntil(condition: () => boolean, options?: RunUntilOptions): Promise<void>;
  /** Lets time go by until a promise settles, and passes on its outcome. Limit and errors as above. */
  runUntil<T>(promise: PromiseLike<T>, options?: RunUntilOptions): Promise<T>;
  /** Runs what was deferred and all promise jobs. Time stands still, no timer fires and nothing is delivered. */
  settle(): Promise<void>;
  /** Resolves when `ms` milliseconds of virtual time have gone by. */
  sleep(ms: number): Promise<void>;
  /** Moves the wall clock alone by `wallMs` (back when negative): a laptop that slept, or a clock set right. */
  jump(by: { readonly wallMs: number }): void;
  /**
   * The event loop is blocked for `ms` milliseconds: at once time has gone by, no timer fired and nothing was handed
   * over; the network's packets travelled on. Afterwards (in the next `advance`, or when the callback that called this
   * returns) the loop polls first and then fires the late timers, which see the instant before that poll as
   * `polledAt()`. All processes of this clock are blocked together; for one alone, freeze its host.
   */
  block(ms: number): void;
}

/** A clock as one process sees it: its timers and handlers can be stopped apart from those of others. */
class ProcessClock implements Clock {
  constructor(
    protected readonly loop: EventLoop,
    private readonly process: Process,
    protected readonly wall: { offset: number },
  ) {}

  now(): number {
    return this.loop.now;
  }

  wallNow(): number {
    return Math.floor(this.loop.now + this.wall.offset);
  }

  polledAt(): number {
    return this.loop.polledAt(this.process);
  }

  setTimeout(callback: () => void, ms: number): Timer {
    if (!(ms >= 0 && ms <= longestDelay)) {
      throw new RangeError(`A delay is from 0 to ${longestDelay} ms, not ${ms}`);
    }
    return this.loop.setTimeout(this.process, callback, ms);
  }

  clearTimeout(timer: Timer): void {
    // As in Node, clearing nothing, or what has fired, does no harm.
    if (timer instanceof LoopTimer) timer.book.clear(timer);
  }

  defer(callback: () => void): void {
    this.loop.defer(this.process, callback);
  }
}

class SteppingClock extends ProcessClock implements VirtualClock {
  private moving = false;

  get pending(): number {
    return this.loop.timers.pending;
  }

  timers(): readonly number[] {
    return this.loop.timers.due();
  }

  async advance(ms: number): Promise<void> {
    const target = this.loop.now + checkedSpan('advance', ms);
    await this.move(() => this.loop.step(target));
  }

  runUntil(condition: () => boolean, options?: RunUntilOptions): Promise<void>;
  runUntil<T>(promise: PromiseLike<T>, options?: RunUntilOptions): Promise<T>;
  async runUntil<T>(wanted: (() => boolean) | PromiseLike<T>, options: RunUntilOptions = {}): Promise<T | undefined> {
    const limit = checkedSpan('limit', options.limit ?? 60_000);
    const target = this.loop.now + limit;
    const settled = typeof wanted === 'function' ? undefined : watched(wanted);
    const holds = typeof wanted === 'function' ? wanted : () => settled?.done === true;
    let held = false;
    await this.move(() => {
      held = holds();
      return !held && this.loop.step(target);
    });
    // The time itself may have been what was waited for.
    if (!held && !holds()) throw new Error(this.limitMessage(limit, settled === undefined ? 'condition' : 'promise'));
    return settled === undefined ? undefined : ((await wanted) as T);
  }

  async settle(): Promise<void> {
    // Two turns: the first lets all promise jobs end, the second those that a deferred call began from one of them.
    await new Promise<void>((resolve) => nextRealTurn(() => nextRealTurn(resolve)));
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.setTimeout(resolve, ms));
  }

  jump(by: { readonly wallMs: number }): void {
    if (!Number.isFinite(by.wallMs)) throw new RangeError(`wallMs must be finite, not ${by.wallMs}`);
    this.wall.offset += by.wallMs;
  }

  block(ms: number): void {
    this.loop.block(checkedSpan('block', ms));
  }

  /** Each step in a real turn of its own: whatever a callback set going in promises is over before the next one. */
  private move(step: () => boolean): Promise<void> {
    if (this.moving) {
      return Promise.reject(new Error('The virtual clock is being moved already: await one advance() or runUntil()'));
    }
    this.moving = true;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (step()) {
            nextRealTurn(turn);
            return;
          }
          this.moving = false;
          resolve();
        } catch (error) {
          this.moving = false;
          reject(error);
        }
      };
      nextRealTurn(turn);
    });
  }

  private limitMessage(limit: number, what: string): string {
    const due = this.timers();
    const shown = due.slice(0, 10).join(', ') + (due.length > 10 ? ', …' : '');
    const left = due.length === 0 ? 'no timer is set' : `${due.length} timers are set, due at ${shown}`;
    const verb = what === 'promise' ? 'settle' : 'hold';
    return `The ${what} did not ${verb} within ${limit} ms of virtual time; it is ${this.now()} now, and ${left}`;
  }
}

function checkedSpan(name: string, ms: number): number {
  if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError(`${name}: milliseconds from 0 up, not ${ms}`);
  return ms;
}

function watched(promise: PromiseLike<unknown>): { done: boolean } {
  const state = { done: false };
  const settle = (): void => {
    state.done = true;
  };
  promise.then(settle, settle);
  return state;
}

/** What belongs to a virtual clock and is not for its users. */
interface Inside {
  readonly loop: EventLoop;
  readonly wall: { offset: number };
}

const insides = new WeakMap<VirtualClock, Inside>();

/**
 * Makes a virtual clock.
 *
 * @throws RangeError when `start` or `wallStart` is not finite
 */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { start = 0, wallStart = Date.UTC(2026, 0, 1) } = options;
  if (!Number.isFinite(start) || !Number.isFinite(wallStart))
    throw new RangeError('start and wallStart must be finite');
  const loop = new EventLoop(start, realQueueMicrotask);
  const wall = { offset: wallStart - start };
  const clock = new SteppingClock(loop, new Process('test'), wall);
  insides.set(clock, { loop, wall });
  return clock;
}

/** The loop under a virtual clock, for the simulated network. */
export function loopOf(clock: VirtualClock): EventLoop {
  return insideOf(clock).loop;
}

/** The same clock as seen by one process. */
export function clockOf(clock: VirtualClock, process: Process): Clock {
  const { loop, wall } = insideOf(clock);
  return new ProcessClock(loop, process, wall);
}

function insideOf(clock: VirtualClock): Inside {
  const inside = insides.get(clock);
  if (inside === undefined) throw new TypeError('`clock` must come from createVirtualClock()');
  return inside;
}
