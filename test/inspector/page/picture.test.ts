import { describe, expect, test } from 'vitest';
import {
  between,
  follow,
  left,
  pan,
  reveal,
  roundedPath,
  roundUp,
  ticks,
  visible,
  wholeIn,
  zoom,
} from '../../../src/inspector/page/geometry.js';
import { edgeOfTimer, litNodes, openEdges } from '../../../src/inspector/page/lit.js';
import { connectionChart } from './charts.js';

describe('what is lit', () => {
  test.each([
    ['disconnected.waiting', ['disconnected', 'disconnected.waiting']],
    ['stale', ['stale']],
    [
      'connected.live',
      ['connected', 'connected.line', 'connected.line.live', 'connected.watch', 'connected.watch.listening'],
    ],
    ['never.heard', []],
  ])('%s', (place, lit) => {
    expect([...litNodes(connectionChart, place)].sort()).toEqual(lit);
  });

  test('what can happen now is what leaves it', () => {
    const open = openEdges(connectionChart, litNodes(connectionChart, 'disconnected.waiting'));
    expect([...open]).toEqual(['disconnected.waiting after backoff 0']);
  });

  test('a timer is shown at the edge that leads away', () => {
    const lit = litNodes(connectionChart, 'connected.live');
    expect(edgeOfTimer(connectionChart, lit, 'silence')?.id).toBe('connected.watch.listening after silence 1');
    expect(edgeOfTimer(connectionChart, lit, 'backoff')).toBeUndefined();
  });
});

describe('the view', () => {
  const screen = { width: 800, height: 400 };

  test('shows a small drawing as large as life, in the middle', () => {
    expect(wholeIn({ width: 200, height: 100 }, screen)).toEqual({ x: -300, y: -150, scale: 1 });
  });

  test('shows all of a large one', () => {
    const view = wholeIn({ width: 1600, height: 1600 }, screen, 0);
    expect(view).toEqual({ x: -800, y: 0, scale: 0.25 });
  });

  test('zooms about the point under the pointer', () => {
    const before = { x: 10, y: 20, scale: 1 };
    const after = zoom(before, 2, [100, 50]);
    expect(after.scale).toBe(2);
    expect(after.x + 100 / after.scale).toBe(before.x + 100);
    expect(after.y + 50 / after.scale).toBe(before.y + 50);
    expect(zoom(before, 1000, [0, 0]).scale).toBe(4);
  });

  test('moves by pixels of the screen', () => {
    expect(pan({ x: 0, y: 0, scale: 2 }, 10, -20)).toEqual({ x: -5, y: 10, scale: 2 });
  });

  const large = { width: 3000, height: 3000 };
  test.each([
    ['is readable, with the box in the middle', [{ x: 1400, y: 1400, w: 200, h: 200 }], { x: 1100, y: 1300, scale: 1 }],
    ['stays within the drawing', [{ x: 0, y: 0, w: 100, h: 100 }], { x: 0, y: 0, scale: 1 }],
    [
      'shows the first where all would be too small',
      [
        { x: 1400, y: 1400, w: 200, h: 200 },
        { x: 2900, y: 2900, w: 50, h: 50 },
      ],
      { x: 1100, y: 1300, scale: 1 },
    ],
  ])('follows: %s', (_, boxes, view) => {
    expect(follow(boxes, large, screen)).toEqual(view);
  });

  test('has nothing to follow in a drawing that is seen as a whole', () => {
    expect(follow([{ x: 0, y: 0, w: 9, h: 9 }], { width: 200, height: 100 }, screen).scale).toBe(1);
  });

  test('glides', () => {
    const [a, b] = [
      { x: 0, y: 0, scale: 1 },
      { x: 10, y: 20, scale: 2 },
    ];
    expect([between(a, b, 0), between(a, b, 0.5), between(a, b, 1)]).toEqual([a, { x: 5, y: 10, scale: 1.5 }, b]);
  });
});

test.each([
  [[], ''],
  [[[0, 0]], 'M0,0'],
  [
    [
      [0, 0],
      [0, 10],
    ],
    'M0,0L0,10',
  ],
  [
    [
      [0, 0],
      [0, 100],
      [100, 100],
    ],
    'M0,0L0,92Q0,100 8,100L100,100',
  ],
  [
    [
      [0, 0],
      [0, 4],
      [100, 4],
    ],
    'M0,0L0,2Q0,4 2,4L100,4',
  ],
] as const)('a way %j is drawn as %s', (points, path) => {
  expect(roundedPath(points)).toBe(path);
});

test.each([
  [0, 1],
  [500, 0.5],
  [1000, 0],
  [2000, 0],
])('at %d of 1000 ms, %d is left of a timer', (now, rest) => {
  expect(left({ from: 0, at: 1000 }, now)).toBe(rest);
});

test.each([
  ['the top', 0, { from: 0, to: 14 }],
  ['the middle', 4000, { from: 96, to: 114 }],
  ['the end', 399_600, { from: 9986, to: 10_000 }],
])('of 10,000 lines only those in sight are drawn: %s', (_, scrollTop, lines) => {
  expect(visible(10_000, 400, 40, scrollTop)).toEqual(lines);
});

test.each([
  ['a line above', 2, 80],
  ['a line in sight', 12, 400],
  ['a line below', 30, 840],
])('%s is scrolled to as little as can be', (_, line, top) => {
  expect(reveal(line, 400, 40, 400)).toBe(top);
});

test.each([
  [0, 1],
  [0.3, 0.5],
  [1, 1],
  [17, 20],
  [5100, 10_000],
])('a plot of up to %d ends at %d', (value, end) => {
  expect(roundUp(value)).toBe(end);
});

test('marks of an axis lie at round seconds', () => {
  expect(ticks(1_500, 61_500, 800)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
});
