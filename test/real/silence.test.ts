import { describe, expect, test } from 'vitest';
import { cannotRun, startProgram, startServer, titled } from './support-program.js';

/**
 * `staleAfter` keeps its promise whatever its length: no verdict comes early, none more than 50 ms later than a plain
 * timer for the same instant. From a minute on test/connection/silence.test.ts has it, on virtual time.
 */
const ROUNDS = 3;

describe.concurrent('a server that is stopped again and again', () => {
  for (const staleAfter of [50, 100, 250, 1000, 3000]) {
    const name = `staleAfter ${staleAfter}: every verdict within 50 ms of a control timer, and none early`;

    test.skipIf(cannotRun)(titled(name, cannotRun), { timeout: 60_000 }, async ({ onTestFinished }) => {
      const { server, port } = await startServer(onTestFinished, { staleAfter: 60_000, heartbeatInterval: 10 });
      const client = startProgram(onTestFinished, 'client', { host: '127.0.0.1', port, staleAfter });
      for (let round = 1; round <= (staleAfter > 1000 ? 1 : ROUNDS); round += 1) {
        const epochs = client.all('connecting').length;
        await client.until('a live line', () => client.all('live').findLast(({ epoch = 0 }) => epoch >= epochs));
        server.signal('SIGSTOP');
        await client.hears('stale', client.all('live').at(-1)?.at);
        server.signal('SIGCONT');
      }
      for (const { silentForMs = 0, late = 0 } of client.all('stale')) {
        expect(silentForMs).toBeGreaterThanOrEqual(staleAfter);
        expect(silentForMs).toBeLessThanOrEqual(staleAfter + 50 + late);
      }
    });
  }
});
