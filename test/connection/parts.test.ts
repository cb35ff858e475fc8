import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { exponentialBackoff } from '../../src/backoff.js';
import { NinjaTcpError, type Reason } from '../../src/index.js';
import { Waiters } from '../../src/line/waiters.js';
import { Meter } from '../../src/meter.js';
import { outcome } from './stage.js';

const reason = {} as Reason;
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the default backoff', () => {
  const failures = [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 100, 10_000];
  const rows: [number, number[]][] = [
    [0, Array(12).fill(50)],
    [1, [150, 200, 275, 388, 556, 3894, 5817, 8700, 10_050, 10_050, 10_050, 10_050]],
    [0.5, [100, 125, 163, 219, 303, 1972, 2933, 4375, 5050, 5050, 5050, 5050]],
  ];
  test.each(rows)('with chance at %d', (chance, expected) => {
    const backoff = exponentialBackoff(() => chance);
    expect(failures.map((n) => Math.round(backoff(n, reason) as number))).toEqual(expected);
  });

  test('draws once for each attempt', () => {
    let draws = 0;
    const backoff = exponentialBackoff(() => {
      draws += 1;
      return draws / 10;
    });
    expect([1, 1, 1].map((n) => Math.round(backoff(n, reason) as number))).toEqual([60, 70, 80]);
  });
});

describe('the meter', () => {
  const meterAt = (now: number) => {
    const meter = new Meter(now);
    return {
      meter,
      count: (messages: number, bytes: number) => {
        meter.messages += messages;
        meter.bytes += bytes;
      },
    };
  };
  const nothing = { messages: 0, bytes: 0, messagesPerSecond: 0, bytesPerSecond: 0 };

  test('begins at nothing', () => {
    expect(meterAt(500).meter.read(500)).toEqual(nothing);
  });

  test('has totals at once, rates when a second is over', () => {
    const { meter, count } = meterAt(500);
    count(10, 1000);
    expect(meter.read(1499)).toEqual({ ...nothing, messages: 10, bytes: 1000 });
    expect(meter.read(1500)).toEqual({ messages: 10, bytes: 1000, messagesPerSecond: 10, bytesPerSecond: 1000 });
  });

  test('the rate of a window that was longer is per second still', () => {
    const { meter, count } = meterAt(0);
    count(10, 1000);
    expect(meter.read(2500)).toMatchObject({ messagesPerSecond: 4, bytesPerSecond: 400 });
  });

  test('windows follow each other: each counts what came in it', () => {
    const { meter, count } = meterAt(0);
    count(10, 100);
    meter.tick(1000);
    count(30, 300);
    expect(meter.read(1999)).toMatchObject({ messages: 40, messagesPerSecond: 10 });
    meter.tick(2000);
    expect(meter.read(2000)).toMatchObject({ messagesPerSecond: 30, bytesPerSecond: 300 });
    expect(meter.read(3000)).toMatchObject({ messages: 40, messagesPerSecond: 0, bytesPerSecond: 0 });
  });
});

describe('waiters', () => {
  test('all are resolved at once, and leave nothing behind', async () => {
    const waiters = new Waiters<number>();
    const controller = new AbortController();
    const waits = [waiters.wait('a'), waiters.wait('b', controller.signal)];
    expect([waiters.size, getEventListeners(controller.signal, 'abort').length]).toEqual([2, 1]);
    waiters.resolve(7);
    expect(await Promise.all(waits)).toEqual([7, 7]);
    expect([waiters.size, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  test('all are rejected at once, and leave nothing behind', async () => {
    const waiters = new Waiters<number>();
    const controller = new AbortController();
    const waits = [waiters.wait('a'), waiters.wait('b', controller.signal)].map(outcome);
    waiters.reject(new NinjaTcpError('NINJA_GAVE_UP', 'no'));
    await settle();
    expect(waits.map(({ is }) => is)).toEqual(['rejected GAVE_UP', 'rejected GAVE_UP']);
    expect([waiters.size, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  test('a signal ends its wait alone, in words that name it, with its reason as the cause', async () => {
    const waiters = new Waiters<number>();
    const controller = new AbortController();
    const aborted = waiters.wait('drained()', controller.signal);
    const other = waiters.wait('drained()');
    controller.abort('enough');
    await expect(aborted).rejects.toMatchObject({
      code: 'NINJA_ABORTED',
      message: 'drained() was aborted by its signal',
      cause: 'enough',
    });
    expect([waiters.size, getEventListeners(controller.signal, 'abort').length]).toEqual([1, 0]);
    waiters.resolve(1);
    expect(await other).toBe(1);
  });

  test('a signal that fired already: rejected at once, nothing waits', async () => {
    const waiters = new Waiters<number>();
    await expect(waiters.wait('x', AbortSignal.abort())).rejects.toMatchObject({ code: 'NINJA_ABORTED' });
    expect(waiters.size).toBe(0);
  });

  test('each settles once: what comes later changes nothing, and reaches nobody else', async () => {
    const waiters = new Waiters<number>();
    const controller = new AbortController();
    const wait = waiters.wait('x', controller.signal);
    waiters.resolve(1);
    waiters.resolve(2);
    waiters.reject(new Error('late'));
    controller.abort();
    expect(await wait).toBe(1);
    const next = outcome(waiters.wait('x'));
    await settle();
    expect(next.is).toBe('pending');
  });

  test('whoever waits anew from within the answer waits for the next one', async () => {
    const waiters = new Waiters<number>();
    const again = waiters.wait('x').then(() => waiters.wait('x'));
    waiters.resolve(1);
    await settle();
    expect(waiters.size).toBe(1);
    waiters.resolve(2);
    expect(await again).toBe(2);
  });
});
