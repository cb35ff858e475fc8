import { expect, test } from 'vitest';
import type { Disconnected } from '../../src/index.js';
import { connectTo, echoProcess, next, notBuilt, pathOf } from './support.js';

/** How late a plain timer of this process is at most, while a verdict is awaited: a busy machine is not our fault. */
function controlTimer(ms: number): () => number {
  let lateness = 0;
  const from = performance.now();
  const timer = setTimeout(() => {
    lateness = performance.now() - from - ms;
  }, ms);
  return () => {
    clearTimeout(timer);
    return lateness;
  };
}

for (const staleAfter of [3000, 300]) {
  test.skipIf(notBuilt)(
    `a server that is stopped (SIGSTOP): stale after ${staleAfter} ms, never earlier, at most 50 ms later; then it heals`,
    async () => {
      const server = await echoProcess();
      const connection = connectTo(server.port, { staleAfter, backoff: () => 100 });
      await connection.connected({ proven: true });
      connection.send('before');
      await next(connection, 'message');
      server.process.kill('SIGSTOP');
      try {
        const lateness = controlTimer(staleAfter);
        const { silentForMs } = await next<{ silentForMs: number }>(connection, 'stale');
        expect(silentForMs).toBeGreaterThanOrEqual(staleAfter);
        expect(silentForMs).toBeLessThanOrEqual(staleAfter + 50 + Math.max(0, lateness()));
        const again = await next<{ epoch: number }>(connection, 'connected');
        // The port of a stopped process still accepts: connected, but nobody has said a word.
        expect([again.epoch, connection.state, connection.substate]).toEqual([2, 'connected', 'unproven']);
      } finally {
        server.process.kill('SIGCONT');
      }
      await connection.connected({ proven: true });
      connection.send('after');
      expect(String(await next(connection, 'message'))).toBe('after');
      expect(pathOf(connection).slice(0, 6)).toEqual([
        'connecting.dialing',
        'connecting.greeting',
        'connected.unproven',
        'connected.live',
        'stale',
        'disconnected.waiting',
      ]);
    },
    30_000,
  );
}

test.skipIf(notBuilt)(
  'a server that stays stopped: unproven lines count as failures, and at most 64 KiB goes into each',
  async () => {
    const server = await echoProcess();
    const connection = connectTo(server.port, { staleAfter: 200, backoff: () => 20 });
    await connection.connected({ proven: true });
    server.process.kill('SIGSTOP');
    try {
      await next(connection, 'stale');
      const message = Buffer.alloc(1000);
      for (let i = 0; i < 1000; i += 1) connection.send(message);
      const losses: Disconnected[] = [];
      connection.on('disconnected', (loss) => losses.push(loss));
      while (losses.length < 4) await next(connection, 'disconnected');
      const [, ...unproven] = losses;
      for (const { unknown } of unproven) expect(unknown?.bytes).toBeLessThanOrEqual(65_536);
      // Failures in a row: the line that was live before did not count as a failure of its own, and nothing reset them.
      expect(losses.map(({ failures }) => failures)).toEqual([1, 2, 3, 4]);
      expect(losses.every(({ reason }) => reason.code === 'NINJA_STALE')).toBe(true);
      const last = losses.at(-1);
      const written = unproven.reduce((sum, { unknown }) => sum + (unknown?.messages ?? 0), 0);
      expect(written + (last?.held?.messages ?? 0)).toBe(1000);
    } finally {
      server.process.kill('SIGCONT');
    }
  },
);
