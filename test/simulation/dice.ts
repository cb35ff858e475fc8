import { createRandom } from '../../src/testing/index.js';

/** Draws of one stream of a seed: one draw more in one stream changes nothing in another. */
export class Dice {
  private readonly random: () => number;

  constructor(seed: number, stream: string) {
    this.random = createRandom(seed, `simulation ${stream}`);
  }

  /** From 0 up to but not including 1. */
  next(): number {
    return this.random();
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  /** A whole number; each order of magnitude is as likely as the next. */
  scale(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.random());
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }

  /** One of several, by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.random() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  }
}
