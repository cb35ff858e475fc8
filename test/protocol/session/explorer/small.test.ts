// Every interleaving of small worlds around the real core: sends, frames, breaks seen by one side before the other, old
// sockets' bytes, acknowledgements, goodbyes. The figures are printed.
import { describe } from 'vitest';
import { walk } from './walk.js';

describe('nothing is lost, doubled, reordered, invented or stuck', () => {
  walk(
    [
      ['3 messages up, 2 breaks', { up: 3, breaks: 2 }, 1000],
      ['2 messages down, 2 breaks', { down: 2, breaks: 2 }, 1000],
      ['2 messages up, taken late, 2 breaks', { up: 2, breaks: 2, slow: true }, 1000],
      ['3 messages up, window 2, narrow socket, 2 breaks', { up: 3, breaks: 2, window: 2, narrow: true }, 1000],
      ['1 message each way, 2 breaks', { up: 1, down: 1, breaks: 2 }, 1000],
      ['1 message up, closed by the client, 2 breaks', { up: 1, breaks: 2, closes: 'client' }, 500],
      ['1 message each way, closed by the server, 1 break', { up: 1, down: 1, breaks: 1, closes: 'server' }, 500],
    ],
    6000,
  );
});
