import type { Clock, Timer } from '../environment.js';

/** Stands for the timer of a sleeper, which its chart takes over. */
const TAKEN: Timer = {};

/** The one timer of a life whose statechart sleeps. A chart that is made late takes it over, where it stands among others. */
export abstract class Sleeper {
  private timer: Timer | undefined;
  /** What the chart wants to happen when it fires. */
  private takenOver: (() => void) | undefined;
  /** The chart is led through what was done already. */
  protected led = false;

  constructor(private readonly timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>) {}

  /** It fired, and no chart has taken it over. */
  protected abstract rang(): void;

  /** The chart was made. */
  protected abstract get isAwake(): boolean;

  protected arm(ms: number): void {
    // Made in the middle of this step, the chart went on by an order of whom it was shown to.
    if (this.isAwake && !this.takenOver) return;
    this.timer = this.timers.setTimeout(this.ring, ms);
  }

  protected disarm(): void {
    if (this.timer) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private readonly ring = (): void => {
    this.timer = undefined;
    const { takenOver } = this;
    this.takenOver = undefined;
    if (takenOver) takenOver();
    else this.rang();
  };

  /** The timers of the chart. Of those that it sets while it is led, only the last is still to come. */
  protected clock(): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
    return {
      setTimeout: (callback, ms) => {
        if (!this.led) return this.timers.setTimeout(callback, ms);
        this.takenOver = callback;
        return TAKEN;
      },
      clearTimeout: (timer) => {
        if (timer !== TAKEN) {
          this.timers.clearTimeout(timer);
          return;
        }
        this.takenOver = undefined;
        if (!this.led) this.disarm();
      },
    };
  }
}
