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

/** A step, but for its time. */
type Step = Omit<Transition, 'at'>;

/** The steps that most lines take are the same for all of them: a few, those of a first attempt without a failure. */
const ordinary: Step[] = [];
const MOST_ORDINARY = 12;

function isSame(one: Step, other: Step): boolean {
  return one.to === other.to && one.from === other.from && one.cause === other.cause && one.epoch === other.epoch;
}

function shared(step: Step): Step {
  if (step.epoch > 1 || step.reason) return step;
  const known = ordinary.find((one) => isSame(one, step));
  if (!known && ordinary.length < MOST_ORDINARY) ordinary.push(step);
  return known ?? step;
}

const NONE: readonly never[] = [];

/** The last transitions of one statechart. It is written small until somebody reads it, as of most lines in a crowd nobody does. */
export class History {
  /** Times and steps by turns, while nobody has asked. A list that just fits, since one that grows reserves seventeen places. */
  private kept: readonly (number | Step)[] = NONE;
  /** What was told: whoever asks again finds the same objects. */
  private told: readonly Transition[] | undefined;

  /** @param begun wall-clock milliseconds at which the first state was entered */
  constructor(private readonly begun: number) {}

  /** Oldest first. */
  get steps(): readonly Transition[] {
    if (this.told) return this.told;
    const steps: Transition[] = [];
    for (let place = 0; place < this.kept.length; place += 2) steps.push(this.step(place));
    this.told = steps;
    this.kept = NONE;
    return steps;
  }

  get last(): Transition | undefined {
    if (this.told) return this.told.at(-1);
    return this.kept.length > 0 ? this.step(this.kept.length - 2) : undefined;
  }

  /** Wall-clock milliseconds at which the present state was entered. */
  get since(): number {
    return this.last?.at ?? this.begun;
  }

  private step(place: number): Transition {
    const { epoch, from, to, cause, reason } = this.kept[place + 1] as Step;
    return { at: this.kept[place] as number, epoch, from, to, cause, reason };
  }

  add({ at, epoch, to, cause, reason }: Omit<Transition, 'from'>): Transition {
    const from = this.last?.to;
    const step = { at, epoch, from, to, cause, reason };
    if (this.told) {
      this.told = this.told.slice(this.told.length === LENGTH ? 1 : 0).concat(step);
    } else {
      const { kept } = this;
      this.kept = kept.slice(kept.length === 2 * LENGTH ? 2 : 0).concat(at, shared({ epoch, from, to, cause, reason }));
    }
    return step;
  }
}
