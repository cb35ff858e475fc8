import type { Target } from '../target.js';

interface Entry {
  readonly target: Target;
  /** In a row: since a byte last came from there. */
  failures: number;
  /** The round in which it was last tried, and its place in the order of all attempts. */
  round: number;
  turn: number;
}

/**
 * Where the next attempt goes, of several endpoints. They are shuffled once; in a round each is tried once, those with
 * the fewest failures in a row first, then those whose last try is longest ago. Pure: chance is a parameter.
 */
export class Endpoints {
  private readonly entries: readonly Entry[];
  private round = 1;
  private turn = 0;
  private last: Entry;

  /** @param random chance, from 0 up to but not including 1; not asked where there is nothing to shuffle */
  constructor(targets: readonly [Target, ...Target[]], random: () => number) {
    const entries = targets.map((target): Entry => ({ target, failures: 0, round: 0, turn: 0 }));
    for (let at = entries.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [entries[at], entries[other]] = [entries[other] as Entry, entries[at] as Entry];
    }
    this.entries = entries;
    this.last = entries[0] as Entry;
  }

  get size(): number {
    return this.entries.length;
  }

  /** That of the present or last attempt; before the first, where it will go. */
  get current(): Target {
    return this.last.target;
  }

  /** Some endpoint was not tried yet in this round. */
  get untried(): boolean {
    return this.entries.some(({ round }) => round < this.round);
  }

  /** Chooses for the next attempt. */
  next(): Target {
    if (!this.untried) this.round += 1;
    const left = this.entries.filter(({ round }) => round < this.round);
    const best = left.reduce((one, other) => (isBefore(other, one) ? other : one));
    this.turn += 1;
    best.round = this.round;
    best.turn = this.turn;
    this.last = best;
    return best.target;
  }

  /** A byte came from the current one. */
  proved(): void {
    this.last.failures = 0;
  }

  /** The attempt at the current one failed, or its line was lost. */
  failed(): void {
    this.last.failures += 1;
  }

  /** All of them are to be tried again. */
  begin(): void {
    this.round += 1;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.failures < other.failures || (one.failures === other.failures && one.turn < other.turn);
}
