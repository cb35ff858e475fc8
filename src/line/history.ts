import type { Reason } from '../errors.js';

/** One step of a life. */
export interface Transition {
  /** Wall-clock milliseconds since 1970. */
  readonly at: number;
  readonly epoch: number;
  /** Undefined for the first. */
  readonly from: string | undefined;
  readonly to: string;
  /** The event or the delay: `socket.opened`, `after silence`, `close`. */
  readonly cause: string;
  /** Why the last line was lost, as it was known then. */
  readonly reason: Reason | undefined;
}

/** So many transitions are kept. */
const LENGTH = 50;

/** The last transitions of one statechart. */
export class History {
  /** Oldest first. */
  readonly steps: Transition[] = [];

  /** @param since wall-clock milliseconds at which the present state was entered */
  constructor(public since: number) {}

  add(step: Omit<Transition, 'from'>): void {
    this.since = step.at;
    const from = this.steps.at(-1)?.to;
    if (this.steps.length === LENGTH) this.steps.shift();
    this.steps.push({ ...step, from });
  }
}
