import { describe, expect, test } from 'vitest';
import type { NinjaTcpError } from '../../src/index.js';
import { HEARTBEAT, type PlainLimits, payloadOf } from '../../src/protocol/plain.js';

const limits: PlainLimits = { maxFrameLength: 10, emptyFrames: 'heartbeat' };

describe('payloadOf', () => {
  const buffer = Buffer.from('12345');
  const array = new Uint8Array([1, 2, 3]);
  test.each([
    ['a Buffer', buffer],
    ['a Uint8Array', array],
  ])('%s is taken as it is, uncopied', (_, message) => {
    expect(payloadOf(message, limits)).toBe(message);
  });

  const strings: [string, string][] = [
    ['a', '61'],
    ['ä', 'c3a4'],
    ['€', 'e282ac'],
    ['🥷', 'f09fa5b7'],
  ];
  test.each(strings)('the string %s is UTF-8: %s', (message, hex) => {
    expect(Buffer.from(payloadOf(message, limits)).toString('hex')).toBe(hex);
  });

  const bad: [string, unknown, string][] = [
    ['a number', 7, 'a message must be a Uint8Array or a string, got 7'],
    ['undefined', undefined, 'a message must be a Uint8Array or a string, got undefined'],
    ['null', null, 'a message must be a Uint8Array or a string, got null'],
    ['an array', [1, 2], 'a message must be a Uint8Array or a string, got an array'],
    ['an ArrayBuffer', new ArrayBuffer(3), 'a message must be a Uint8Array or a string, got a ArrayBuffer'],
    ['a Uint16Array', new Uint16Array(3), 'a message must be a Uint8Array or a string, got a Uint16Array'],
    ['too many bytes', Buffer.alloc(11), 'a message must have at most maxFrameLength, 10 bytes, got 11'],
    ['a string of too many bytes', 'ääääää', 'a message must have at most maxFrameLength, 10 bytes, got 12'],
    [
      'no bytes',
      new Uint8Array(0),
      "a message must not be empty while emptyFrames is 'heartbeat', since an empty frame is a heartbeat, got 0 bytes",
    ],
  ];
  test.each(bad)('%s is refused', (_, message, words) => {
    let error: NinjaTcpError | undefined;
    try {
      payloadOf(message as string, limits);
    } catch (caught) {
      error = caught as NinjaTcpError;
    }
    expect([error?.code, error?.outcome, error?.message]).toEqual(['NINJA_INVALID_MESSAGE', 'refused', words]);
  });

  test('the longest message is taken', () => {
    expect(payloadOf(Buffer.alloc(10), limits)).toHaveLength(10);
  });

  test("an empty one is taken where emptyFrames is 'message'", () => {
    expect(payloadOf('', { ...limits, emptyFrames: 'message' })).toHaveLength(0);
  });

  test('a heartbeat has no bytes', () => {
    expect(HEARTBEAT).toHaveLength(0);
  });
});
