import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('../../../src/inspector/page/style/tokens.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name,
    { light, dark },
  ]),
);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const words = [
  'ink',
  'quiet',
  'accent',
  'bad',
  'alarm',
  'wait',
  'busy',
  'unsure',
  'ending',
  'good',
  'off',
  'gone',
  'rx',
  'tx',
];
const grounds = ['surface', 'raised', 'ground', 'selected'];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  test.each(words)('%s is read on every ground', (word) => {
    for (const ground of grounds) {
      const [a, b] = [tokens.get(word)?.[theme], tokens.get(ground)?.[theme]];
      expect(contrast(a ?? '', b ?? ''), `${word} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});

test('the sum is right: black on white', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
});
