import { describe, expect, test, vi } from 'vitest';
import type { ConnectionSnapshot, ConnectionStatus, PeerStatus, ServerStatus } from '../../src/index.js';
import { charts } from '../../src/inspector/charts.js';
import { registered } from '../../src/registry.js';
import { echo, PORT, type Stage, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';

const place = ({ state, substate }: { state: string; substate?: string | undefined }) =>
  substate ? `${state}.${substate}` : state;

/** `connected.live`, of each state and substate that a status can have. */
type PlaceOf<Status extends { readonly state: string; readonly substate?: string | undefined }> = Status extends {
  readonly substate: infer Substate extends string;
}
  ? `${Status['state']}.${Substate}`
  : Status['state'];

test('statuses have the names of the charts, all of them', () => {
  // Whatever is missing here, or too much, does not compile.
  const connection: Record<PlaceOf<ConnectionStatus>, true> = {
    'disconnected.idle': true,
    'disconnected.waiting': true,
    'disconnected.failed': true,
    'connecting.dialing': true,
    'connecting.greeting': true,
    'connected.unproven': true,
    'connected.live': true,
    'connected.draining': true,
    stale: true,
    disposed: true,
  };
  const peer: Record<PlaceOf<PeerStatus>, true> = {
    'connected.unproven': true,
    'connected.live': true,
    'connected.draining': true,
    stale: true,
    'detached.waiting': true,
    'detached.draining': true,
    disposed: true,
  };
  const server: Record<ServerStatus['state'], true> = {
    closed: true,
    binding: true,
    listening: true,
    paused: true,
    draining: true,
    disposed: true,
  };
  for (const [kind, names] of Object.entries({ connection, peer, server })) {
    const places = charts[kind as 'connection'].nodes.flatMap(({ place }) => place ?? []);
    // Whether a paused server waits or tries again is its own affair.
    const told = places.map((one) => (kind === 'server' ? (one.split('.')[0] as string) : one));
    expect([kind, [...new Set(told)].sort()]).toEqual([kind, Object.keys(names).sort()]);
  }
});

describe('status() and subscribe()', () => {
  test('of a connection: each state once, in order, with what belongs to it', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    const told: ConnectionStatus[] = [];
    connection.subscribe((status) => told.push(status));
    const read: ConnectionStatus[] = [];
    const reading = (async () => {
      for await (const status of connection.status()) read.push(status);
    })();
    await at.clock.runUntil(connection.connected({ proven: true }));
    at.server.freeze();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    at.server.thaw();
    await at.clock.runUntil(connection.connected({ proven: true }));
    void connection.close();
    await at.clock.runUntil(reading);
    expect(read.map(place)).toEqual([
      'connecting.dialing',
      'connecting.greeting',
      'connected.unproven',
      'connected.live',
      'stale',
      'disconnected.waiting',
      'connecting.dialing',
      'connecting.greeting',
      'connected.unproven',
      'connected.live',
      'connected.draining',
      'disposed',
    ]);
    expect(told).toEqual(read.slice(1));
    const [waiting, again] = read.slice(5);
    expect(waiting).toMatchObject({ failures: 1, epoch: 1, cause: 'socket.closed', reason: { code: 'NINJA_STALE' } });
    expect((waiting as { nextAttemptAt: number }).nextAttemptAt).toBe((waiting?.at ?? 0) + 100);
    expect(again).toMatchObject({ attempt: 2, epoch: 2, cause: 'after backoff' });
    expect(read.at(-1)?.reason?.message).toBe('closed; both sides sent their FIN');
    await server.dispose();
  });

  test('of a peer and of a server', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const statuses: string[] = [];
    server.subscribe((status) => statuses.push(`server ${status.state} ${status.cause}`));
    server.on('peer', (peer) => {
      peer.subscribe((status) => statuses.push(`peer ${place(status)} ${status.cause}`));
    });
    const client = await dialRaw(at);
    client.say('x');
    await at.clock.advance(5);
    void server.close();
    await at.clock.runUntil(server.closed());
    await at.clock.advance(1);
    expect(statuses).toEqual([
      'peer connected.live socket.heard',
      'server draining close',
      'peer connected.draining close',
      'peer disposed socket.closed',
      'server disposed peers.gone',
    ]);
    const last = await server.status().next();
    expect(last.value).toMatchObject({ state: 'disposed', reason: { code: 'NINJA_DISPOSED' } });
  });

  test('of a peer with a session: its sockets are counted, and each loss is told with its reason', async () => {
    const at = stage();
    const server = await at.serve(echo, { session: 'require' });
    const statuses: PeerStatus[] = [];
    server.on('peer', (peer) => peer.subscribe((status) => statuses.push(status)));
    const connection = at.dial({ session: true });
    await at.clock.runUntil(connection.connected());
    await at.clock.advance(50);
    at.network.resetAll();
    await at.clock.advance(1000);
    at.network.cut();
    await at.clock.runUntil(() => [...server.peers][0]?.state === 'detached');
    const [peer] = server.peers;
    void peer?.close();
    await at.clock.advance(1);
    expect(statuses.map((status) => `${place(status)} ${status.epoch} ${status.cause} ${status.reason?.code}`)).toEqual(
      [
        'connected.live 1 socket.heard undefined',
        'detached.waiting 1 socket.failed NINJA_RESET',
        'connected.unproven 2 session.attached NINJA_RESET',
        'connected.live 2 socket.heard NINJA_RESET',
        'stale 2 after silence NINJA_STALE',
        'detached.waiting 2 socket.closed NINJA_STALE',
        'detached.draining 2 close NINJA_STALE',
      ],
    );
    await connection.dispose();
    await server.dispose();
  });

  test('a listener that throws is warned of; who unsubscribes inside another is told no more', async () => {
    const at = stage();
    const warn = vi.fn();
    const connection = at.dial({ environment: { ...at.network.environment('client'), warn } });
    const heard: string[] = [];
    connection.subscribe(() => {
      second.unsubscribe();
      throw new Error('oops');
    });
    const second = connection.subscribe(({ state }) => heard.push(state));
    connection.subscribe(({ state }) => heard.push(`third ${state}`));
    connection.disconnect();
    await at.clock.advance(1);
    expect(heard).toEqual(['third disconnected']);
    expect(warn.mock.calls.map(([error]) => error.message)).toEqual(['a status listener threw: oops']);
    await connection.dispose();
  });

  test('a listener that gives orders comes after the step', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    const seen: string[] = [];
    connection.subscribe((status) => {
      seen.push(`${place(status)}, told in ${connection.state}`);
      if (place(status) === 'connected.unproven') void connection.dispose();
    });
    await at.clock.runUntil(connection.closed());
    await at.clock.advance(1);
    expect(seen).toEqual([
      'connecting.greeting, told in connected',
      'connected.unproven, told in connected',
      'disposed, told in disposed',
    ]);
    await server.dispose();
  });

  test('a reader that is 50 behind goes on with the newest 50', async () => {
    const at = stage();
    const connection = at.dial();
    const reader = connection.status();
    await reader.next();
    for (let turn = 0; turn < 60; turn += 1) {
      connection.disconnect();
      connection.connect();
    }
    await at.clock.advance(1);
    const epochs: number[] = [];
    for (let turn = 0; turn < 50; turn += 1) epochs.push((await reader.next()).value?.epoch ?? 0);
    expect(epochs[0]).toBe(36);
    expect(epochs.at(-1)).toBe(61);
    await reader.return(undefined);
    await connection.dispose();
  });

  test('a signal ends the iteration, not the connection', async () => {
    const at = stage();
    const connection = at.dial();
    const stop = new AbortController();
    const reader = connection.status({ signal: stop.signal });
    await reader.next();
    const next = reader.next();
    stop.abort();
    await expect(next).rejects.toThrow('status() was aborted by its signal');
    expect(connection.state).toBe('connecting');
    await expect(connection.status({ signal: stop.signal }).next()).rejects.toMatchObject({ code: 'NINJA_ABORTED' });
    await connection.dispose();
  });

  test('subscribe() wants a function', () => {
    const connection = stage().dial();
    expect(() => connection.subscribe(undefined as never)).toThrow('subscribe() must be given a function');
    void connection.dispose();
  });
});

describe('snapshot', () => {
  const places: [string, (at: Stage, connection: ReturnType<Stage['dial']>) => unknown, string[]][] = [
    ['connecting.dialing', () => {}, ['connectTimeout 5000']],
    ['connected.live', (at, c) => at.clock.runUntil(c.connected({ proven: true })), ['silence 3000']],
    [
      'connected.draining',
      async (at, c) => {
        await at.clock.runUntil(c.connected({ proven: true }));
        at.server.freeze();
        void c.close();
      },
      ['silence 3000', 'drainTimeout 30000'],
    ],
    [
      'disconnected.waiting',
      (at, c) => {
        at.server.refuse();
        return at.clock.runUntil(() => c.substate === 'waiting');
      },
      ['backoff 100'],
    ],
    ['disconnected.idle', (_, c) => c.disconnect(), []],
    ['disposed', (_, c) => c.dispose(), []],
  ];

  test.each(places)('in %s tells what the clock will bring', async (name, prepare, timers) => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    await prepare(at, connection);
    const { snapshot } = connection;
    expect(place(snapshot)).toBe(name);
    expect(snapshot.timers.map((timer) => `${timer.name} ${Math.round(timer.at - timer.from)}`)).toEqual(timers);
    expect(snapshot.nextEvent).toEqual(snapshot.timers[0]);
    for (const { at: due } of snapshot.timers) expect(due).toBeGreaterThan(at.clock.wallNow());
    // Plain values, all of them.
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(JSON.parse(JSON.stringify({ ...snapshot })));
    expect(structuredClone(snapshot)).toEqual(snapshot);
    await connection.dispose();
    await server.dispose();
  });

  test('of a connection that is refused: why, with the cause, and when it tries again', async () => {
    const at = stage();
    at.server.refuse();
    const connection = at.dial({ name: 'till 7' });
    connection.send('held');
    await at.clock.runUntil(() => connection.substate === 'waiting');
    const { snapshot } = connection;
    expect(snapshot).toMatchObject({
      kind: 'connection',
      name: 'till 7',
      endpoint: `server:${PORT}`,
      epoch: 1,
      failures: 1,
      attempt: 2,
      lastHeardAt: undefined,
      reason: { code: 'NINJA_CONNECT_FAILED' },
      error: { code: 'NINJA_CONNECT_FAILED', cause: expect.stringContaining('ECONNREFUSED') },
      outbox: { messages: 1, bytes: 4 },
    } satisfies Partial<Record<keyof ConnectionSnapshot, unknown>>);
    await connection.dispose();
  });

  test('of a peer without a socket: why, and how long its session is kept', async () => {
    const at = stage();
    const server = await at.serve(undefined, { session: { mode: 'require', resumeWindow: 60_000 } });
    const connection = at.dial({ session: true });
    await at.clock.runUntil(connection.connected());
    const [peer] = server.peers;
    await at.clock.advance(50);
    peer?.send('not handled');
    at.network.cut();
    peer?.send('not arrived');
    await at.clock.runUntil(() => peer?.state === 'detached');
    peer?.send('not written');
    await at.clock.advance(1000);
    const words = () => peer?.explain().replaceAll(/\d\d:\d\d:\d\d/g, 'TIME');
    const timers = () => peer?.snapshot.timers.map(({ name, from, at: due }) => `${name} ${Math.round(due - from)}`);
    expect(words()).toMatch(
      /^peer 1 .* detached \(waiting\) since TIME: no byte for 3000 ms; over in 59,000 ms; 3 messages held$/,
    );
    expect(timers()).toEqual(['resumeWindow 60000']);
    expect(peer?.reason).toMatchObject({ code: 'NINJA_STALE' });
    expect(peer?.snapshot).toMatchObject({ state: 'detached', substate: 'waiting', reason: { code: 'NINJA_STALE' } });
    void peer?.close();
    await at.clock.advance(1);
    expect(timers()).toEqual(['drainTimeout 30000', 'resumeWindow 60000']);
    expect(words()).toContain('detached (draining) since TIME');
    await connection.dispose();
    await server.dispose();
  });

  test('of a peer does not wake its statechart; of a server counts', async () => {
    const at = stage();
    const server = await at.serve(echo, { maxConnections: 1 });
    const client = await dialRaw(at);
    client.say('hello');
    await at.clock.advance(5);
    const refused = await dialRaw(at);
    const [peer] = server.peers;
    expect(peer?.snapshot).toMatchObject({ kind: 'peer', id: 1, state: 'connected', substate: 'live', epoch: 1 });
    expect(peer?.snapshot.received.messages).toBe(1);
    expect((peer as unknown as { life: { awake: unknown } }).life.awake).toBeUndefined();
    expect(server.snapshot).toMatchObject({ kind: 'server', state: 'listening', peers: 1, accepted: 1, refused: 1 });
    refused.transport.destroy();
    client.transport.destroy();
    await server.dispose();
  });
});

describe('the list of what lives', () => {
  test('has every connection and server, until it is disposed of', async () => {
    const at = stage();
    const before = registered().length;
    const server = await at.serve(echo);
    const connection = at.dial();
    expect(registered().slice(before)).toEqual([server, connection]);
    await connection.dispose();
    await server.dispose();
    expect(registered()).toHaveLength(before);
  });
});
