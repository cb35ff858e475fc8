// The same as small.test.ts in worlds that are larger by an order of magnitude.
import { describe } from 'vitest';
import { walk } from './walk.js';

describe('nothing is lost, doubled, reordered, invented or stuck', () => {
  walk(
    [
      ['4 messages up, 3 breaks', { up: 4, breaks: 3 }, 10_000],
      ['2 messages each way, 2 breaks', { up: 2, down: 2, breaks: 2 }, 10_000],
      ['1 message each way, closed by the server, 2 breaks', { up: 1, down: 1, breaks: 2, closes: 'server' }, 3000],
      ['1 message up, with a store on both sides, killed twice', { up: 1, crashes: 2 }, 10_000],
    ],
    60_000,
  );
});
