import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/testing/index.js';

describe('the virtual clock', () => {
  test('stands still until it is moved', () => {
    const clock = createVirtualClock({ start: 100, wallStart: 5000 });
    expect([clock.now(), clock.wallNow(), clock.polledAt(), clock.pending]).toEqual([100, 5000, 100, 0]);
  });

  test('has a wall clock that starts in 2026 and goes with the monotonic one', async () => {
    const clock = createVirtualClock();
    await clock.advance(1234.5);
    expect(clock.wallNow() - Date.UTC(2026, 0, 1)).toBe(1234);
    expect(new Date(clock.wallNow()).toISOString()).toBe('2026-01-01T00:00:01.234Z');
  });

  test('moves the wall clock alone by jump()', () => {
    const clock = createVirtualClock({ wallStart: 5000 });
    clock.jump({ wallMs: -2000 });
    expect([clock.now(), clock.wallNow()]).toEqual([0, 3000]);
  });

  test('steps from timer to timer, also to those set meanwhile', async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      clock.setTimeout(again, 10);
    };
    again();
    await clock.advance(35);
    expect(fired).toEqual([0, 10, 20, 30]);
    expect([clock.now(), clock.timers()]).toEqual([35, [40]]);
  });

  test('fires timers of one instant in the order in which they were set, whatever their delays', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('first'), 20);
    await clock.advance(10);
    clock.setTimeout(() => fired.push('second'), 10);
    clock.setTimeout(() => fired.push('third'), 10);
    await clock.advance(10);
    expect(fired).toEqual(['first', 'second', 'third']);
  });

  test('fires a timer of 0 ms at this instant, not inside setTimeout', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('timer'), 0);
    fired.push('set');
    await clock.advance(0);
    expect(fired).toEqual(['set', 'timer']);
  });

  test('says polledAt = now while a timer fires', async () => {
    const clock = createVirtualClock();
    let polledAt = -1;
    clock.setTimeout(() => {
      polledAt = clock.polledAt();
    }, 70);
    await clock.advance(100);
    expect(polledAt).toBe(70);
  });

  test('clears timers, and forgives clearing twice, after firing, or nothing at all', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const kept = clock.setTimeout(() => fired.push('kept'), 10);
    const cleared = clock.setTimeout(() => fired.push('cleared'), 10);
    clock.clearTimeout(cleared);
    clock.clearTimeout(cleared);
    expect(clock.pending).toBe(1);
    await clock.advance(10);
    clock.clearTimeout(kept);
    clock.clearTimeout(undefined as never);
    expect([fired, clock.pending]).toEqual([['kept'], 0]);
  });

  test('clears a timer from another of the same instant', async () => {
    const clock = createVirtualClock();
    clock.setTimeout(() => clock.clearTimeout(late), 5);
    const late = clock.setTimeout(() => expect.fail('it was cleared'), 5);
    await clock.advance(5);
    expect(clock.pending).toBe(0);
  });

  test('forgets the memory of ten thousand cleared timers', () => {
    const clock = createVirtualClock();
    for (let count = 0; count < 10_000; count += 1) clock.clearTimeout(clock.setTimeout(() => {}, 60_000));
    clock.setTimeout(() => {}, 1);
    expect([clock.pending, clock.timers()]).toEqual([1, [1]]);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('refuses a delay of %d ms', (ms) => {
    const clock = createVirtualClock();
    expect(() => clock.setTimeout(() => {}, ms)).toThrow(RangeError);
    expect(() => clock.setTimeout(() => {}, ms)).toThrow(String(ms));
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to move by %d ms', async (ms) => {
    const clock = createVirtualClock();
    await expect(clock.advance(ms)).rejects.toThrow(RangeError);
    await expect(clock.runUntil(() => true, { limit: ms })).rejects.toThrow(RangeError);
    await expect(async () => clock.sleep(ms)).rejects.toThrow(RangeError);
    expect(() => clock.block(ms)).toThrow(RangeError);
  });

  test('refuses to be moved twice at once', async () => {
    const clock = createVirtualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow('being moved already');
    await first;
    expect(clock.now()).toBe(10);
  });

  test('rejects with what a timer throws, and goes on afterwards', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimeout(() => {
      clock.defer(() => fired.push('deferred'));
      throw new Error('thrown by a timer');
    }, 5);
    clock.setTimeout(() => fired.push('next'), 5);
    await expect(clock.advance(10)).rejects.toThrow('thrown by a timer');
    expect(clock.now()).toBe(5);
    await clock.advance(5);
    expect([fired, clock.now()]).toEqual([['deferred', 'next'], 10]);
  });

  test('says so when everything happens at one instant for ever', async () => {
    const clock = createVirtualClock();
    const round = (): void => {
      clock.setTimeout(round, 0);
    };
    round();
    await expect(clock.advance(1)).rejects.toThrow('The virtual clock stands still at 0');
  });
});

describe('between steps', () => {
  test('promise jobs settle, however long the chain, before the next timer of the same instant', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    clock.setTimeout(async () => {
      for (let hop = 0; hop < 50; hop += 1) await null;
      order.push('promises of the first');
    }, 5);
    clock.setTimeout(() => order.push('second'), 5);
    await clock.advance(5);
    expect(order).toEqual(['promises of the first', 'second']);
  });

  test('asynchronous code sleeps on virtual time', async () => {
    const clock = createVirtualClock();
    const woken: number[] = [];
    const program = async (): Promise<void> => {
      for await (const ms of [100, 1000, 10]) {
        await clock.sleep(ms);
        woken.push(clock.now());
      }
    };
    const over = program();
    await clock.runUntil(() => woken.length === 3);
    await over;
    expect([woken, clock.pending]).toEqual([[100, 1100, 1110], 0]);
  });
});

describe('defer', () => {
  test('runs at the end of the running callback, in order, before promise jobs and the next timer', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    clock.setTimeout(() => {
      queueMicrotask(() => order.push('promise job'));
      clock.defer(() => {
        order.push('deferred 1');
        clock.defer(() => order.push('deferred 3'));
      });
      clock.defer(() => order.push('deferred 2'));
      order.push('timer 1');
    }, 1);
    clock.setTimeout(() => order.push('timer 2'), 1);
    await clock.advance(1);
    expect(order).toEqual(['timer 1', 'deferred 1', 'deferred 2', 'deferred 3', 'promise job', 'timer 2']);
  });

  test('runs as a promise job when no step is running, never inside the call', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    clock.defer(() => order.push('first'));
    clock.defer(() => order.push('second'));
    expect(order).toEqual([]);
    await null;
    expect(order).toEqual(['first', 'second']);
  });

  test('settle() runs it, and what follows from it, and no timer', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    clock.setTimeout(() => order.push('timer'), 0);
    void Promise.resolve().then(() => {
      clock.defer(() => {
        void Promise.resolve().then(() => order.push('promise job of the deferred'));
      });
    });
    await clock.settle();
    expect(order).toEqual(['promise job of the deferred']);
  });
});

describe('runUntil', () => {
  test('stops at the callback that makes the condition true', async () => {
    const clock = createVirtualClock();
    let count = 0;
    for (const ms of [10, 20, 20, 30]) clock.setTimeout(() => (count += 1), ms);
    await clock.runUntil(() => count === 2);
    expect([count, clock.now(), clock.timers()]).toEqual([2, 20, [20, 30]]);
  });

  test('takes no time when the condition holds already', async () => {
    const clock = createVirtualClock();
    await clock.runUntil(() => true);
    expect(clock.now()).toBe(0);
  });

  test('accepts the time itself as a condition', async () => {
    const clock = createVirtualClock();
    await clock.runUntil(() => clock.now() >= 500, { limit: 500 });
    expect(clock.now()).toBe(500);
  });

  test('names limit, time and timers when it does not hold', async () => {
    const clock = createVirtualClock({ start: 1000 });
    clock.setTimeout(() => {}, 7000);
    clock.setTimeout(() => {}, 9000.5);
    await expect(clock.runUntil(() => false, { limit: 5000 })).rejects.toThrow(
      'The condition did not hold within 5000 ms of virtual time; it is 6000 now, and 2 timers are set, due at 8000, 10000.5',
    );
    await expect(createVirtualClock().runUntil(() => false)).rejects.toThrow(
      'within 60000 ms of virtual time; it is 60000 now, and no timer is set',
    );
  });

  test('waits for a promise and passes on its value or its error', async () => {
    const clock = createVirtualClock();
    await expect(clock.runUntil(clock.sleep(250).then(() => 'value'))).resolves.toBe('value');
    expect(clock.now()).toBe(250);
    const failing = clock.sleep(50).then(() => {
      throw new Error('of the promise');
    });
    await expect(clock.runUntil(failing)).rejects.toThrow('of the promise');
    await expect(clock.runUntil(new Promise(() => {}), { limit: 10 })).rejects.toThrow(
      'The promise did not settle within',
    );
  });

  test('rejects with what the condition throws', async () => {
    const clock = createVirtualClock();
    const condition = (): boolean => {
      throw new Error('of the condition');
    };
    await expect(clock.runUntil(condition)).rejects.toThrow('of the condition');
    await clock.advance(1);
  });
});
