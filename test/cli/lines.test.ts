import { describe, expect, it } from 'vitest';
import { type Line, LineSplitter } from '../../src/cli/lines.js';

function split(limit: number, ...chunks: string[]): string[] {
  const splitter = new LineSplitter(limit);
  const lines: Line[] = [];
  for (const chunk of chunks) lines.push(...splitter.push(Buffer.from(chunk, 'latin1')));
  lines.push(...splitter.end());
  return lines.map((line) => (line === 'tooLong' ? '(too long)' : line.toString('latin1')));
}

describe('LineSplitter', () => {
  it.each([
    ['nothing', [], []],
    ['one line', ['a\n'], ['a']],
    ['a last line without an end', ['a\nb'], ['a', 'b']],
    ['an empty line', ['a\n\nb\n'], ['a', '', 'b']],
    ['lines cut anywhere', ['a', 'b\nc', '', 'd\n', 'e'], ['ab', 'cd', 'e']],
    ['a line end of two bytes', ['a\r\nb\r', '\n'], ['a', 'b']],
    ['a return inside', ['a\rb\n'], ['a\rb']],
    ['bytes that are not UTF-8', ['\xff\xfe\x00\n'], ['\xff\xfe\x00']],
  ])('finds %s', (_, chunks, lines) => {
    expect(split(100, ...chunks)).toEqual(lines);
  });

  it('skips a line beyond the limit, tells it once, and holds none of it', () => {
    expect(split(3, 'abc\nabcd\nab\n')).toEqual(['abc', '(too long)', 'ab']);
    expect(split(3, 'ab', 'cd', 'ef', 'g\nhi')).toEqual(['(too long)', 'hi']);
    expect(split(3, 'abcd')).toEqual(['(too long)']);
  });
});
