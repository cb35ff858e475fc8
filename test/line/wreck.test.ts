/** The statechart itself breaks: a bug, or an environment that throws. Nothing is left running, and others live on. */
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/index.js';
import { codeOf, collect, journal, outcome, stage } from '../connection/stage.js';
import { dialRaw, serverJournal } from '../server/stage.js';

const oops = new TypeError('oops');

/** An environment whose wall clock throws once, when it is told to: charts ask it at every step. */
function fragile(environment: Environment) {
  const world = { breaks: false };
  const clock = Object.assign(Object.create(environment.clock) as Environment['clock'], {
    wallNow: (): number => {
      if (!world.breaks) return environment.clock.wallNow();
      world.breaks = false;
      throw oops;
    },
  });
  return { world, environment: { ...environment, clock } };
}

describe('a connection whose statechart breaks', () => {
  const broken = async (told: boolean) => {
    const at = stage();
    const received: string[] = [];
    const server = await at.serve(collect(received));
    const other = at.dial();
    const { world, environment } = fragile(at.network.environment('client'));
    const connection = at.dial({ environment });
    const heard = journal(connection);
    if (!told) connection.removeAllListeners('error');
    await at.clock.runUntil(connection.connected({ proven: true }));
    await at.clock.runUntil(other.connected({ proven: true }));
    const waits = [connection.closed(), connection.messages().next()].map(outcome);
    heard.length = 0;
    world.breaks = true;
    connection.disconnect();
    await at.clock.advance(5);
    return { at, server, other, connection, heard, waits, received };
  };

  test('is told once as `error`, ends with HANDLER_FAILED, and whoever waits is answered', async () => {
    const { at, connection, heard, waits } = await broken(true);
    expect(heard).toEqual(['error HANDLER_FAILED', 'disposed HANDLER_FAILED']);
    expect(waits.map(({ is }) => is)).toEqual(['HANDLER_FAILED', expect.stringMatching(/resolved|Object/)]);
    expect([connection.state, connection.substate]).toEqual(['disposed', undefined]);
    expect(await codeOf(() => connection.send('x'))).toBe('DISPOSED');
    expect(await codeOf(connection.connected())).toBe('DISPOSED');
    expect([(await connection.close()).code, at.network.warnings]).toEqual(['NINJA_HANDLER_FAILED', []]);
  });

  test('with no listener of `error`: told once by environment.warn', async () => {
    const { at, heard } = await broken(false);
    expect(heard).toEqual(['disposed HANDLER_FAILED']);
    expect(at.network.warnings).toMatchObject([{ code: 'NINJA_HANDLER_FAILED', cause: oops }]);
  });

  test('leaves no socket and no timer; others do not notice', async () => {
    const { at, server, other, received } = await broken(true);
    expect(at.network.openTransports).toBe(2);
    other.send('still here');
    await at.clock.advance(5);
    expect([received, other.state, other.epoch]).toEqual([['still here'], 'connected', 1]);
    await Promise.all([other.dispose(), server.dispose()]);
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});

describe('a peer whose statechart breaks', () => {
  test('is told once as `peerError` and is gone; the server and its other peers do not notice', async () => {
    const at = stage();
    const received: string[] = [];
    const { world, environment } = fragile(at.server.environment());
    const server = await at.serve(collect(received), { environment });
    const heard = serverJournal(server);
    const [first, second] = [await dialRaw(at), await dialRaw(at)];
    const ends: string[] = [];
    for (const peer of server.peers) peer.on('disposed', ({ reason }) => ends.push(`${peer.id} ${reason.code}`));
    world.breaks = true;
    // Its first byte makes it live: the chart's next step.
    first.say('x');
    await at.clock.advance(5);
    second.say('y');
    await at.clock.advance(5);
    expect(heard).toEqual(['peer 1', 'peer 2', 'peerError 1 HANDLER_FAILED']);
    expect([ends, received, server.state]).toEqual([['1 NINJA_HANDLER_FAILED'], ['y'], 'listening']);
    expect([[...server.peers].map(({ id }) => id), first.heard.some((line) => /ended|failed/.test(line))]).toEqual([
      [2],
      true,
    ]);
    await server.dispose();
    for (const client of [first, second]) client.transport.destroy();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});

describe('an actor that the program stops', () => {
  test('of a connection: it is over, and everybody who waits is told', async () => {
    const at = stage();
    const server = await at.serve();
    const connection = at.dial();
    const heard = journal(connection);
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.actor.stop();
    expect((await connection.closed()).message).toBe('the program stopped its actor');
    expect(heard.at(-1)).toBe('disposed DISPOSED');
    expect(() => connection.send('x')).toThrow('the program stopped its actor');
    await server.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('of a peer: it is over, and its server goes on', async () => {
    const at = stage();
    const server = await at.serve();
    const client = await dialRaw(at);
    const [peer] = server.peers;
    peer?.actor.stop();
    expect((await peer?.closed())?.message).toBe('the program stopped its actor');
    expect([server.peers.size, server.state]).toEqual([0, 'listening']);
    await server.dispose();
    client.transport.destroy();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});
