import { describe, expect, test } from 'vitest';
import type { AnyTransitionDefinition } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import { type Connection, type ConnectOptions, connect, listen } from '../../src/index.js';
import {
  type ConnectionPathsOptions,
  connectionPaths,
  type PathApp,
  type PathServer,
  type PathWorld,
} from '../../src/testing/index.js';
import { nameOf, transitionsOf } from '../machines/plan.js';

/** Transitions of the real chart that were taken in any path below. */
const taken = new Set<string>();

function watch<C extends Connection>(connection: C): C {
  connection.actor.system.inspect((event) => {
    if (event.type !== '@xstate.microstep' || event.actorRef !== connection.actor) return;
    for (const transition of (event as unknown as { _transitions: AnyTransitionDefinition[] })._transitions) {
      taken.add(nameOf(transition));
    }
  });
  return connection;
}

const open = ({ host, port, environment }: PathWorld, more: Partial<ConnectOptions> = {}): Connection =>
  watch(connect({ host, port, environment, ...more }));

/** Logs in, and answers. */
const serveLogin = ({ environment, port }: PathServer) =>
  listen({ environment, port }, async (peer) => {
    try {
      for await (const message of peer) peer.send(`${message}` === 'login' ? 'welcome' : message);
    } catch {
      // The line broke: what these paths are about.
    }
  });
const logIn = {
  onConnect: async (line: { send(m: string): void; receive(): Promise<Buffer> }) => {
    line.send('login');
    await line.receive();
  },
};

function walkAll<App extends PathApp>(name: string, options: ConnectionPathsOptions<App>) {
  const paths = connectionPaths(options);
  describe(name, () => {
    test.each(paths.map((path) => [path.title, path] as const))('%s', async (_, path) => {
      const seen: string[] = [];
      await path.run(({ connection, place }) => {
        seen.push(place);
        expect([connection.state, connection.substate].filter(Boolean).join('.')).toBe(place);
        expect(connection.history.at(-1)?.to).toBe(place);
      });
      expect(seen).toEqual(path.places);
    });
  });
  return paths;
}

walkAll('a bare connection', { start: (world) => open(world), message: 'held' });
walkAll('one that gives up', {
  start: (world) => open(world, { maxAttempts: 2 }),
  maxAttempts: 2,
  orders: ['connect', 'close'],
});
walkAll('one that logs in', {
  start: (world) => open(world, logIn),
  serve: serveLogin,
  greets: true,
  message: 'held',
});
walkAll('one that never goes stale', {
  start: (world) => open(world, { staleAfter: 0 }),
  goesStale: false,
  orders: ['close'],
});
walkAll('one with other numbers', {
  start: (world) =>
    open(world, { staleAfter: 600, finTimeout: 50, drainTimeout: 4000, stableAfter: 10_000, connectTimeout: 90 }),
});
walkAll('one with a session, and with another one when it is lost', {
  start: (world) => open(world, { session: { onSessionLost: 'new' } }),
  session: 'new',
  message: 'held',
});
/** Sends something over each line, and lets it arrive. */
const used = (onSessionLost: 'fail' | 'new') => ({
  start: (world: PathWorld) => {
    const connection = open(world, { session: { onSessionLost } });
    return connection.on('connected', () => connection.send('used'));
  },
  check: { 'connected.live': (_: unknown, { clock }: PathWorld) => clock.advance(60) },
  session: onSessionLost,
});
walkAll('one that gives up with its session', { ...used('fail'), message: 'held' });
walkAll('one that has lost what it had sent, and goes on', { ...used('new'), orders: ['close'] });

test('every transition that the world or the program can cause was taken', () => {
  const never = transitionsOf(connectionMachine)
    .map(nameOf)
    .filter((name) => !taken.has(name));
  expect(never.sort()).toEqual(neverTaken);
});

/** What only bugs, or the server's own words, could cause. */
const neverTaken: readonly string[] = [
  // A socket that was never open fails; it does not close.
  'connecting socket.closed 0',
  // Late words of a dead socket: it is stopped before it can say them.
  'connection greeting.* 0',
  'connection socket.* 0',
  // A transport that was destroyed closes, and always says so.
  'stale socket.failed 0',
  'stale xstate.after.discardTimeout.stale 0',
];

describe('set-ups', () => {
  test('a bare connection needs no options; titles are unique and readable', () => {
    const paths = connectionPaths();
    const titles = paths.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.length).toBeGreaterThan(40);
    expect(titles).toContain('TCP opens, the server speaks, the server is killed, all heals → connected.live');
    for (const { places } of paths) expect(['connected.live', 'disposed']).toContain(places.at(-1));
  });

  test('a bare connection with a session needs no more', async () => {
    const paths = connectionPaths({ session: 'new' });
    expect(paths.length).toBeGreaterThan(100);
    const moves = new Set(paths.flatMap(({ title }) => title.split(' →')[0]?.split(', ')));
    expect(moves).toContain('close() with a message held');
    const [path] = paths.filter(({ title }) => title.includes('the server is killed, close() with a message held'));
    await path?.run();
  });

  test('the same each time', () => {
    expect(connectionPaths().map(({ title }) => title)).toEqual(connectionPaths().map(({ title }) => title));
  });

  test('without orders only the world acts', () => {
    for (const { title } of connectionPaths({ orders: [] })) expect(title).not.toContain('()');
  });

  test('a runner may hand over what it likes', async () => {
    const [path] = connectionPaths();
    await path?.run({ signal: 'of the runner' } as never);
  });

  test('a name that there is not throws at once, and tells the names', () => {
    const check = { 'conected.live': () => {} } as object;
    expect(() => connectionPaths({ check })).toThrow(
      "connectionPaths: check: there is no 'conected.live', but disconnected.idle,",
    );
    expect(() => connectionPaths({ orders: ['quit' as never] })).toThrow("orders: there is no 'quit', but connect, ");
  });

  test('a check where no path comes by throws at once, and says why', () => {
    expect(() => connectionPaths({ check: { 'connecting.greeting': () => {} } })).toThrow('`greets: true`');
    expect(() => connectionPaths({ check: { 'disconnected.failed': () => {} } })).toThrow('maxAttempts');
    expect(() => connectionPaths({ check: { stale: () => {} }, goesStale: false })).toThrow('`goesStale` is false');
    expect(() => connectionPaths({ check: { 'disconnected.idle': () => {} }, orders: ['close'] })).toThrow(
      'no path comes by',
    );
    expect(() => connectionPaths({ greets: true })).toThrow('greets: needs `start`');
    expect(() => connectionPaths({ maxAttempts: 11 })).toThrow('maxAttempts: 1 … 10 or Infinity, not 11');
    expect(() => connectionPaths({ session: true as never })).toThrow("session: 'fail' or 'new', not true");
    expect(() => connectionPaths({ session: 'fail' })).toThrow("session: 'fail' needs `start`");
    expect(() => connectionPaths({ session: 'new', greets: true, start: open, serve: serveLogin })).toThrow(
      'a line with a session has no onConnect hook',
    );
  });

  test('checks are called by place and by parent, and counted', async () => {
    const calls: string[] = [];
    const paths = connectionPaths({
      orders: [],
      check: {
        connected: (app, { place }) => calls.push(`connected ${app.state} ${place}`),
        'connected.live': (_, { words }) => calls.push(`live ${words}`),
        stale: () => calls.push('stale'),
      },
    });
    const path = paths.find(({ places }) => places.includes('stale') && places.includes('connected.live'));
    await path?.run();
    expect(calls).toEqual([
      'connected connected connected.unproven',
      'connected connected connected.live',
      'live the server speaks',
      'stale',
      'connected connected connected.live',
      'live all heals',
    ]);
    expect(Object.fromEntries(paths.checked)).toEqual({ connected: 3, 'connected.live': 2, stale: 1 });
  });
});

describe('what goes wrong', () => {
  const first = <App extends PathApp>(options: ConnectionPathsOptions<App>) =>
    connectionPaths({ orders: [], ...options })
      .find(({ title }) => title.includes('killed'))
      ?.run();

  test('a check that throws says where', async () => {
    const check = { 'connected.live': () => expect('red').toBe('green') };
    await expect(first({ check })).rejects.toThrow(
      "connected.live, after 'the server speaks': expected 'red' to be 'green'",
    );
  });

  test('a check that lets too much time pass', async () => {
    const check = { 'disconnected.waiting': (_: unknown, { clock }: PathWorld) => clock.advance(50_000) };
    await expect(first({ check })).rejects.toThrow('the check of disconnected.waiting let time pass');
  });

  test('a start that waits for the line', async () => {
    const start = async (world: PathWorld) => {
      const connection = open(world);
      await connection.connected();
      return connection;
    };
    await expect(first({ start })).rejects.toThrow('start: must give the program at once');
  });

  test('a start that throws, or gives no connection', async () => {
    await expect(first({ start: () => Promise.reject(new Error('no')) })).rejects.toThrow('no');
    await expect(first({ start: () => ({}) as never })).rejects.toThrow('start: must give a connection');
  });

  test('a stop that throws; but what a check threw comes first', async () => {
    const stop = () => Promise.reject(new Error('no stop'));
    await expect(first({ stop })).rejects.toThrow('no stop');
    const check = { stale: () => {}, connected: () => Promise.reject(new Error('no check')) };
    await expect(first({ stop, check })).rejects.toThrow('no check');
  });

  test('a line that was lost and found again where it should have stayed', async () => {
    const start = (world: PathWorld) => open(world, { staleAfter: 90 });
    const path = connectionPaths({ start, orders: [] }).find(({ title }) => title.includes('time passes'));
    await expect(path?.run()).rejects.toThrow(
      "the line was lost after 'time passes': does the server speak often enough for staleAfter, 90 ms?",
    );
  });

  test('a server that throws', async () => {
    await expect(first({ serve: () => Promise.reject(new Error('no server')) })).rejects.toThrow('no server');
  });

  test('options that are not those of the program', async () => {
    await expect(first({ start: open, greets: true, serve: serveLogin })).rejects.toThrow('has no onConnect hook');
    await expect(first({ start: open, session: 'new' })).rejects.toThrow('and no session');
    const greeting = { start: (world: PathWorld) => open(world, logIn), serve: serveLogin };
    await expect(first(greeting)).rejects.toThrow('say `greets: true`');
    await expect(first({ start: (world) => open(world, { staleAfter: 0 }) })).rejects.toThrow('say `goesStale: false`');
    await expect(first({ start: (world) => open(world, { backoff: () => false }) })).rejects.toThrow(
      "expected disconnected.waiting after 'the server is killed', but: server:65432 disconnected (failed)",
    );
  });
});

describe('a program of ones own', () => {
  /** Subscribes on each fresh line; or, with a bug, on the first one only. */
  class Ticker {
    readonly connection: Connection;
    stopped = 0;

    constructor(world: PathWorld, how: 'on' | 'once') {
      this.connection = open(world);
      this.connection[how]('connected', () => this.connection.send('subscribe'));
    }
  }

  const pathsOf = (how: 'on' | 'once') => {
    // Of the newest line.
    let subscriptions = 0;
    return connectionPaths({
      start: (world) => new Ticker(world, how),
      stop: (app) => {
        app.stopped += 1;
      },
      serve: ({ environment, port }) =>
        listen({ environment, port }, (peer) => {
          subscriptions = 0;
          peer.on('message', () => {
            subscriptions += 1;
          });
        }),
      check: {
        'connected.live': async (_, { clock }) => {
          await clock.advance(5);
          expect(subscriptions).toBe(1);
        },
        disposed: (app) => expect(app.stopped).toBe(0),
      },
    });
  };

  test('every path', async () => {
    const paths = pathsOf('on');
    for (const path of paths) await path.run();
    expect(paths.checked.get('connected.live')).toBeGreaterThan(20);
  });

  test('one that subscribes on the first line only is found out', async () => {
    const failures: string[] = [];
    for (const path of pathsOf('once')) await path.run().catch((error: Error) => failures.push(error.message));
    expect(failures.length).toBeGreaterThan(10);
    expect(failures).toContain("connected.live, after 'all heals': expected +0 to be 1 // Object.is equality");
  });
});
