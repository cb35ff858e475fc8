import { expect, test } from 'vitest';
import { bytes, comingWords, dataWords, lookOf, plural, rate, span, TONES } from '../../../src/inspector/page/words.js';

test.each([
  [0, '0 ms'],
  [812.4, '812 ms'],
  [3_412, '3.4 s'],
  [9_960, '9 s'],
  [59_999, '59 s'],
  [125_000, '2 min 05 s'],
  [4_320_000, '1 h 12 min'],
  [273_600_000, '3 d 4 h'],
  [-5, '0 ms'],
])('%d ms are %s', (ms, words) => {
  expect(span(ms)).toBe(words);
});

test.each([
  [0, '0 B'],
  [1023, '1,023 B'],
  [1536, '1.5 KiB'],
  [12 * 1024 * 1024, '12 MiB'],
])('%d bytes are %s', (value, words) => {
  expect(bytes(value)).toBe(words);
});

test.each([
  [0, '0'],
  [0.01, '<0.1'],
  [0.44, '0.4'],
  [1234.5, '1,235'],
])('%d a second are %s', (value, words) => {
  expect(rate(value)).toBe(words);
});

const PLACES = [
  'disconnected.idle',
  'disconnected.waiting',
  'disconnected.failed',
  'connecting.dialing',
  'connected.unproven',
  'connected.live',
  'connected.draining',
  'stale',
  'disposed',
];

test('each state has a colour, a shape and a word of its own', () => {
  const looks = PLACES.map(lookOf);
  for (const part of ['tone', 'shape', 'word'] as const) {
    expect(new Set(looks.map((look) => look[part])).size, part).toBe(PLACES.length);
  }
  expect(new Set(looks.map(({ tone }) => tone))).toEqual(new Set(TONES));
});

test.each([
  ['listening', 'good'],
  ['paused', 'wait'],
  ['binding', 'busy'],
  ['connecting.greeting', 'busy'],
  ['detached.waiting', 'wait'],
  ['detached.draining', 'ending'],
  ['establishing', 'busy'],
  ['attached', 'good'],
  ['ended.lost', 'bad'],
  ['ended.closed', 'gone'],
  ['never heard of', 'off'],
])('%s is %s', (place, tone) => {
  expect(lookOf(place).tone).toBe(tone);
});

test('timers are told by what they bring', () => {
  expect(comingWords('backoff', 5)).toBe('Attempt 5');
  expect(comingWords('silence', undefined)).toBe('Next check for silence');
  expect(comingWords('resumeWindow', undefined)).toBe('Its session is given up');
  expect(comingWords('something new', undefined)).toBe('something new');
});

test('data of an event on one line', () => {
  expect(dataWords({ code: 'NINJA_RESET', epoch: 3, inner: { a: 1 } })).toBe(
    'code: NINJA_RESET, epoch: 3, inner: {"a":1}',
  );
  expect(dataWords(undefined)).toBe('');
  expect(dataWords(7)).toBe('7');
});

test('one and many', () => {
  expect(plural(1, 'entry', 'entries')).toBe('1 entry');
  expect(plural(1200, 'entry', 'entries')).toBe('1,200 entries');
});
