import { expect, test } from 'vitest';
import { explore } from './explore.js';
import type { Setting } from './world.js';

const plain: Setting = { up: 0, down: 0, breaks: 0, window: 8, slow: false, narrow: false };

/** A world in words, what it is made of, and how many states it has at least: one that has fallen asleep proves nothing. */
export type World = readonly [name: string, setting: Partial<Setting>, least: number];

/** Walks each world, and prints what it saw. */
export function walk(worlds: readonly World[], most: number): void {
  test.each(worlds)(
    'with %s',
    (name, setting, least) => {
      const { failure, states, transitions, done } = explore({ ...plain, ...setting }, most);
      console.log(`${name}: ${states} states, ${transitions} transitions, ${done} at the end`);
      expect(failure).toBeUndefined();
      expect(states).toBeGreaterThan(least);
    },
    300_000,
  );
}
