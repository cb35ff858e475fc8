import { describe, expect, test } from 'vitest';
import { type TickEndCaller, tickEndOf } from '../../src/socket/tick-end.js';
import { createVirtualClock } from '../../src/testing/index.js';

function counted() {
  const clock = createVirtualClock();
  let deferred = 0;
  const counting = Object.assign(Object.create(clock) as typeof clock, {
    defer(callback: () => void) {
      deferred += 1;
      clock.defer(callback);
    },
  });
  const told: string[] = [];
  const caller = (name: string, more?: () => void): TickEndCaller => ({
    tickEnded() {
      told.push(name);
      more?.();
    },
  });
  return { clock, end: tickEndOf(counting), counting, told, caller, deferred: () => deferred };
}

describe('the end of a tick', () => {
  test('all that wait are called in order, by one deferred call', async () => {
    const { clock, end, told, caller, deferred } = counted();
    for (const name of ['a', 'b', 'c']) end.add(caller(name));
    expect(told).toEqual([]);
    await clock.settle();
    expect([told, deferred()]).toEqual([['a', 'b', 'c'], 1]);
    end.add(caller('d'));
    await clock.settle();
    expect([told, deferred()]).toEqual([['a', 'b', 'c', 'd'], 2]);
  });

  test('who is added meanwhile is called too, once', async () => {
    const { clock, end, told, caller } = counted();
    end.add(caller('a', () => end.add(caller('late'))));
    end.add(caller('b'));
    await clock.settle();
    expect(told).toEqual(['a', 'b', 'late']);
  });

  test('one that throws keeps none of the others from being called', () => {
    const calls: (() => void)[] = [];
    const end = tickEndOf({ defer: (callback: () => void) => calls.push(callback) } as never);
    const { told, caller } = counted();
    end.add(caller('a'));
    end.add(
      caller('broken', () => {
        throw new Error('broken');
      }),
    );
    end.add(caller('c'));
    expect(() => calls[0]?.()).toThrow('broken');
    end.add(caller('d'));
    for (const call of calls.slice(1)) call();
    expect(told).toEqual(['a', 'broken', 'c', 'd']);
  });

  test('each clock has its own, always the same', () => {
    const { counting, end } = counted();
    expect(tickEndOf(counting)).toBe(end);
    expect(tickEndOf(createVirtualClock())).not.toBe(end);
  });
});
