import { describe, expect, test } from 'vitest';
import type { Timer } from '../../src/environment.js';
import { Timers } from '../../src/socket/timers.js';
import { createVirtualClock } from '../../src/testing/index.js';

function marked() {
  const clock = createVirtualClock();
  const marks: string[] = [];
  const timers = new Timers(
    Object.assign(Object.create(clock) as typeof clock, {
      setTimeout: (callback: () => void, ms: number): Timer =>
        Object.assign(clock.setTimeout(callback, ms), {
          ref: () => marks.push(`ref ${ms}`),
          unref: () => marks.push(`unref ${ms}`),
        }),
    }),
  );
  return { clock, timers, marks };
}

describe('the timers of a line', () => {
  test('ref() and unref() reach those that are set, and those to come', () => {
    const { timers, marks } = marked();
    timers.setTimeout(() => {}, 1);
    timers.unref();
    timers.setTimeout(() => {}, 2);
    timers.ref();
    timers.setTimeout(() => {}, 3);
    expect(marks).toEqual(['unref 1', 'unref 2', 'ref 1', 'ref 2']);
  });

  test('those that fired or were cleared are let go', async () => {
    const { clock, timers, marks } = marked();
    let fired = 0;
    timers.setTimeout(() => {
      fired += 1;
    }, 1);
    const cleared = timers.setTimeout(() => {
      fired += 1;
    }, 2);
    timers.clearTimeout(cleared);
    await clock.advance(10);
    timers.unref();
    expect([fired, marks, clock.pending]).toEqual([1, [], 0]);
  });

  test('a timer may set the next one', async () => {
    const { clock, timers } = marked();
    const at: number[] = [];
    const tick = () => {
      at.push(clock.now());
      if (at.length < 3) timers.setTimeout(tick, 10);
    };
    timers.setTimeout(tick, 10);
    await clock.advance(100);
    expect(at).toEqual([10, 20, 30]);
  });
});
