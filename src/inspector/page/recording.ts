/** What the page has seen of the chosen one, and how to go back and forth in it. */
import { clamp } from './geometry.js';
import { type Detail, type Passed, placeOf, type Step } from './wire.js';

export type Entry =
  | { readonly kind: 'picture'; readonly at: number; readonly detail: Detail }
  | { readonly kind: 'step'; readonly at: number; readonly step: Step }
  /** Something that happened to the page: the feed was lost, the process is another. */
  | { readonly kind: 'mark'; readonly at: number; readonly text: string };

/** What is to be shown for one position. */
export interface Moment {
  readonly at: number;
  /** Which states are lit: `connected.live`. */
  readonly place: string | undefined;
  readonly picture: Detail | undefined;
  /** The step of this very position. */
  readonly step: Step | undefined;
}

/** So many entries are kept. */
const MOST = 10_000;
/** So many transitions are kept for the coloured bands. */
const MOST_PASSED = 2_000;

/**
 * Entries have positions: 0 for the first that was ever recorded. The oldest make room, positions stay. `held` is the
 * position that is looked at; undefined while the picture is live.
 */
export class Recording {
  private entries: Entry[] = [];
  /** The position of the oldest entry that is kept. */
  first = 0;
  held: number | undefined;
  /** All transitions that were told, oldest first, each once. */
  passed: Passed[] = [];

  constructor(
    readonly id: string,
    private readonly limit = MOST,
  ) {}

  /** The position behind the newest entry. */
  get end(): number {
    return this.first + this.entries.length;
  }

  get all(): readonly Entry[] {
    return this.entries;
  }

  at(position: number): Entry | undefined {
    return this.entries[position - this.first];
  }

  add(entry: Entry): void {
    this.entries.push(entry.kind === 'picture' ? { ...entry, detail: this.lean(entry.detail) } : entry);
    if (this.entries.length > this.limit) {
      this.entries.shift();
      this.first += 1;
    }
    if (this.held !== undefined) this.held = Math.max(this.held, this.first);
  }

  /** A picture whose history is that of the one before shares it: it comes four times a second. */
  private lean(detail: Detail): Detail {
    const last = this.passed.at(-1);
    for (const one of detail.history)
      if (!last || one.at > last.at || isNews(one, last, detail.history)) this.passed.push(one);
    if (this.passed.length > MOST_PASSED) this.passed.splice(0, this.passed.length - MOST_PASSED);
    const before = this.pictureAt(this.end - 1)?.history;
    return before && sameHistory(before, detail.history) ? { ...detail, history: before } : detail;
  }

  /** Stops the picture where it is. */
  pause(): void {
    if (this.end > this.first) this.held ??= this.end - 1;
  }

  live(): void {
    this.held = undefined;
  }

  /** Goes to a position; the nearest there is. */
  go(position: number): void {
    if (this.end > this.first) this.held = clamp(position, this.first, this.end - 1);
  }

  /**
   * Goes to the next entry in a direction; stays where there is none.
   *
   * @param stepsOnly pictures between two steps are passed over
   */
  move(direction: -1 | 1, stepsOnly: boolean): void {
    this.pause();
    const from = this.held ?? this.end - 1;
    for (let position = from + direction; this.at(position); position += direction) {
      if (stepsOnly && this.at(position)?.kind === 'picture') continue;
      this.held = position;
      return;
    }
  }

  /** The position of the last entry that is not later than a time. */
  positionAt(time: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle]?.at ?? 0) <= time) low = middle + 1;
      else high = middle;
    }
    return this.first + Math.max(0, low - 1);
  }

  /** The last picture at or before a position. */
  pictureAt(position: number): Detail | undefined {
    for (let one = position; one >= this.first; one -= 1) {
      const entry = this.at(one);
      if (entry?.kind === 'picture') return entry.detail;
    }
    return undefined;
  }

  moment(): Moment | undefined {
    const position = this.held ?? this.end - 1;
    const entry = this.at(position);
    if (!entry) return undefined;
    if (entry.kind === 'picture') {
      return { at: entry.at, place: placeOf(entry.detail.snapshot), picture: entry.detail, step: undefined };
    }
    const step = this.stepBefore(position);
    const picture = this.pictureAt(position);
    if (!step) return { at: entry.at, place: picture && placeOf(picture.snapshot), picture, step: undefined };
    // The picture that belongs to a step comes right behind it.
    const next = this.nextPicture(position);
    const fitting = [next, picture].find((one) => one && placeOf(one.snapshot) === step.to) ?? picture ?? next;
    return { at: entry.at, place: step.to, picture: fitting, step: entry.kind === 'step' ? step : undefined };
  }

  /** The step at a position, or one before it with no picture in between. */
  private stepBefore(position: number): Step | undefined {
    for (let one = position; ; one -= 1) {
      const entry = this.at(one);
      if (entry?.kind === 'step') return entry.step;
      if (entry?.kind !== 'mark') return undefined;
    }
  }

  private nextPicture(position: number): Detail | undefined {
    for (let one = position + 1; one < this.end; one += 1) {
      const entry = this.at(one);
      if (entry?.kind === 'picture') return entry.detail;
      if (entry?.kind === 'step' && entry.step.from !== entry.step.to) return undefined;
    }
    return undefined;
  }

  /** The last steps up to what is looked at, newest first. */
  steps(most: number): Step[] {
    const steps: Step[] = [];
    for (let one = this.held ?? this.end - 1; one >= this.first && steps.length < most; one -= 1) {
      const entry = this.at(one);
      if (entry?.kind === 'step') steps.push(entry.step);
    }
    return steps;
  }
}

function sameHistory(a: readonly Passed[], b: readonly Passed[]): boolean {
  const [x, y] = [a.at(-1), b.at(-1)];
  return a.length === b.length && x?.at === y?.at && x?.to === y?.to && x?.cause === y?.cause && a[0]?.at === b[0]?.at;
}

/** Several steps of one millisecond: those behind the last known one are news. */
function isNews(one: Passed, last: Passed, history: readonly Passed[]): boolean {
  if (one.at !== last.at) return false;
  const known = history.findLastIndex(
    (other) => other.at === last.at && other.to === last.to && other.cause === last.cause,
  );
  return known >= 0 && history.indexOf(one) > known;
}

/** The recording as a file: what a colleague needs to see the same. */
export function exported(recording: Recording, process: { title: string; pid: number; version: string } | undefined) {
  const pictures = recording.all.map((entry) =>
    // Transitions are told once, below, not again in each picture.
    entry.kind === 'picture' ? { ...entry, detail: { ...entry.detail, history: undefined } } : entry,
  );
  return {
    format: 'ninja-tcp inspector recording',
    version: 1,
    process,
    id: recording.id,
    entries: pictures,
    history: recording.passed,
  };
}
