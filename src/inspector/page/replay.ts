/** What passes too quickly to be seen: a line is stale for a millisecond only, and its picture is to show it. */
import type { Step } from './wire.js';

/** A place that was entered is shown for so long, though the statechart may be elsewhere by then, milliseconds. */
const DWELL = 300;
/** Where several wait, all of them together, from the last one's coming: the picture is never further behind. */
const LAG = 600;
/** So many wait at most. */
const MOST = 8;

/** The steps that the picture has still to show, one after another. */
export class Replay {
  private readonly waiting: Step[] = [];
  private shownUntil = 0;
  /** By then the present is shown; undefined until it is next looked at the clock. */
  private due: number | undefined = 0;
  private transient: Step | undefined;
  /** The last one that was taken in, and what was made of it. */
  private last: { readonly step: Step; readonly whole: Step } | undefined;
  /** What is shown; undefined where that is the present. */
  shown: Step | undefined;

  /** @param passing nobody stays there: it is one with the step that follows */
  add(step: Step, passing: boolean): void {
    const { transient } = this;
    const whole = transient ? { ...step, from: transient.from, taken: [...transient.taken, ...step.taken] } : step;
    this.transient = passing ? whole : undefined;
    if (passing || whole.from === whole.to) return;
    this.last = { step, whole };
    this.due = undefined;
    this.waiting.push(whole);
    if (this.waiting.length > MOST) this.waiting.shift();
  }

  /** Shows the next one, when it is time. @returns whether something else is shown now */
  turn(here: number): boolean {
    this.due ??= here + LAG;
    if (here < this.shownUntil || (this.shown === undefined && this.waiting.length === 0)) return false;
    this.shown = this.waiting.shift();
    if (this.shown) this.shownUntil = here + Math.min(DWELL, (this.due - here) / (this.waiting.length + 1));
    return true;
  }

  /** The step as it is shown: together with those that led through places where nobody stays. */
  wholeOf(step: Step | undefined): Step | undefined {
    return step && step === this.last?.step ? this.last.whole : step;
  }
}
