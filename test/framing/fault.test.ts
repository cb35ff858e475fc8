import { expect, test } from 'vitest';
import { NinjaTcpError } from '../../src/errors.js';
import { framingFault } from '../../src/framing/fault.js';

test('refuse by an error of ours: it is that error', () => {
  const error = new NinjaTcpError('NINJA_FRAME_TOO_LARGE', 'too large');
  expect(framingFault(error)).toBe(error);
});

const thrown: readonly [what: string, value: unknown, words: string][] = [
  ['an Error', new Error('no magic number'), 'no magic number'],
  ['a RangeError', new RangeError('out of bounds'), 'out of bounds'],
  ['a string', 'bad', 'bad'],
];
test.each(thrown)(
  'refuse by %s out of a framing that is not ours: FRAME_INVALID, with its words and the cause',
  (_, value, words) => {
    const error = framingFault(value);
    expect(error).toBeInstanceOf(NinjaTcpError);
    expect(error).toMatchObject({ code: 'NINJA_FRAME_INVALID', message: `the framing threw: ${words}`, cause: value });
  },
);
