import type { Clock, Timer } from '../environment.js';

/** When the last timer came due in the loop: what had arrived by then was read before its callback ran. */
let polledAt = 0;

/**
 * A timer that calls back after a poll phase. `setTimeout` fires before the loop has looked at its sockets; after a
 * blocked loop the peer's bytes may lie unread in the kernel at that moment. So hop by `setImmediate`: the poll phase
 * lies between the two, and whatever had arrived when the timer came due has been read when the callback runs. What
 * blocks the loop between the two (in poll, or in an earlier immediate) makes `now()` late, but not `polledAt()`.
 */
class AfterPollTimer implements Timer {
  private readonly timeout: NodeJS.Timeout;
  private immediate: NodeJS.Immediate | undefined;
  private referenced = true;
  private dueAt = 0;

  constructor(
    private readonly callback: () => void,
    ms: number,
  ) {
    this.timeout = setTimeout(AfterPollTimer.hop, ms, this);
  }

  private static hop(this: void, timer: AfterPollTimer): void {
    timer.dueAt = performance.now();
    timer.immediate = setImmediate(AfterPollTimer.fire, timer);
    if (!timer.referenced) timer.immediate.unref();
  }

  private static fire(this: void, timer: AfterPollTimer): void {
    polledAt = timer.dueAt;
    timer.callback();
  }

  clear(): void {
    clearTimeout(this.timeout);
    if (this.immediate) clearImmediate(this.immediate);
  }

  ref(): void {
    this.referenced = true;
    this.timeout.ref();
    this.immediate?.ref();
  }

  unref(): void {
    this.referenced = false;
    this.timeout.unref();
    this.immediate?.unref();
  }
}

/** Time as Node has it. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  polledAt: () => polledAt,
  setTimeout: (callback, ms) => new AfterPollTimer(callback, ms),
  clearTimeout: (timer) => (timer as AfterPollTimer).clear(),
  defer: (callback) => process.nextTick(callback),
};
