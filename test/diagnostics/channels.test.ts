import { channel, subscribe, type tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectAttempt, DiagnosticChannels, LifeOver, MessagePassed, StateChange } from '../../src/index.js';
import { echo, type Stage, short, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';

const undone: (() => void)[] = [];
afterEach(() => {
  for (const undo of undone.splice(0)) undo();
});

/** All that a channel tells until the test is over. */
function heard<Name extends keyof DiagnosticChannels>(name: Name): DiagnosticChannels[Name][] {
  const messages: DiagnosticChannels[Name][] = [];
  const listener = (message: unknown): void => void messages.push(message as DiagnosticChannels[Name]);
  subscribe(name, listener);
  undone.push(() => unsubscribe(name, listener));
  return messages;
}

const sentence = ({ kind, from, to, cause }: StateChange): string => `${kind} ${from ?? 'start'} → ${to} (${cause})`;

/** A connection that lives, then becomes stale, heals, and is closed. */
async function aLife(at: Stage) {
  const server = await at.serve(echo, { name: 'till server' });
  const connection = at.dial({ name: 'till 7' });
  await at.clock.runUntil(connection.connected({ proven: true }));
  connection.send('hello');
  await at.clock.advance(10);
  at.server.freeze();
  await at.clock.runUntil(() => connection.substate === 'waiting');
  at.server.thaw();
  await at.clock.runUntil(connection.connected({ proven: true }));
  await at.clock.runUntil(connection.close());
  await at.clock.runUntil(server.dispose());
  return { connection, server };
}

describe('ninja-tcp:state', () => {
  test('of a connection: every transition that its history has', async () => {
    const told = heard('ninja-tcp:state');
    const { connection } = await aLife(stage());
    const own = told.filter(({ source }) => source === connection);
    expect(own.map(({ at, epoch, from, to, cause, reason }) => ({ at, epoch, from, to, cause, reason }))).toEqual(
      connection.history,
    );
    expect(own[0]).toMatchObject({ kind: 'connection', name: 'till 7', id: undefined, server: undefined });
    expect(own.map(({ now }) => now)).toEqual([...own.map(({ now }) => now)].sort((a, b) => a - b));
  });

  test('of peers and servers', async () => {
    const told = heard('ninja-tcp:state');
    const { server } = await aLife(stage());
    expect(told.filter(({ kind }) => kind === 'server').map(sentence)).toEqual([
      'server start → closed (start)',
      'server closed → binding (listen)',
      'server binding → listening (acceptor.listening)',
      'server listening → disposed (dispose)',
    ]);
    expect(told.filter(({ id }) => id === 1).map(sentence)).toEqual([
      'peer start → connected.unproven (start)',
      'peer connected.unproven → connected.live (socket.heard)',
      expect.stringMatching(/^peer connected.live → /),
      ...told
        .filter(({ id }) => id === 1)
        .slice(3)
        .map(sentence),
    ]);
    expect(told.find(({ id }) => id === 1)).toMatchObject({ server: 'till server', epoch: 1 });
    expect(told.find(({ kind }) => kind === 'server')?.source).toBe(server);
  });

  test('does not wake the statechart of a peer', async () => {
    const told = heard('ninja-tcp:state');
    const at = stage();
    const server = await at.serve(echo);
    const client = await dialRaw(at);
    client.say('x');
    await at.clock.advance(5);
    const [peer] = server.peers;
    expect((peer as unknown as { life: { awake: unknown } }).life.awake).toBeUndefined();
    expect(told.filter(({ source }) => source === peer)).toHaveLength(2);
    await server.dispose();
  });

  test('of an actor that the program stopped: it is disposed, in the history too', async () => {
    const told = heard('ninja-tcp:state');
    const ends = heard('ninja-tcp:close');
    const at = stage();
    const connection = at.dial();
    const statuses: string[] = [];
    connection.subscribe(({ state }) => statuses.push(state));
    connection.actor.stop();
    await at.clock.advance(1);
    expect(sentence(told.at(-1) as StateChange)).toBe('connection connecting.dialing → disposed (actor stopped)');
    expect([connection.history.at(-1)?.to, statuses]).toEqual(['disposed', ['disposed']]);
    expect([connection.reason?.code, ends.length]).toEqual(['NINJA_DISPOSED', 1]);
  });

  test('of a connection that is disposed of in the tick of its making: its end is told once', async () => {
    const ends = heard('ninja-tcp:close');
    const at = stage();
    const connection = at.dial();
    const events: string[] = [];
    connection.on('disposed', ({ reason }) => events.push(reason.message));
    void connection.dispose();
    await at.clock.advance(1);
    expect(events).toEqual(['the program called dispose()']);
    expect(ends.map(({ reason }) => reason.message)).toEqual(events);
  });
});

describe('ninja-tcp:stale', () => {
  test('tells who was silent, and for how long', async () => {
    const told = heard('ninja-tcp:stale');
    const { connection } = await aLife(stage());
    const own = told.filter(({ kind }) => kind === 'connection');
    expect(own).toMatchObject([{ name: 'till 7', epoch: 1, source: connection }]);
    expect(own[0]?.silentForMs).toBeGreaterThanOrEqual(3000);
    expect(own[0]?.lastHeardAt).toBe((own[0]?.at ?? 0) - (own[0]?.silentForMs ?? 0));
  });
});

describe('ninja-tcp:message', () => {
  test('tells direction and length, never what is in it', async () => {
    const told = heard('ninja-tcp:message');
    const { connection } = await aLife(stage());
    const own = told.filter(({ source }) => source === connection);
    expect(own).toEqual([
      { direction: 'out', bytes: 5, source: connection },
      { direction: 'in', bytes: 5, source: connection },
    ] satisfies MessagePassed[]);
    expect(told.filter(({ source }) => source.kind === 'peer').map(({ direction }) => direction)).toEqual([
      'in',
      'out',
    ]);
  });

  test.each([
    ['while the gate is shut: when it is written', 'before'],
    ['with credit from earlier messages', 'after'],
  ])('of a message that is sent %s', async (_, when) => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    if (when === 'after') {
      await at.clock.runUntil(connection.connected({ proven: true }));
      for (let number = 0; number < 10; number += 1) connection.send('untold');
      await at.clock.advance(5);
    }
    const told = heard('ninja-tcp:message');
    connection.send('four');
    await at.clock.runUntil(() => told.some(({ direction }) => direction === 'in'));
    expect(told.filter(({ source }) => source === connection)[0]).toMatchObject({ direction: 'out', bytes: 4 });
    await connection.dispose();
    await server.dispose();
  });

  test('tells as much as stats() count', async () => {
    const told = heard('ninja-tcp:message');
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    await at.clock.runUntil(connection.connected({ proven: true }));
    for (let number = 0; number < 1000; number += 1) connection.send('m'.repeat(1 + (number % 50)));
    await at.clock.runUntil(() => connection.stats().received.messages === 1000);
    for (const [direction, { messages, bytes }] of [
      ['out', connection.stats().sent],
      ['in', connection.stats().received],
    ] as const) {
      const own = told.filter((one) => one.source === connection && one.direction === direction);
      expect([own.length, own.reduce((sum, one) => sum + one.bytes, 0)]).toEqual([messages, bytes]);
    }
    await connection.dispose();
    await server.dispose();
  });
});

describe('ninja-tcp:close', () => {
  test('tells each end once, with reason and totals', async () => {
    const told = heard('ninja-tcp:close');
    const { connection, server } = await aLife(stage());
    const totals = { messages: 1, bytes: 5 };
    const by = (kind: string): LifeOver[] => told.filter((one) => one.kind === kind);
    expect(by('connection')).toMatchObject([{ source: connection, epoch: 2, received: totals, sent: totals }]);
    expect(by('connection')[0]?.reason.message).toBe('closed; both sides sent their FIN');
    expect(by('server')).toMatchObject([{ source: server, epoch: 0, received: undefined }]);
    expect(by('peer')).toHaveLength(2);
    expect(by('peer')[0]).toMatchObject({ received: totals, sent: totals, server: 'till server' });
  });
});

describe('ninja-tcp:connect', () => {
  const words: (keyof ReturnType<typeof tracingChannel>)[] = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];

  /** What is told of attempts, as `start 1`; and their contexts. */
  function attempts() {
    const told: string[] = [];
    const contexts: ConnectAttempt[] = [];
    for (const word of words) {
      const listener = (context: unknown): void => {
        const one = context as ConnectAttempt;
        told.push(`${word} ${one.epoch}${one.error ? ` ${short(one.error.code)}` : ''}`);
        if (!contexts.includes(one)) contexts.push(one);
      };
      subscribe(`tracing:ninja-tcp:connect:${word}`, listener);
      undone.push(() => unsubscribe(`tracing:ninja-tcp:connect:${word}`, listener));
    }
    return { told, contexts };
  }

  test('one context for each attempt, in the order of tracePromise', async () => {
    const { told, contexts } = attempts();
    const at = stage();
    at.server.refuse();
    const connection = at.dial();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    at.server.refuse(false);
    const server = await at.serve(echo);
    await at.clock.runUntil(connection.connected());
    expect(told).toEqual([
      'start 1',
      'end 1',
      'error 1 CONNECT_FAILED',
      'asyncStart 1 CONNECT_FAILED',
      'asyncEnd 1 CONNECT_FAILED',
      'start 2',
      'end 2',
      'asyncStart 2',
      'asyncEnd 2',
    ]);
    expect(contexts).toHaveLength(2);
    expect(contexts[0]?.error?.cause).toMatchObject({ code: 'ECONNREFUSED' });
    expect(contexts[1]).toMatchObject({
      kind: 'connection',
      source: connection,
      attempt: 2,
      endpoint: { host: 'server', port: 65432 },
      remoteAddress: expect.any(String),
      error: undefined,
    });
    expect(contexts[1]?.durationMs).toBeGreaterThan(0);
    await connection.dispose();
    await server.dispose();
  });

  const ends: [string, (at: Stage, connection: ReturnType<Stage['dial']>) => unknown, string][] = [
    ['disconnect()', (_, connection) => connection.disconnect(), 'DISCONNECTED'],
    ['dispose()', (_, connection) => connection.dispose(), 'DISPOSED'],
    ['connectTimeout', (at) => at.clock.advance(5000), 'CONNECT_TIMEOUT'],
  ];
  test.each(ends)('an attempt that ends by %s has failed', async (_, end, code) => {
    const { told } = attempts();
    const at = stage();
    at.server.blackhole();
    const connection = at.dial();
    await end(at, connection);
    expect(told.slice(2, 5)).toEqual([`error 1 ${code}`, `asyncStart 1 ${code}`, `asyncEnd 1 ${code}`]);
    await connection.dispose();
  });

  test('the greeting belongs to the attempt', async () => {
    const { told } = attempts();
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial({
      onConnect: () => {
        throw new Error('no login');
      },
    });
    await at.clock.runUntil(() => connection.substate === 'waiting');
    expect(told).toContain('error 1 CONNECT_FAILED');
    await connection.dispose();
    await server.dispose();
  });

  test('stores of `start` are bound while it dials', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const store = new AsyncLocalStorage<ConnectAttempt>();
    const start = channel('tracing:ninja-tcp:connect:start');
    start.bindStore(store, (context) => context as ConnectAttempt);
    undone.push(() => start.unbindStore(store));
    const at = stage();
    const environment = at.network.environment('client');
    const bound: (number | undefined)[] = [];
    const dial: typeof environment.dial = (target) => {
      bound.push(store.getStore()?.epoch);
      return environment.dial(target);
    };
    const connection = at.dial({ environment: { ...environment, dial } });
    expect([bound, store.getStore()]).toEqual([[1], undefined]);
    await connection.dispose();
  });
});

describe('a subscriber that throws', () => {
  test('harms no line: Node makes it an uncaught exception of its own', async () => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught: unknown[] = [];
    process.on('uncaughtException', (error) => uncaught.push(error));
    undone.push(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    });
    const names = ['ninja-tcp:state', 'ninja-tcp:stale', 'ninja-tcp:message', 'ninja-tcp:close'] as const;
    const all = [...names, 'tracing:ninja-tcp:connect:start', 'tracing:ninja-tcp:connect:asyncEnd'];
    const thrower = (_: unknown, name: string | symbol): never => {
      throw new Error(`of ${String(name)}`);
    };
    for (const name of all) {
      subscribe(name, thrower);
      undone.push(() => unsubscribe(name, thrower));
    }
    const { connection } = await aLife(stage());
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.history.map(({ to }) => to)).toContain('stale');
    expect(connection.reason?.message).toBe('closed; both sides sent their FIN');
    expect(new Set(uncaught.map(String))).toEqual(new Set(all.map((name) => `Error: of ${name}`)));
  });
});
