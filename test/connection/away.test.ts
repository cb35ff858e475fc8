import { describe, expect, test } from 'vitest';
import { echo, journal, type Stage, stage } from './stage.js';

/** A client and a server with the same defaults, silent but for heartbeats. */
async function pair(at: Stage) {
  const server = await at.serve(echo);
  const connection = at.dial();
  const heard = journal(connection);
  await at.clock.runUntil(connection.connected({ proven: true }));
  await at.clock.advance(700);
  return { server, connection, heard };
}

const live = ['connecting 1 attempt 1', 'connected 1', 'live 1'];

describe('whoever was away does not blame the other side', () => {
  const ways: [string, (at: Stage) => unknown][] = [
    ['one process with both was blocked for 3.6 s', ({ clock }) => clock.block(3600)],
    ['one process with both was blocked for a minute', ({ clock }) => clock.block(60_000)],
    [
      'the client was stopped for 1.9 s',
      async ({ network, clock }) => {
        network.host('client').freeze();
        await clock.advance(1900);
        network.host('client').thaw();
      },
    ],
    ['the wall clock jumped by an hour', ({ clock }) => clock.jump({ wallMs: 3_600_000 })],
    ['the wall clock jumped back by an hour', ({ clock }) => clock.jump({ wallMs: -3_600_000 })],
  ];
  test.each(ways)('%s: no line is lost', async (_, away) => {
    const at = stage();
    const { server, connection, heard } = await pair(at);
    await away(at);
    await at.clock.advance(20_000);
    expect([heard, server.peers.size]).toEqual([live, 1]);
    await connection.dispose();
    await server.dispose();
  });

  test('but a peer that is silent besides is found, one pardon later', async () => {
    const at = stage();
    const { connection, heard } = await pair(at);
    at.server.freeze();
    at.clock.block(3600);
    const from = at.clock.now();
    await at.clock.runUntil(() => heard.includes('stale 1'));
    expect(at.clock.now() - from).toBeLessThanOrEqual(2000);
    await connection.dispose();
  });
});

describe('a cut network', () => {
  test.each(['both ways', 'from the server', 'from the client'])(
    '%s: stale, and it heals when the network does',
    async (way) => {
      const at = stage();
      const { server, connection, heard } = await pair(at);
      const cut = way === 'both ways' ? {} : way === 'from the server' ? { from: 'server' } : { from: 'client' };
      at.network.cut(cut);
      await at.clock.runUntil(() => heard.some((line) => line.startsWith('disconnected 1')));
      expect(heard.slice(3)[0]).toMatch(way === 'from the client' ? /^(stale|disconnected) 1/ : /^stale 1/);
      await at.clock.advance(20_000);
      at.network.heal();
      await at.clock.runUntil(connection.connected({ proven: true }));
      await at.clock.advance(10_000);
      expect([connection.substate, server.peers.size]).toEqual(['live', 1]);
      await connection.dispose();
      await server.dispose();
      await at.clock.advance(5);
      expect(at.clock.pending).toBe(0);
    },
  );
});
