import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { Timer } from '../../src/environment.js';
import { Crowd } from '../../src/socket/crowd.js';
import { nodeEnvironment } from '../../src/socket/node.js';
import { createVirtualClock } from '../../src/testing/index.js';

function stage() {
  const clock = createVirtualClock();
  const marks: string[] = [];
  const marking = Object.assign(Object.create(clock) as typeof clock, {
    setTimeout: (callback: () => void, ms: number): Timer =>
      Object.assign(clock.setTimeout(callback, ms), {
        ref: () => marks.push('ref'),
        unref: () => marks.push('unref'),
      }),
  });
  const crowd = new Crowd(marking);
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name} at ${clock.now()}`);
  return { clock, crowd, marks, seen, note, look: () => marks.splice(0) };
}

describe('the timers of a crowd', () => {
  test.each([
    { sets: [30, 10, 20], fire: ['10 at 10', '20 at 20', '30 at 30'] },
    { sets: [10, 10, 10], fire: ['10 at 10', '10 at 10', '10 at 10'] },
    { sets: [2 ** 31 - 1, 0], fire: ['0 at 0', '2147483647 at 2147483647'] },
  ])('$sets ms fire when they are due, behind one timer of the clock', async ({ sets, fire }) => {
    const { clock, crowd, seen, note } = stage();
    for (const ms of sets) crowd.timers().setTimeout(note(`${ms}`), ms);
    expect(clock.pending).toBe(1);
    await clock.advance(2 ** 31);
    expect([seen, clock.pending]).toEqual([fire, 0]);
  });

  test('the longest there is, set between two milliseconds, is no longer than that', async () => {
    // 1172.5558793854434 + 2147483647 - 1172.5558793854434 is more than 2147483647.
    for (let from = 0; from < 1000; from += 0.7360327907838) {
      const clock = createVirtualClock({ start: from });
      new Crowd(clock).timers().setTimeout(() => {}, 2 ** 31 - 1);
      expect(clock.pending).toBe(1);
    }
  });

  test('of one instant fire as they were set, each with what it defers', async () => {
    const { clock, crowd, seen, note } = stage();
    for (const name of ['a', 'b', 'c']) {
      crowd.timers().setTimeout(() => {
        note(name)();
        clock.defer(note(`deferred by ${name}`));
      }, 10);
    }
    await clock.advance(10);
    const turns = seen.map((one) => one.replace(' at 10', ''));
    expect(turns).toEqual(['a', 'deferred by a', 'b', 'deferred by b', 'c', 'deferred by c']);
  });

  test('may set the next one, which sees a poll before it', async () => {
    const { clock, crowd, seen, note } = stage();
    const timers = crowd.timers();
    timers.setTimeout(() => {
      timers.setTimeout(note('next'), 0);
      clock.defer(() => clock.defer(note('deferred')));
    }, 10);
    await clock.advance(10);
    expect(seen).toEqual(['deferred at 10', 'next at 10']);
  });

  test('cleared ones never fire, and leave nothing behind', async () => {
    const { clock, crowd, seen, note } = stage();
    const timers = crowd.timers();
    const first = timers.setTimeout(note('first'), 10);
    const second = timers.setTimeout(note('second'), 10);
    timers.setTimeout(() => timers.clearTimeout(second), 5);
    timers.clearTimeout(first);
    timers.clearTimeout(first);
    await clock.advance(5);
    expect(clock.pending).toBe(0);
    await clock.advance(10);
    expect(seen).toEqual([]);
  });

  test('many that are set and cleared while one waits do not fill the memory', () => {
    const { crowd, note } = stage();
    const timers = crowd.timers();
    timers.setTimeout(note('waits'), 1000);
    for (let i = 0; i < 10_000; i += 1) timers.clearTimeout(timers.setTimeout(note('never'), 2000));
    expect(Reflect.get(crowd, 'heap').size).toBeLessThan(200);
  });

  test('one that throws takes no turn from the others', async () => {
    const { clock, crowd, seen, note } = stage();
    crowd.timers().setTimeout(() => {
      throw new Error('of the program');
    }, 10);
    crowd.timers().setTimeout(note('other'), 10);
    crowd.timers().setTimeout(note('later'), 20);
    await expect(clock.advance(20)).rejects.toThrow('of the program');
    await clock.advance(10);
    expect(seen).toEqual(['other at 10', 'later at 20']);
  });

  test('behind a blocked loop they find when their bytes had been read; what came due meanwhile sees a poll of its own', async () => {
    const { clock, crowd, seen } = stage();
    const verdict = (name: string) => () => void seen.push(`${name} as of ${clock.polledAt()} at ${clock.now()}`);
    crowd.timers().setTimeout(() => clock.block(100), 10);
    crowd.timers().setTimeout(verdict('same instant'), 10);
    crowd.timers().setTimeout(verdict('meanwhile'), 50);
    await clock.advance(200);
    expect(seen).toEqual(['same instant as of 10 at 110', 'meanwhile as of 110 at 110']);
  });

  test('keep the process alive while one of a line that is to do so is set', async () => {
    const { clock, crowd, look } = stage();
    const [one, other] = [crowd.timers(), crowd.timers()];
    one.setTimeout(() => {}, 10);
    other.setTimeout(() => {}, 20);
    one.unref();
    one.unref();
    expect(look()).toEqual([]);
    other.unref();
    expect(look()).toEqual(['unref']);
    one.ref();
    expect(look()).toEqual(['ref']);
    // The clock's timer for the other is a new one.
    await clock.advance(10);
    expect(look()).toEqual(['unref']);
    one.setTimeout(() => {}, 10);
    expect(look()).toEqual(['ref']);
  });

  test('none of the async contexts in which they are set sticks to the others', async () => {
    const storage = new AsyncLocalStorage<string>();
    const crowd = new Crowd(nodeEnvironment.clock);
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      storage.run('of one line', () => crowd.timers().setTimeout(() => seen.push(storage.getStore()), 1));
      crowd.timers().setTimeout(() => {
        seen.push(storage.getStore());
        resolve();
      }, 2);
    });
    expect(seen).toEqual([undefined, undefined]);
  });
});
