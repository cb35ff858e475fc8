import { describe, expect, test } from 'vitest';
import { Pulse, type PulseTimes } from '../../src/socket/pulse.js';

const MAX_DELAY = 2 ** 31 - 1;
const DEFAULTS: PulseTimes = { staleAfter: 3000, heartbeatInterval: 1000 };
/** The clocks' origins mean nothing: all of it holds from any of them. */
const ORIGINS = [0, -5000, 1e9];
const WALL = 1_767_225_600_000;

/** A pulse that was opened at `origin`, and the wall clock beside it. Our own heartbeats are written in time, unless it is said. */
function opened(origin: number, times: PulseTimes = DEFAULTS) {
  const pulse = new Pulse(times);
  pulse.open(origin);
  return {
    pulse,
    arm: (ms: number, drift = 0, polled = ms) => pulse.arm(origin + ms, WALL + ms + drift, origin + polled),
    verdict: (ms: number, now = ms, drift = 0, wrote = ms) => {
      pulse.wroteAt = origin + wrote;
      return pulse.verdict(origin + ms, origin + now, WALL + now + drift);
    },
    hear: (ms: number) => {
      pulse.heardAt = origin + ms;
    },
    pause: () => pulse.pause(),
    resume: (ms: number) => pulse.resume(origin + ms),
    pardon: (ms: number) => pulse.pardon(origin + ms),
  };
}

describe.each(ORIGINS)('silence, from %d', (origin) => {
  test.each([50, 51, 3000, 300_000, MAX_DELAY])('of staleAfter %d ms is exact, and never early', (staleAfter) => {
    const { arm, verdict } = opened(origin, { staleAfter, heartbeatInterval: 0 });
    expect(arm(0)).toBe(staleAfter);
    expect(verdict(staleAfter - 1)).toBe('heard');
    expect(verdict(staleAfter - 0.5)).toBe('heard');
    expect(verdict(staleAfter)).toBe('silent');
  });

  test('a timer that fires early is armed again for what is left, at least 1 ms', () => {
    const { arm, verdict } = opened(origin);
    arm(0);
    expect(verdict(2999.2)).toBe('heard');
    expect(arm(2999.2)).toBe(1);
    expect(verdict(3000.2)).toBe('silent');
  });

  test('is armed lazily: for what is left since the last byte', () => {
    const { arm, verdict, hear } = opened(origin);
    arm(0);
    hear(1800);
    expect(verdict(3000)).toBe('heard');
    expect(arm(3000)).toBe(1800);
    expect(verdict(4799)).toBe('heard');
    expect(verdict(4800)).toBe('silent');
  });

  test('is judged as of polledAt, not of now', () => {
    const { arm, verdict, hear } = opened(origin);
    arm(0);
    // Late in the loop, but all that had arrived by 2990 was read: there may be more since.
    expect(verdict(2990, 9000)).toBe('heard');
    hear(3005);
    expect(verdict(3000, 3010)).toBe('heard');
  });

  test('of the last socket does not count: open() begins afresh', () => {
    const { pulse, arm, verdict, pause } = opened(origin);
    arm(0);
    pause();
    pulse.open(origin + 10_000);
    expect([verdict(12_999), pulse.silentFor(origin + 12_999)]).toEqual(['heard', 2999]);
    arm(10_000);
    expect(verdict(13_000)).toBe('silent');
  });
});

describe.each(ORIGINS)('a pause of ours, from %d', (origin) => {
  test('freezes silence; resume begins the window afresh', () => {
    const { pulse, arm, verdict, pause, resume } = opened(origin);
    arm(0);
    pause();
    expect([verdict(3000), verdict(100_000), pulse.silentFor(origin + 100_000)]).toEqual(['heard', 'heard', 0]);
    expect(arm(100_000)).toBe(3000);
    resume(100_000);
    expect(verdict(102_999)).toBe('heard');
    expect(verdict(103_000)).toBe('silent');
  });

  test('resume without a pause grants nothing', () => {
    const { arm, verdict, resume } = opened(origin);
    arm(0);
    resume(2900);
    expect(verdict(3000)).toBe('silent');
  });

  test('a byte after resume counts from the byte', () => {
    const { pulse, hear, pause, resume } = opened(origin);
    pause();
    resume(5000);
    hear(6000);
    expect(pulse.silentFor(origin + 7000)).toBe(1000);
  });
});

describe('staleAfter 0', () => {
  test('nothing is ever silent, and the timer is the longest there is', () => {
    const { arm, verdict } = opened(0, { staleAfter: 0, heartbeatInterval: 1000 });
    expect(arm(0)).toBe(MAX_DELAY);
    expect(verdict(1e12)).toBe('heard');
  });
});

describe.each(ORIGINS)('suspicion, from %d', (origin) => {
  const lateness: [number, string][] = [
    [0, 'silent'],
    [250, 'silent'],
    [251, 'suspect'],
    [60_000, 'suspect'],
  ];
  test.each(lateness)('a timer %d ms late: %s', (late, verdict) => {
    const at = opened(origin);
    at.arm(0);
    expect(at.verdict(3000 + late)).toBe(verdict);
  });

  const drifts: [number, string][] = [
    [0, 'silent'],
    [1000, 'silent'],
    [-1000, 'silent'],
    [1001, 'suspect'],
    [-1001, 'suspect'],
    [3_600_000, 'suspect'],
  ];
  test.each(drifts)('a wall clock that moved by %d ms since the timer was armed: %s', (drift, verdict) => {
    const at = opened(origin);
    at.arm(0, 777_777);
    expect(at.verdict(3000, 3000, 777_777 + drift)).toBe(verdict);
  });

  test('a timer that came due in time is not suspect, however late its callback is', () => {
    const { arm, verdict } = opened(origin);
    arm(0);
    expect(verdict(3000, 9000)).toBe('silent');
  });

  test('a loop that was blocked between the poll and a verdict is remembered by the next one', () => {
    const { arm, verdict, hear } = opened(origin);
    arm(0);
    hear(500);
    // Due at 3000 and heard by then; blocked until 6000, when the window that began at 500 is long over.
    expect(verdict(3000, 6000)).toBe('heard');
    expect(arm(6000, 0, 3000)).toBe(1);
    expect(verdict(6001)).toBe('suspect');
  });

  test('a first window is not suspect, however long ago a timer of another line came due', () => {
    const { arm, verdict } = opened(origin);
    arm(0, 0, -60_000);
    expect(verdict(3000)).toBe('silent');
  });

  test('another timer of the line may have found us to have been away, until a byte is heard', () => {
    const { pulse, arm, verdict, hear, pardon } = opened(origin);
    arm(0);
    pulse.away(origin + 2900);
    expect(verdict(3000)).toBe('suspect');
    pardon(3000);
    hear(4000);
    arm(4000);
    expect(verdict(7000)).toBe('silent');
  });

  const overdue: [PulseTimes, number, string][] = [
    [DEFAULTS, 1750, 'silent'],
    [DEFAULTS, 1749, 'suspect'],
    [{ staleAfter: 400, heartbeatInterval: 50 }, 100, 'silent'],
    [{ staleAfter: 400, heartbeatInterval: 50 }, 99, 'suspect'],
    [{ staleAfter: 400, heartbeatInterval: 0 }, 0, 'silent'],
  ];
  test.each(overdue)('%o, and our last heartbeat at %d: %s, whichever timer comes first', (times, wrote, verdict) => {
    const at = opened(origin, times);
    at.arm(0);
    const { staleAfter } = times;
    expect(at.verdict(staleAfter, staleAfter, 0, wrote)).toBe(verdict);
  });

  test('behind our FIN we owe no heartbeats', () => {
    const { pulse, arm, verdict } = opened(origin);
    arm(0);
    pulse.fallSilent();
    expect(verdict(3000, 3000, 0, 0)).toBe('silent');
    pulse.open(origin + 4000);
    arm(4000);
    expect(verdict(7000, 7000, 0, 4000)).toBe('suspect');
  });

  test('only silence is suspect: whoever was heard is not', () => {
    const { arm, verdict, hear } = opened(origin);
    arm(0);
    hear(59_000);
    expect(verdict(60_000, 60_000, 1e6)).toBe('heard');
  });
});

describe.each(ORIGINS)('the pardon, from %d', (origin) => {
  const lengths: [PulseTimes, number][] = [
    [{ staleAfter: 3000, heartbeatInterval: 1000 }, 2000],
    [{ staleAfter: 3000, heartbeatInterval: 1500 }, 3000],
    [{ staleAfter: 3000, heartbeatInterval: 10 }, 20],
    [{ staleAfter: 3000, heartbeatInterval: 0 }, 3000],
    [{ staleAfter: 50, heartbeatInterval: 25 }, 50],
    [{ staleAfter: 50, heartbeatInterval: 40 }, 50],
  ];
  test.each(lengths)('with %o is %d ms long', (times, length) => {
    const at = opened(origin, times);
    at.arm(0);
    const { staleAfter } = times;
    expect(at.verdict(staleAfter + 1000)).toBe('suspect');
    at.pardon(staleAfter + 1000);
    expect(at.arm(staleAfter + 1000)).toBe(length);
    expect(at.verdict(staleAfter + 1000 + length - 1)).toBe('heard');
    expect(at.verdict(staleAfter + 1000 + length)).toBe('silent');
  });

  test('an absence is pardoned once: in time, and still without a byte, is silence', () => {
    const { pulse, arm, verdict, pardon } = opened(origin);
    arm(0);
    pulse.away(origin + 4000);
    pardon(4000);
    arm(4000);
    expect(verdict(6000, 6000, 0, 0)).toBe('suspect');
    expect(verdict(6000)).toBe('silent');
    expect(verdict(6250)).toBe('silent');
  });

  test.each([
    ['late', (n: number) => ({ at: n + 251, wall: 0 })],
    ['asleep', (n: number) => ({ at: n, wall: 1001 })],
  ])('is granted three times in a row where we were %s each time, and not a fourth time', (_, away) => {
    const { arm, verdict, pardon } = opened(origin);
    let now = 4000;
    arm(0);
    for (let pardons = 0; pardons < 3; pardons += 1) {
      pardon(now);
      arm(now);
      const { at, wall } = away(now + 2000);
      expect(verdict(at, at, wall)).toBe(pardons < 2 ? 'suspect' : 'silent');
      now = at;
    }
  });

  test.each(['a byte', 'a pause of ours', 'a fresh socket'])('is granted again after %s', (what) => {
    const { pulse, arm, verdict, hear, pause, resume, pardon } = opened(origin);
    arm(0);
    pardon(4000);
    arm(4000);
    if (what === 'a byte') hear(5000);
    if (what === 'a pause of ours') {
      pause();
      resume(5000);
    }
    if (what === 'a fresh socket') pulse.open(origin + 5000);
    arm(5000);
    expect(verdict(8000)).toBe('silent');
    expect(verdict(8251)).toBe('suspect');
  });

  test('does not cut short a window that is longer', () => {
    const { arm, hear, pardon } = opened(origin);
    arm(0);
    pardon(4000);
    hear(4500);
    expect(arm(4600)).toBe(2900);
  });
});
