import { describe, expect, test } from 'vitest';
import { Recording } from '../../../src/inspector/page/recording.js';
import { bandAt, bandsOf, timelineOf } from '../../../src/inspector/page/timeline.js';
import { connection, detail, historyOf, timer } from './scenes.js';

const START = 100_000;
const history = historyOf(
  START,
  ['0 connecting.dialing 1 connect', '50 connected.live 1 always', '9000 stale 1 after silence'],
  'NINJA_STALE',
);

function recorded(now: number): Recording {
  const one = new Recording('c1');
  const traffic = { messages: 0, bytes: 0, messagesPerSecond: 7, bytesPerSecond: 70 };
  one.add({
    kind: 'picture',
    at: START + 1000,
    detail: detail(START + 1000, connection(START + 1000, { received: traffic }), history.slice(0, 2)),
  });
  one.add({ kind: 'mark', at: START + 5000, text: 'the feed was lost' });
  const down = connection(now, {
    state: 'disconnected',
    substate: 'waiting',
    timers: [timer('backoff', now - 10, now + 990)],
  });
  one.add({ kind: 'picture', at: now, detail: detail(now, down, history) });
  return one;
}

describe('the timeline', () => {
  const now = START + 9_500;
  const timeline = timelineOf(recorded(now), now, 60_000);

  test('leaves room for what comes', () => {
    expect(timeline.to - timeline.from).toBe(60_000);
    expect(timeline.to - now).toBe(7_200);
    expect(timeline.coming).toMatchObject({ name: 'backoff', at: now + 990 });
  });

  test('has a band for each state, the last one open', () => {
    expect(timeline.bands.map(({ place, to, code }) => [place, to, code])).toEqual([
      ['connecting.dialing', START + 50, undefined],
      ['connected.live', START + 9000, undefined],
      ['stale', undefined, 'NINJA_STALE'],
    ]);
    expect(bandAt(timeline.bands, START + 9001)?.place).toBe('stale');
    expect(bandAt(timeline.bands, START - 1)).toBeUndefined();
  });

  test('has samples of traffic, and of silence where there is a line', () => {
    expect(timeline.samples.map(({ rx, silent }) => [rx, silent])).toEqual([
      [7, 210],
      [0, undefined],
    ]);
  });

  test('has bands for a session beside them', () => {
    expect(timeline.session).toEqual([]);
    const one = new Recording('c1');
    const passed = historyOf(START, ['0 attached 1 session.attached', '9000 detached 1 session.detached']);
    one.add({ kind: 'picture', at: now, detail: { ...detail(now, connection(now), history), sessionHistory: passed } });
    expect(timelineOf(one, now, 60_000).session.map(({ place, to }) => [place, to])).toEqual([
      ['attached', START + 9000],
      ['detached', undefined],
    ]);
  });

  test('has marks', () => {
    expect(timeline.marks).toEqual([{ at: START + 5000, text: 'the feed was lost' }]);
  });
});

test('bands begin with the one that reaches into the window', () => {
  const places = (from: number, to: number) => bandsOf(history, START + from, START + to).map(({ place }) => place);
  expect(places(100, 8_000)).toEqual(['connected.live']);
  expect(places(9_000, 20_000)).toEqual(['stale']);
  expect(places(-50, -10)).toEqual([]);
});
