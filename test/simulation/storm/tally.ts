import type { World } from './world.js';

/** Dials are counted in steps of so much, so that a window of 100 ms may begin anywhere, to within a step. */
const STEP = 10;
const WINDOW = 100;

/** The least of them that so large a share of them does not exceed; they are in order. */
export const percentile = (ordered: readonly number[], share: number): number =>
  ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? Number.NaN;

/** What is told of a storm. Times are milliseconds from the end of the last outage. */
export class Tally {
  dials = 0;
  /** SYNs and ACKs that the full backlog dropped. */
  overflowed = 0;
  private readonly steps: number[] = [];
  private times: readonly number[] = [];
  private readonly over: number;

  constructor(readonly world: World) {
    const last = world.outages.at(-1);
    this.over = last ? last.at + last.lasts : 0;
  }

  dial(at: number): void {
    this.dials += 1;
    const step = Math.floor(at / STEP);
    const { steps } = this;
    while (steps.length <= step) steps.push(0);
    steps[step] = (steps[step] as number) + 1;
  }

  healed(at: readonly number[]): void {
    this.times = at.map((time) => time - this.over).sort((a, b) => a - b);
  }

  /** After this time the given share of the clients was live again. */
  percentile(share: number): number {
    return percentile(this.times, share);
  }

  get dialsEach(): number {
    return this.dials / this.world.clients;
  }

  /** Dials in the busiest 100 ms while nobody is served, per client: above 1 where they dial more than once. */
  get peakDown(): number {
    return this.busiest(0, this.over - WINDOW);
  }

  /** The same from the server's return on; a window that begins just before counts as well. */
  get peakUp(): number {
    return this.busiest(this.over - WINDOW + STEP, Number.POSITIVE_INFINITY);
  }

  private busiest(from: number, to: number): number {
    let most = 0;
    const last = Math.min(to / STEP, this.steps.length - 1);
    for (let start = Math.max(0, Math.floor(from / STEP)); start <= last; start += 1) {
      let dials = 0;
      for (let step = start; step < start + WINDOW / STEP; step += 1) dials += this.steps[step] ?? 0;
      most = Math.max(most, dials);
    }
    return most / this.world.clients;
  }
}
