import { Heap } from '../socket/heap.js';
import type { Process } from './process.js';

/** A timer that was set. */
export class LoopTimer {
  /** It fired, was cleared, or belonged to a dead process. */
  over = false;

  constructor(
    readonly book: TimerBook,
    readonly process: Process,
    readonly at: number,
    readonly order: number,
    readonly callback: () => void,
  ) {}

  // Nothing keeps a virtual process alive, and nothing has to.
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** All timers that are set, those of stopped processes among them. */
export class TimerBook {
  pending = 0;
  private readonly heap = new Heap<LoopTimer>();
  /** Due, but their processes are stopped. */
  private readonly parked = new Map<Process, LoopTimer[]>();
  private order = 0;
  /** How many of them were cleared: nobody digs in a heap for one timer. */
  private cleared = 0;

  set(process: Process, callback: () => void, at: number): LoopTimer {
    this.order += 1;
    const timer = new LoopTimer(this, process, at, this.order, callback);
    timer.over = process.dead;
    if (timer.over) return timer;
    this.pending += 1;
    this.heap.push(timer);
    return timer;
  }

  clear(timer: LoopTimer): void {
    if (timer.over) return;
    timer.over = true;
    this.pending -= 1;
    this.cleared += 1;
    // Whoever sets and clears all the time must not fill the memory until the instants come.
    if (this.cleared > 64 && this.cleared * 2 > this.heap.size) {
      this.heap.keep((kept) => !kept.over);
      this.cleared = 0;
    }
  }

  /** When the next one is due, of the processes that run. */
  nextAt(): number {
    this.drop((top) => top.over);
    return this.heap.peek()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out the next one that is due by an instant. Those of stopped processes are put aside. */
  take(upTo: number): LoopTimer | undefined {
    this.drop((top) => top.over || (top.process.frozen && top.at <= upTo));
    const timer = this.heap.peek();
    if (timer === undefined || timer.at > upTo) return undefined;
    this.heap.pop();
    timer.over = true;
    this.pending -= 1;
    return timer;
  }

  /** When they are due, earliest first. */
  due(): number[] {
    return [...this.heap.values(), ...[...this.parked.values()].flat()]
      .filter((timer) => !timer.over)
      .map((timer) => timer.at)
      .sort((a, b) => a - b);
  }

  /** A process goes on: its late timers are due. */
  thaw(process: Process): void {
    for (const timer of this.parked.get(process) ?? []) this.heap.push(timer);
    this.parked.delete(process);
  }

  /** A process is dead: its timers never fire. */
  kill(process: Process): void {
    this.thaw(process);
    for (const timer of [...this.heap.values()]) if (timer.process === process) this.clear(timer);
  }

  private drop(unwanted: (top: LoopTimer) => boolean): void {
    for (let top = this.heap.peek(); top !== undefined && unwanted(top); top = this.heap.peek()) {
      this.heap.pop();
      if (top.over) {
        this.cleared -= 1;
      } else {
        const others = this.parked.get(top.process);
        if (others === undefined) this.parked.set(top.process, [top]);
        else others.push(top);
      }
    }
  }
}
