// Both sides with a store, and killed: all of a side is gone but its record. Nothing is lost; what comes twice was handled,
// and the store did not know it yet.
import { describe } from 'vitest';
import { walk } from './walk.js';

describe('with a store on both sides nothing is lost, reordered, invented or stuck', () => {
  walk(
    [
      ['2 messages up, killed once', { up: 2, crashes: 1 }, 3000],
      ['1 message down, taken late, killed once', { down: 1, crashes: 1, slow: true }, 1000],
      ['1 message each way, killed once', { up: 1, down: 1, crashes: 1 }, 5000],
      ['1 message up, closed by the client, killed once', { up: 1, crashes: 1, closes: 'client' }, 2000],
      ['1 message down, closed by the server, killed once', { down: 1, crashes: 1, closes: 'server' }, 2000],
    ],
    20_000,
  );
});
