/** The statechart of a server breaks, or is stopped by the program: nothing is left running, and whoever waits is answered. */
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/index.js';
import { codeOf, echo, outcome, stage } from '../connection/stage.js';
import { dialRaw, serverJournal } from './stage.js';

const oops = new TypeError('oops');

/** A server with a client, in a world whose wall clock throws once when it is told to: charts ask it at every step. */
async function fragile() {
  const at = stage();
  const plain = at.server.environment();
  const world = { breaks: false };
  const clock = Object.assign(Object.create(plain.clock) as Environment['clock'], {
    wallNow: (): number => {
      if (!world.breaks) return plain.clock.wallNow();
      world.breaks = false;
      throw oops;
    },
  });
  const server = await at.serve(echo, { environment: { ...plain, clock } });
  const client = await dialRaw(at);
  const heard = serverJournal(server);
  return { at, world, server, client, heard, end: outcome(server.closed()) };
}

const ways: readonly [string, code: string, warnings: object[], (all: Awaited<ReturnType<typeof fragile>>) => void][] =
  [
    [
      'that breaks',
      'HANDLER_FAILED',
      [{ code: 'NINJA_HANDLER_FAILED', message: 'the statechart threw: oops', cause: oops }],
      ({ world, server }) => {
        world.breaks = true;
        void server.close();
      },
    ],
    ['that the program stops', 'DISPOSED', [], ({ server }) => void server.actor.stop()],
    [
      'that the program stops while it drains',
      'DISPOSED',
      [],
      ({ server }) => {
        void server.close();
        server.actor.stop();
      },
    ],
  ];

describe('a server with a statechart', () => {
  test.each(ways)('%s ends, with its port and its peers, and says so once', async (_, code, warnings, act) => {
    const all = await fragile();
    const { at, server, client, heard, end } = all;
    act(all);
    expect([server.state, server.peers.size, heard]).toEqual(['disposed', 0, [`closed ${code}`]]);
    await at.clock.advance(5);
    expect(end.is).toBe(code);
    expect(at.network.warnings).toMatchObject(warnings);
    expect([(await server.close()).code, (await server.dispose()).code]).toEqual([`NINJA_${code}`, `NINJA_${code}`]);
    expect(await codeOf(server.listening())).toBe(code);
    expect(server.explain()).toMatch(/ disposed on .*: (oops|the program stopped its actor)$/);
    client.end();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
    await (await at.serve()).dispose();
  });

  test('that is stopped before it listens: listen() rejects, and the port is free', async () => {
    const { Server } = await import('../../src/server.js');
    const { serverSettings } = await import('../../src/settings.js');
    const at = stage();
    const environment = at.server.environment();
    const server = new Server(serverSettings({ port: 65432, environment }, environment), undefined);
    const waits = outcome(server.listening());
    server.actor.stop();
    await at.clock.advance(5);
    expect([waits.is, server.state]).toEqual(['rejected DISPOSED', 'disposed']);
    await (await at.serve()).dispose();
  });
});
