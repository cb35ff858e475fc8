import { expect, test } from 'vitest';
import { Replay } from '../../../src/inspector/page/replay.js';
import { step } from './scenes.js';

const stale = step(0, 'connected.live', 'stale', 'after silence', ['a']);
const deciding = step(1, 'stale', 'disconnected.deciding', 'socket.closed', ['b']);
const waiting = step(1, 'disconnected.deciding', 'disconnected.waiting', 'socket.closed', ['c']);

function lost(): Replay {
  const replay = new Replay();
  replay.add(stale, false);
  replay.add(deciding, true);
  replay.add(waiting, false);
  return replay;
}

/** What is shown, looked at every 50 ms from `from` on. */
function look(replay: Replay, from: number, times: number): (string | undefined)[] {
  return Array.from({ length: times }, (_, i) => {
    replay.turn(from + i * 50);
    return replay.shown?.to;
  });
}

test('a state that was left at once is shown at once, for 300 ms; then the next one, then the present', () => {
  const shown = look(lost(), 1000, 14);
  expect(shown).toEqual([...Array(6).fill('stale'), ...Array(6).fill('disconnected.waiting'), undefined, undefined]);
});

test('steps through a place where nobody stays are one', () => {
  const replay = lost();
  expect(replay.wholeOf(waiting)).toEqual({ ...waiting, from: 'stale', taken: ['b', 'c'] });
  expect(replay.wholeOf(stale)).toBe(stale);
  expect(replay.wholeOf(undefined)).toBeUndefined();
});

test('a state that comes later is not shown before the one that is shown had its time', () => {
  const replay = new Replay();
  replay.add(stale, false);
  expect(replay.turn(1000)).toBe(true);
  replay.add(waiting, false);
  expect(replay.turn(1016)).toBe(false);
  expect(replay.shown).toBe(stale);
  expect(replay.turn(1300)).toBe(true);
  expect(replay.shown).toBe(waiting);
});

test('where many wait, each has less time, and of very many the oldest are left out', () => {
  const replay = new Replay();
  const many = Array.from({ length: 20 }, (_, n) => step(n, `s${n}`, `s${n + 1}`, 'next'));
  for (const one of many) replay.add(one, false);
  const shown = new Set(look(replay, 0, 40));
  expect([...shown]).toEqual([...many.slice(-8).map(({ to }) => to), undefined]);
});

test('the picture is never more than 600 ms behind', () => {
  const replay = new Replay();
  for (let n = 0; n < 20; n += 1) replay.add(step(n, `s${n}`, `s${n + 1}`, 'next'), false);
  let at = 0;
  replay.turn(at);
  while (replay.shown) {
    at += 16;
    replay.turn(at);
  }
  expect(at).toBeGreaterThan(500);
  expect(at).toBeLessThan(600 + 8 * 16);
});

test('a transition that stays in its place holds nothing up', () => {
  const replay = new Replay();
  replay.add(step(0, 'connected.live', 'connected.live', 'after silence'), false);
  expect(replay.turn(0)).toBe(false);
});
