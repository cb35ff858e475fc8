/** What the page has seen of the chosen one, and how to go back and forth in it. */
import { clamp } from './geometry.js';
import { type Detail, type Passed, placeOf, type Step } from './wire.js';

export type Entry =
  | { readonly kind: 'picture'; readonly at: number; readonly detail: Detail }
  | { readonly kind: 'step'; readonly at: number; readonly step: Step }
  /** Something that happened to the page: the feed was lost, the process is another. */
  | { readonly kind: 'mark'; readonly at: number; readonly text: string };

/** Whose statechart: that of the chosen one, or of its session. */
export type Life = 'own' | 'session';

/** What is to be shown for one position, of one statechart. */
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
  /** Whose steps are looked at. */
  life: Life = 'own';
  /** All transitions that were told, oldest first, each once. */
  readonly passed: Passed[] = [];
  readonly sessionPassed: Passed[] = [];

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
    const { history, sessionHistory } = detail;
    note(this.passed, history);
    if (sessionHistory) note(this.sessionPassed, sessionHistory);
    const before = this.pictureAt(this.end - 1);
    if (!before) return detail;
    return {
      ...detail,
      history: shared(before.history, history),
      sessionHistory: sessionHistory && shared(before.sessionHistory, sessionHistory),
    };
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
   * @param stepsOnly what lies between two steps of the statechart that is looked at is passed over
   */
  move(direction: -1 | 1, stepsOnly: boolean): void {
    this.pause();
    const from = this.held ?? this.end - 1;
    for (let position = from + direction; this.at(position); position += direction) {
      if (stepsOnly && !this.stepAt(position) && this.at(position)?.kind !== 'mark') continue;
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

  /** The step at a position, where there is one of this statechart. */
  private stepAt(position: number, life = this.life): Step | undefined {
    const entry = this.at(position);
    return entry?.kind === 'step' && (entry.step.chart ?? 'own') === life ? entry.step : undefined;
  }

  moment(life = this.life): Moment | undefined {
    const position = this.held ?? this.end - 1;
    const entry = this.at(position);
    if (!entry) return undefined;
    const step = this.stepBefore(position, life);
    const picture = this.pictureAt(position);
    if (!step) return { at: entry.at, place: picture && lifePlace(picture, life), picture, step: undefined };
    // The picture that belongs to a step comes right behind it.
    const next = this.nextPicture(position, life);
    const fitting = [next, picture].find((one) => one && lifePlace(one, life) === step.to) ?? picture ?? next;
    return { at: entry.at, place: step.to, picture: fitting, step: this.stepAt(position, life) };
  }

  /** The step at a position, or one before it with no picture in between. */
  private stepBefore(position: number, life: Life): Step | undefined {
    for (let one = position; ; one -= 1) {
      const kind = this.at(one)?.kind;
      if (kind === undefined || kind === 'picture') return undefined;
      const step = this.stepAt(one, life);
      if (step) return step;
    }
  }

  private nextPicture(position: number, life: Life): Detail | undefined {
    for (let one = position + 1; one < this.end; one += 1) {
      const entry = this.at(one);
      if (entry?.kind === 'picture') return entry.detail;
      const step = this.stepAt(one, life);
      if (step && step.from !== step.to) return undefined;
    }
    return undefined;
  }

  /** The last steps up to what is looked at, newest first. */
  steps(most: number): Step[] {
    const steps: Step[] = [];
    for (let one = this.held ?? this.end - 1; one >= this.first && steps.length < most; one -= 1) {
      const step = this.stepAt(one);
      if (step) steps.push(step);
    }
    return steps;
  }
}

/** Where a statechart stands in a picture. */
function lifePlace({ snapshot, sessionHistory }: Detail, life: Life): string | undefined {
  return life === 'own' ? placeOf(snapshot) : sessionHistory?.at(-1)?.to;
}

/** Adds what is new in a history. */
function note(passed: Passed[], history: readonly Passed[]): void {
  const last = passed.at(-1);
  for (const one of history) if (!last || one.at > last.at || isNews(one, last, history)) passed.push(one);
  if (passed.length > MOST_PASSED) passed.splice(0, passed.length - MOST_PASSED);
}

function shared(before: readonly Passed[] | undefined, history: readonly Passed[]): readonly Passed[] {
  return before && sameHistory(before, history) ? before : history;
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
    entry.kind === 'picture'
      ? { ...entry, detail: { ...entry.detail, history: undefined, sessionHistory: undefined } }
      : entry,
  );
  return {
    format: 'ninja-tcp inspector recording',
    version: 1,
    process,
    id: recording.id,
    entries: pictures,
    history: recording.passed,
    sessionHistory: recording.sessionPassed,
  };
}
