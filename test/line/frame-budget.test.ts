import { describe, expect, test } from 'vitest';
import { FrameBudget } from '../../src/line/frame-budget.js';

function sharing(limit: number, names: string) {
  const budget = new FrameBudget(limit);
  const dropped: string[] = [];
  const holders = Object.fromEntries(
    [...names].map((name) => {
      const holder = {
        drop: ({ message }: Error) => {
          dropped.push(name);
          words.push(message);
          // As a socket does that is thrown away.
          budget.note(holder, 0);
        },
      };
      return [name, holder];
    }),
  );
  const words: string[] = [];
  const note = (name: string, bytes: number) => budget.note(holders[name] as { drop(error: Error): void }, bytes);
  return { note, dropped, words };
}

describe('the budget of unfinished frames', () => {
  test.each([
    [999, ''],
    [1000, ''],
    [1001, 'b'],
  ])('of 1000 bytes, with %d held: dropped %j', (bytes, expected) => {
    const { note, dropped } = sharing(1000, 'abc');
    note('a', 100);
    note('b', bytes - 300);
    note('c', 200);
    expect(dropped.join('')).toBe(expected);
  });

  test('counts what is held now: growing, shrinking, gone', () => {
    const { note, dropped } = sharing(1000, 'ab');
    for (const bytes of [900, 1000, 10, 0, 1000, 0]) note('a', bytes);
    note('b', 1000);
    expect(dropped).toEqual([]);
    note('a', 1);
    expect(dropped).toEqual(['b']);
    note('a', 1000);
    expect(dropped).toEqual(['b']);
  });

  test('drops the largest, one after the other, until the rest has room', () => {
    const { note, dropped, words } = sharing(1000, 'abcd');
    note('a', 300);
    note('b', 350);
    note('c', 350);
    note('d', 900);
    expect(dropped).toEqual(['d']);
    note('a', 1000);
    expect(dropped).toEqual(['d', 'a']);
    expect(words[0]).toBe(
      'the unfinished frames of all peers may hold unfinishedBytes, 1000 bytes, and held 1900; this one held the most, 900',
    );
  });
});
