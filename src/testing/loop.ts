import { Heap } from '../socket/heap.js';
import type { Job, Process } from './process.js';
import { type LoopTimer, TimerBook } from './timers.js';

/** Something that the kernel does at an instant, whatever the processes are doing. */
export interface KernelEvent {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** So many callbacks without time going by mean that something goes round in circles. */
const mostPerInstant = 1_000_000;

/**
 * The event loop on which everything virtual runs: timers, the kernels' own doings, and what the kernels have ready for
 * the processes. It knows no real time. One turn of it:
 *
 * 1. it notes which instant it is (`turnAt`): the timers due by then came due in the loop;
 * 2. poll: everything that had arrived by then is handed over, one callback at a time;
 * 3. those timers fire, and `polledAt` is the instant of 1.
 *
 * A turn takes no time, unless a callback calls `block`. Then the timers behind it fire all the same, as they do on the
 * default clock: late by `now()`, with bytes unread that came meanwhile, and right only for who asks `polledAt()`.
 */
export class EventLoop {
  readonly timers = new TimerBook();
  private readonly kernel = new Heap<KernelEvent>();
  private ready: Job[] = [];
  private defers: Job[] = [];
  private readonly thawed: Process[] = [];
  private phase: 'idle' | 'poll' | 'fire' = 'idle';
  private turnAt: number;
  private polled: number;
  private pollAgain = false;
  private running = false;
  private flushQueued = false;
  private order = 0;
  private calls = 0;
  private callsAt = 0;

  constructor(
    public now: number,
    private readonly queueMicrotask: (callback: () => void) => void,
  ) {
    this.turnAt = now;
    this.polled = now;
  }

  polledAt(process: Process): number {
    return process.polledAt ?? this.polled;
  }

  setTimeout(process: Process, callback: () => void, ms: number): LoopTimer {
    return this.timers.set(process, callback, this.now + ms);
  }

  /** Calls back at the end of the running callback, or as a promise job when none is running. */
  defer(process: Process, callback: () => void): void {
    if (process.dead) return;
    this.defers.push({ process, since: this.now, callback });
    this.flushSoon();
  }

  /** The kernel does something at an instant (now, when that is past). It must call no user's code. */
  atInstant(at: number, callback: () => void): KernelEvent {
    this.order += 1;
    const event = { at: Math.max(at, this.now), order: this.order, callback, cancelled: false };
    this.kernel.push(event);
    return event;
  }

  /** The kernel has something for a process, since an instant: it is handed over in the next poll. */
  enqueue(process: Process, callback: () => void, since = this.now): void {
    if (process.dead) return;
    (process.frozen ? process.parkedReady : this.ready).push({ process, since, callback });
  }

  /** Time goes by, and the kernel works; nothing is handed over and no timer fires. */
  block(ms: number): void {
    const until = this.now + ms;
    this.runKernel(until);
    this.now = until;
  }

  /** Stops a process: it hears nothing, its timers wait. */
  freeze(process: Process): void {
    if (process.frozen || process.dead) return;
    process.polledAt = this.polledAt(process);
    process.frozen = true;
    process.parkedReady.push(...this.ready.filter((job) => job.process === process));
    this.ready = this.ready.filter((job) => job.process !== process);
  }

  /** Lets it go on: it polls, then its late timers fire. */
  thaw(process: Process): void {
    if (!process.frozen || process.dead) return;
    process.frozen = false;
    this.thawed.push(process);
    this.timers.thaw(process);
    this.ready.push(...process.parkedReady.splice(0));
    this.defers.push(...process.parkedDefers.splice(0));
    this.flushSoon();
    // Its timers must not fire in the turn of the others, whose poll it missed.
    this.pollAgain = true;
  }

  /** Ends a process: nothing of it ever runs again. */
  kill(process: Process): void {
    process.dead = true;
    this.timers.kill(process);
    this.ready = this.ready.filter((job) => job.process !== process);
    this.defers = this.defers.filter((job) => job.process !== process);
    process.parkedReady.length = 0;
    process.parkedDefers.length = 0;
  }

  /**
   * Does the next thing that is due up to an instant: calls one callback, and what it deferred. False when there is
   * none left and that instant has come.
   */
  step(target: number): boolean {
    do {
      const next = this.phase === 'idle' ? undefined : this.nextInTurn();
      if (next !== undefined) {
        this.run(next.callback);
        return true;
      }
    } while (this.phase !== 'idle' || this.goOn(target));
    return false;
  }

  /** What is to be called next in this turn; undefined when the turn is over, or was begun anew. */
  private nextInTurn(): { readonly callback: () => void } | undefined {
    if (this.phase === 'poll') {
      const job = this.takeReady();
      if (job !== undefined) return job;
      this.pollIsOver();
    }
    // What came at this very instant, `polledAt`, has to be read before the next timer fires.
    const arrived = this.now === this.turnAt && this.somethingArrived();
    if (arrived || this.pollAgain) return this.turn();
    const timer = this.timers.take(this.turnAt);
    if (timer === undefined) this.phase = 'idle';
    return timer;
  }

  /** From one turn to the next: at this instant if there is something to do, else time goes by. False: it was up. */
  private goOn(target: number): boolean {
    const next = this.somethingArrived() ? this.now : Math.min(this.timers.nextAt(), this.nextKernelAt());
    if (next > this.now) {
      this.now = Math.max(this.now, Math.min(next, target));
      // The loop lay in poll all the time: whatever came before this instant has been read.
      this.polled = this.now;
      if (next > target) return false;
    }
    this.turn();
    return true;
  }

  private turn(): undefined {
    this.turnAt = this.now;
    this.pollAgain = false;
    this.phase = 'poll';
    this.runKernel(this.now);
  }

  private pollIsOver(): void {
    this.phase = 'fire';
    this.polled = this.turnAt;
    for (const process of this.thawed.splice(0)) if (!process.frozen) process.polledAt = undefined;
  }

  private run(callback: () => void): void {
    this.calls = this.callsAt === this.now ? this.calls + 1 : 0;
    this.callsAt = this.now;
    if (this.calls > mostPerInstant) {
      throw new Error(`The virtual clock stands still at ${this.now}: ${mostPerInstant} callbacks in one instant`);
    }
    this.inStep(() => {
      callback();
      this.flushDefers();
    });
  }

  private inStep(work: () => void): void {
    this.running = true;
    try {
      work();
    } finally {
      this.running = false;
      // Something is left only when a callback threw.
      this.flushSoon();
    }
  }

  private flushDefers(): void {
    for (let job = this.defers.shift(); job !== undefined; job = this.defers.shift()) {
      if (job.process.dead) continue;
      if (job.process.frozen) job.process.parkedDefers.push(job);
      else job.callback();
    }
  }

  /** Outside of a step, what was deferred runs as a promise job, as `process.nextTick` would. */
  private flushSoon(): void {
    if (this.running || this.flushQueued || this.defers.length === 0) return;
    this.flushQueued = true;
    this.queueMicrotask(() => {
      this.flushQueued = false;
      this.inStep(() => this.flushDefers());
    });
  }

  private runKernel(until: number): void {
    while (this.nextKernelAt() <= until) {
      const event = this.kernel.pop() as KernelEvent;
      this.now = Math.max(this.now, event.at);
      event.callback();
    }
  }

  private nextKernelAt(): number {
    while (this.kernel.peek()?.cancelled) this.kernel.pop();
    return this.kernel.peek()?.at ?? Number.POSITIVE_INFINITY;
  }

  private somethingArrived(): boolean {
    return this.ready.length > 0 || this.nextKernelAt() <= this.now;
  }

  /** What had arrived when this turn began. What came while a callback blocked is for the next poll. */
  private takeReady(): Job | undefined {
    const index = this.ready.findIndex((job) => job.since <= this.turnAt);
    return index < 0 ? undefined : this.ready.splice(index, 1)[0];
  }
}
