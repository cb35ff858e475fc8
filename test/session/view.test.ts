import { describe, expect, test } from 'vitest';
import type { Peer } from '../../src/index.js';
import { play } from './stage.js';

describe('what is to be seen of a session', () => {
  test('is the same on both sides, and has no id in it', async () => {
    const { at, connection, peers, server } = await play({ handler: () => new Promise(() => {}) });
    connection.send('one');
    await at.clock.advance(50);
    at.network.resetAll();
    await at.clock.advance(500);
    const peer = peers[0] as Peer;
    const { session } = connection;
    expect(session?.snapshot).toEqual({
      state: 'attached',
      fingerprint: peer.session?.fingerprint,
      resumes: 1,
      replayed: 0,
      deduplicated: 0,
      retained: { messages: 1, bytes: 3 },
    });
    expect(session?.fingerprint).toMatch(/^[0-9a-f]{8}$/);
    expect(session?.id).toMatch(/^[0-9a-f]{32}$/);
    expect([session?.id, connection.snapshot.session]).toEqual([peer.session?.id, session?.snapshot]);
    expect(connection.explain()).toContain(`session ${session?.fingerprint}, resumed once, 1 message kept`);
    const told = [connection.snapshot, connection.history, peer.snapshot, server.snapshot, connection.explain()];
    expect(JSON.stringify(told)).not.toContain(session?.id);
    await server.dispose();
    await connection.dispose();
  });

  test('is nothing where there is none', async () => {
    const { connection, server } = await play({ client: { session: false }, server: { session: false } });
    expect([connection.session, connection.snapshot.session]).toEqual([undefined, undefined]);
    await server.dispose();
    await connection.dispose();
  });

  test.each([
    ['before there is any', 'fresh', 'fresh'],
    ['while it has a socket', 'attached', 'attached'],
    ['while it has none', 'detached', 'detached'],
  ] as const)('is its statechart, made when it is asked for %s', async (_, client, server) => {
    const stage = await play({ client: { backoff: () => 1000 } });
    const { at, connection, peers } = stage;
    const other = client === 'fresh' ? at.dial({ port: 1, session: true }) : connection;
    if (client === 'detached') at.network.resetAll();
    await at.clock.advance(10);
    expect(other.session?.actor.getSnapshot().value).toBe(client);
    if (server !== 'fresh') expect((peers[0] as Peer).session?.actor.getSnapshot().value).toBe(server);
    for (const one of new Set([connection, other])) await one.dispose();
    await stage.server.dispose();
  });

  test('is every step of its statechart, for an inspector', async () => {
    const { at, connection, server } = await play({ client: { backoff: () => 100 } });
    const seen: string[] = [];
    const subscription = connection.session?.inspect((step) => {
      if (step.type === '@xstate.event') seen.push(step.event.type);
    });
    at.network.resetAll();
    await at.clock.advance(500);
    subscription?.unsubscribe();
    expect(seen).toEqual(['session.detached', 'session.opening', 'session.attached']);
    expect(connection.session?.actor.getSnapshot().context.resumes).toBe(1);
    await server.dispose();
    await connection.dispose();
  });
});
