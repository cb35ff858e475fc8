import { describe, expect, test } from 'vitest';
import { History } from '../../src/line/history.js';

const step = (at: number, to: string, epoch = 1) => ({ at, epoch, to, cause: `cause of ${to}`, reason: undefined });

describe.each([
  ['read at the end', false],
  ['read after each step', true],
])('a history, %s,', (_, read) => {
  function history(count: number): History {
    const one = new History(5);
    for (let place = 1; place <= count; place += 1) {
      one.add(step(100 + place, `state ${place}`, place));
      if (read) expect(one.steps.at(-1)).toEqual(one.last);
    }
    return one;
  }

  test('before the first step there is none', () => {
    const { steps, last, since } = history(0);
    expect([steps, last, since]).toEqual([[], undefined, 5]);
  });

  test('each step knows where it came from', () => {
    const { steps, last, since } = history(2);
    expect(steps).toEqual([
      { ...step(101, 'state 1', 1), from: undefined },
      { ...step(102, 'state 2', 2), from: 'state 1' },
    ]);
    expect([last, since]).toEqual([steps[1], 102]);
  });

  test('the last 50 are kept', () => {
    const { steps } = history(53);
    expect([steps.length, steps[0]?.to, steps[0]?.from, steps[49]?.to]).toEqual([50, 'state 4', 'state 3', 'state 53']);
  });

  test('whoever reads it again finds the same objects', () => {
    const one = history(3);
    const before = one.steps;
    one.add(step(200, 'next'));
    expect(one.steps[2]).toBe(before[2]);
    expect(one.last).toBe(one.steps[3]);
  });
});
