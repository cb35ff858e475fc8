// Every interleaving of small worlds around the real core: sends, frames, breaks seen by one side before the other, old
// sockets' bytes, acknowledgements, goodbyes. The figures are printed.
import { describe, expect, test } from 'vitest';
import { explore } from './explore.js';
import type { Setting } from './world.js';

const plain: Setting = { up: 0, down: 0, breaks: 0, window: 8, slow: false, narrow: false };
const worlds: [string, Partial<Setting>, number][] = [
  ['3 messages up, 2 breaks', { up: 3, breaks: 2 }, 1000],
  ['2 messages down, 2 breaks', { down: 2, breaks: 2 }, 1000],
  ['4 messages up, 3 breaks', { up: 4, breaks: 3 }, 1000],
  ['2 messages up, taken late, 2 breaks', { up: 2, breaks: 2, slow: true }, 1000],
  ['3 messages up, window 2, narrow socket, 2 breaks', { up: 3, breaks: 2, window: 2, narrow: true }, 1000],
  ['1 message each way, 2 breaks', { up: 1, down: 1, breaks: 2 }, 1000],
  ['2 messages each way, 2 breaks', { up: 2, down: 2, breaks: 2 }, 1000],
  ['1 message up, closed by the client, 2 breaks', { up: 1, breaks: 2, closes: 'client' }, 500],
  ['1 message each way, closed by the server, 2 breaks', { up: 1, down: 1, breaks: 2, closes: 'server' }, 500],
];

describe('nothing is lost, doubled, reordered, invented or stuck', () => {
  test.each(worlds)('with %s', (name, setting, least) => {
    const { failure, states, transitions, done } = explore({ ...plain, ...setting });
    console.log(`${name}: ${states} states, ${transitions} transitions, ${done} at the end`);
    expect(failure).toBeUndefined();
    // A world that has fallen asleep proves nothing.
    expect(states).toBeGreaterThan(least);
  });
});
