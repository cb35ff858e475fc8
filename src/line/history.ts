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
  private kept: readonly Transition[] = [];

  /** @param since wall-clock milliseconds at which the present state was entered */
  constructor(public since: number) {}

  /** Oldest first. */
  get steps(): readonly Transition[] {
    return this.kept;
  }

  add({ at, epoch, to, cause, reason }: Omit<Transition, 'from'>): Transition {
    this.since = at;
    const from = this.kept.at(-1)?.to;
    // Written out, since a spread gives each step a hidden class of its own; and put into a list that just fits, since
    // one that grows reserves seventeen places, where most peers only ever take two steps.
    const step = { at, epoch, from, to, cause, reason };
    this.kept = [...(this.kept.length === LENGTH ? this.kept.slice(1) : this.kept), step];
    return step;
  }
}
