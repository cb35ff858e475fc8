import { describe, expect, test } from 'vitest';
import { Pulse } from '../../src/socket/pulse.js';
import { Watch } from '../../src/socket/watch.js';
import { createVirtualClock } from '../../src/testing/index.js';

function watching(staleAfter = 3000) {
  const clock = createVirtualClock({ start: 500 });
  const pulse = new Pulse({ staleAfter, heartbeatInterval: 1000 });
  const watch = new Watch(pulse, clock);
  const log: string[] = [];
  const since = () => clock.now() - 500;
  const ask = () => void log.push(`ask at ${since()}`);
  /** Our own heartbeats, as the socket writes them. */
  const beat = () => {
    pulse.wroteAt = clock.now();
    clock.setTimeout(beat, 1000);
  };
  const look = () => {
    if (watch.heardInTime()) {
      watch.arm(ask);
      clock.setTimeout(look, watch.delay);
    } else log.push(`stale at ${since()} after ${watch.silentForMs()}`);
  };
  pulse.open(clock.now());
  beat();
  watch.arm(ask);
  clock.setTimeout(look, watch.delay);
  return { clock, pulse, watch, log };
}

describe('the watch', () => {
  test('finds silence at the millisecond, with one timer a window', async () => {
    const { clock, pulse, log } = watching();
    for (let n = 0; n < 100; n += 1) {
      await clock.advance(70);
      pulse.heardAt = clock.now();
      expect(clock.pending).toBe(2);
    }
    await clock.advance(2999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['stale at 10000 after 3000']);
  });

  test('says when it will look again', async () => {
    const { clock, watch } = watching();
    expect(watch.nextCheckIn()).toBe(3000);
    await clock.advance(1250);
    expect([watch.nextCheckIn(), watch.silentForMs()]).toEqual([1750, 1250]);
  });

  test.each([
    ['blocked for 3.6 s', (clock: ReturnType<typeof createVirtualClock>) => clock.block(3600), 3600],
    [
      'with a wall clock that slept',
      (clock: ReturnType<typeof createVirtualClock>) => clock.jump({ wallMs: 60_000 }),
      3000,
    ],
  ])('a loop %s: asks once, waits 2 heartbeats more, then it is silence', async (_, away, at) => {
    const { clock, log } = watching();
    away(clock);
    await clock.advance(10_000);
    expect(log).toEqual([`ask at ${at}`, `stale at ${at + 2000} after ${at + 2000}`]);
  });

  test('a loop that was blocked, and an answer to what it asked: no verdict', async () => {
    const { clock, pulse, log } = watching();
    clock.block(3600);
    await clock.advance(100);
    pulse.heardAt = clock.now();
    await clock.advance(2999);
    expect(log).toEqual(['ask at 3600']);
  });

  test('blocked for less than the window: nothing is asked', async () => {
    const { clock, log } = watching();
    await clock.advance(2000);
    clock.block(900);
    await clock.advance(0);
    expect(log).toEqual([]);
  });

  test('what blocks the loop between the timer and the verdict is not counted as silence', async () => {
    const clock = createVirtualClock();
    const pulse = new Pulse({ staleAfter: 3000, heartbeatInterval: 1000 });
    const watch = new Watch(pulse, clock);
    pulse.open(0);
    watch.arm(() => {});
    clock.setTimeout(() => clock.block(200), 3000);
    const seen: unknown[] = [];
    clock.setTimeout(() => seen.push(clock.now(), watch.heardInTime()), watch.delay);
    await clock.advance(100);
    pulse.heardAt = clock.now();
    await clock.advance(3200);
    expect(seen).toEqual([3200, true]);
  });

  test('with staleAfter 0 never looks', async () => {
    const { clock, watch, log } = watching(0);
    await clock.advance(1e6);
    expect([log, watch.delay]).toEqual([[], 2 ** 31 - 1]);
  });
});
