import { describe, expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import type { Peer } from '../../src/index.js';
import { answer, play } from './stage.js';

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

  test('is its history, since it was asked for, on both sides', async () => {
    const { at, connection, peers, server } = await play({ client: { backoff: () => 100 } });
    const attachedAt = at.clock.wallNow();
    const all = [connection, peers[0] as Peer].map((one) => one.session?.history);
    for (const history of all) expect(history).toMatchObject([{ from: undefined, to: 'attached', epoch: 1 }]);
    expect(all[0]?.[0]?.at).toBeLessThan(attachedAt);
    at.network.resetAll();
    const detachedAt = at.clock.wallNow();
    await at.clock.advance(500);
    for (const one of [connection, peers[0] as Peer]) {
      expect(one.session?.history.map(({ from, to, cause, epoch }) => [from, to, cause, epoch])).toEqual([
        [undefined, 'attached', 'session.attached', 1],
        ['attached', 'detached', 'session.detached', 1],
        ['detached', 'attached', 'session.attached', 2],
      ]);
    }
    expect(connection.session?.history[1]?.at).toBeCloseTo(detachedAt, -1);
    await server.dispose();
    await connection.dispose();
  });

  test('goes on with the next session, where one is lost: history and inspector see both', async () => {
    const { at, connection, server } = await play({ handler: () => new Promise(() => {}) });
    const seen: string[] = [];
    const actors = new Set<unknown>();
    // XState warns where a chart is made in the middle of another's step.
    const warned = vi.spyOn(console, 'warn');
    const { unsubscribe } = connection.inspect((step) => {
      const actorRef = step.actorRef as unknown as { logic: { id?: string } };
      if (actorRef.logic.id !== 'session') return;
      actors.add(actorRef);
      if (step.type === '@xstate.event') seen.push(step.event.type);
      else if (step.type === '@xstate.actor') seen.push('made');
    });
    connection.send('one');
    await at.clock.advance(50);
    connection.session?.actor.send({ type: 'abandon' });
    expect(connection.session?.history.at(-1)).toMatchObject({
      to: 'ended.lost',
      reason: { code: 'NINJA_SESSION_LOST', message: 'the session was lost: ABANDONED' },
    });
    await at.clock.advance(500);
    expect(seen).toEqual(['made', 'abandon', 'session.ended', 'made', 'session.attached']);
    expect([actors.size, warned.mock.calls]).toEqual([2, []]);
    warned.mockRestore();
    expect(connection.session?.history.map(({ to }) => to)).toEqual([
      'attached',
      'ended.lost',
      'establishing',
      'attached',
    ]);
    unsubscribe();
    connection.session?.actor.send({ type: 'finish' });
    expect(seen).toHaveLength(5);
    await server.dispose();
    await connection.dispose();
  });

  test('is every step of its statechart, for the option `inspect`, from the first on', async () => {
    const seen: string[] = [];
    const inspect = (step: InspectionEvent) => {
      const { logic } = step.actorRef as unknown as { logic: { id?: string } };
      if (step.type === '@xstate.snapshot' && logic.id === 'session') seen.push(`${step.event.type}`);
    };
    const { at, connection, server } = await play({ client: { inspect } });
    expect(seen).toEqual(['xstate.init', 'session.opening', 'session.attached']);
    seen.length = 0;
    const other = await at.serve(answer, { port: 2, session: 'require', inspect });
    const client = at.dial({ port: 2, session: true });
    await at.clock.advance(50);
    expect(seen).toEqual(['xstate.init']);
    at.network.resetAll();
    await at.clock.advance(1);
    expect(seen).toContain('session.detached');
    for (const one of [connection, client, server, other]) await one.dispose();
  });

  test('an inspector that throws is detached from it too, and warned of once', async () => {
    const warnings: string[] = [];
    const { at, connection, server } = await play();
    const { environment } = (connection as unknown as { line: { settings: { environment: object } } }).line.settings;
    Object.assign(environment, { warn: (error: Error) => warnings.push(error.message) });
    let heard = 0;
    connection.inspect((step) => {
      heard += 1;
      if (step.type === '@xstate.event') throw new Error('wrong');
    });
    const before = heard;
    at.network.resetAll();
    await at.clock.advance(500);
    expect([heard - before, warnings]).toEqual([1, ['an inspector threw, and is detached: wrong']]);
    await server.dispose();
    await connection.dispose();
  });
});
