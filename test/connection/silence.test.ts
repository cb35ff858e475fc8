import { describe, expect, test } from 'vitest';
import { stage } from './stage.js';

/** A verdict is never early, and on virtual time at most this late, milliseconds. */
const LATE = 1;

const minute = 60_000;

describe.each([50, 51, 100, 250, 1000, 3000, 10_000, minute, 5 * minute])('staleAfter %d', (staleAfter) => {
  // Where in the heartbeat's interval the network is cut: the last byte lies anywhere in the window.
  test.each([0, 0.25, 0.5, 0.99])('cut at %d of a heartbeat: both sides know after exactly so long', async (part) => {
    const at = stage({ latencyMs: 0.3 });
    const verdicts: [string, number][] = [];
    const server = await at.serve(
      (peer) => {
        peer.on('stale', ({ silentForMs }) => verdicts.push(['server', silentForMs]));
      },
      { staleAfter },
    );
    const connection = at.dial({ staleAfter, backoff: () => 10 * staleAfter });
    connection.on('stale', ({ silentForMs }) => verdicts.push(['client', silentForMs]));
    await at.clock.runUntil(connection.connected({ proven: true }));
    // Long enough that a rule which is early shows itself.
    await at.clock.advance(4 * staleAfter + (part * Math.min(1000, staleAfter)) / 3);
    expect(verdicts).toEqual([]);
    at.network.cut();
    await at.clock.advance(staleAfter + LATE);
    expect(verdicts.map(([who]) => who).sort()).toEqual(['client', 'server']);
    for (const [, silentForMs] of verdicts) {
      expect(silentForMs).toBeGreaterThanOrEqual(staleAfter);
      expect(silentForMs).toBeLessThanOrEqual(staleAfter + LATE);
    }
    await connection.dispose();
    await server.dispose();
  });

  test('a byte just in time keeps the line, and the next window begins with it', async () => {
    const at = stage({ latencyMs: 0 });
    const server = at.raw();
    const connection = at.dial({ staleAfter, backoff: () => 10 * staleAfter });
    const verdicts: number[] = [];
    connection.on('stale', ({ silentForMs }) => verdicts.push(silentForMs));
    await at.clock.runUntil(connection.connected());
    await at.clock.settle();
    for (let i = 0; i < 5; i += 1) {
      await at.clock.advance(staleAfter - 1);
      server.last.hex('00 00 00 00');
    }
    await at.clock.advance(staleAfter - 1);
    expect(verdicts).toEqual([]);
    await at.clock.advance(1 + LATE);
    expect(verdicts).toHaveLength(1);
    expect(verdicts[0]).toBeGreaterThanOrEqual(staleAfter);
    await connection.dispose();
  });
});
