import type { Environment, Timer } from '../environment.js';
import type { Timers } from './timers.js';

/** The program opens files too, without being accepted anywhere: so often it is looked, milliseconds. */
const LOOK_EVERY = 1000;
/** A look costs as much as a third of what else a socket costs that is accepted. So many may come between two, if far more are free. */
const MOST_UNSEEN = 64;

/** Looks whether as many descriptors are free as are to be kept for the program. */
export class DescriptorWatch {
  private timer: Timer | undefined;
  private starved: ((free: number) => void) | undefined;
  /** So many more may be accepted before the next look. */
  private unseen = 0;

  constructor(
    private readonly reserve: number,
    private readonly environment: Environment,
    private readonly timers: Timers,
  ) {}

  /** From now on `starved` is told when there are fewer, once. */
  begin(starved: (free: number) => void): void {
    this.end();
    this.starved = starved;
    if (this.free(false) !== undefined) this.lookLater();
  }

  end(): void {
    this.starved = undefined;
    if (this.timer) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** For each socket that was accepted: an upper bound will do, so that nobody is kept out without need. */
  accepted(): void {
    if (this.unseen > 0) this.unseen -= 1;
    else this.look();
  }

  private look(): void {
    const { starved } = this;
    const free = starved && this.free(false);
    if (free === undefined) return;
    // The program opens files meanwhile, too.
    this.unseen = Math.min(MOST_UNSEEN, Math.max(0, free - this.reserve) >> 2);
    if (free >= this.reserve) return;
    this.end();
    starved?.(free);
  }

  /** Whether there would be as many with a port, and one socket accepted there. */
  isEnough(): boolean {
    const wanted = this.reserve + 2;
    // To count them takes its time, so first what costs nothing.
    return (this.free(false) ?? wanted) >= wanted && (this.free(true) ?? wanted) >= wanted;
  }

  private lookLater(): void {
    this.timer = this.timers.setTimeout(() => {
      this.lookLater();
      this.look();
    }, LOOK_EVERY);
  }

  private free(exactly: boolean): number | undefined {
    return this.reserve === 0 ? undefined : this.environment.freeDescriptors?.(exactly);
  }
}
