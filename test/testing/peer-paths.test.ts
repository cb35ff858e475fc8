import { describe, expect, test } from 'vitest';
import type { AnyTransitionDefinition } from 'xstate';
import { peerMachine } from '../../machines/peer.machine.js';
import {
  type ListenOptions,
  lengthPrefixed,
  listen,
  type Peer,
  type PeerHandler,
  type Server,
} from '../../src/index.js';
import { type PeerApp, type PeerPathsOptions, type PeerWorld, peerPaths } from '../../src/testing/index.js';
import { nameOf, transitionsOf } from '../machines/plan.js';

/** Transitions of the real chart that were taken in any path below. */
const taken = new Set<string>();

const start = (handler?: PeerHandler, more: Partial<ListenOptions> = {}) => {
  return async ({ port, environment }: PeerWorld): Promise<Server> => {
    const server = await listen({ port, environment, ...more }, handler);
    return server.on('peer', ({ actor }) => {
      actor.system.inspect((event) => {
        if (event.type !== '@xstate.microstep' || event.actorRef !== actor) return;
        for (const transition of (event as unknown as { _transitions: AnyTransitionDefinition[] })._transitions) {
          taken.add(nameOf(transition));
        }
      });
    });
  };
};

const echo: PeerHandler = async (peer) => {
  for await (const message of peer) if (!peer.send(message)) await peer.drained();
};
/** Nobody is told anything before the log-in. */
const login: PeerHandler = async (peer) => {
  for await (const message of peer) {
    if (`${message}` !== 'login') throw new Error(`'${message}' is no log-in`);
    peer.send('welcome');
  }
};

function walkAll<App extends PeerApp>(name: string, size: number, options: PeerPathsOptions<App>) {
  const paths = peerPaths(options);
  describe(name, () => {
    test.each(paths.map((path) => [path.title, path] as const))('%s', async (_, path) => {
      const seen: string[] = [];
      await path.run(({ peer, place }) => {
        seen.push(place);
        expect([peer.state, peer.substate].filter(Boolean).join('.')).toBe(place);
        expect(peer.history.at(-1)?.to).toBe(place);
      });
      expect(seen).toEqual(path.places);
    });

    test(`has ${size} paths`, () => {
      expect(paths).toHaveLength(size);
    });
  });
  return paths;
}

walkAll('an echo server', 61, { start: start(echo), message: 'hello' });
walkAll('one that listens to messages', 61, {
  start: start((peer) => void peer.on('message', (message) => peer.send(message))),
  message: 'hello',
  flood: 50,
});
walkAll('one that takes nothing', 61, { start: start(undefined, { discardIncoming: true }), flood: 50 });
walkAll('one that wants a log-in', 61, { start: start(login), message: 'login', flood: 50 });
walkAll('one that never goes stale', 38, {
  flood: 50,
  start: start(echo, { staleAfter: 0 }),
  goesStale: false,
  orders: ['peer.close', 'server.close'],
});
walkAll('one without any rule of time', 17, {
  flood: 50,
  start: start(echo, { staleAfter: 0, frameTimeout: 0 }),
  goesStale: false,
  frameTimeout: false,
  orders: [],
});
walkAll('one with other numbers', 61, {
  flood: 50,
  start: start(echo, { staleAfter: 100, frameTimeout: 1000, finTimeout: 500, drainTimeout: 40_000 }),
  message: 'hello',
});
walkAll('one of another framing, as NinjaTCP has it', 59, {
  flood: 50,
  start: start(echo, {
    framing: lengthPrefixed({ bytes: 1 }),
    emptyFrames: 'message',
    heartbeatInterval: 0,
  }),
  framing: lengthPrefixed({ bytes: 1 }),
  message: 'hello',
  heartbeat: 'I am here',
});
walkAll('frames of one byte, which have no halves', 50, {
  flood: 50,
  start: start(echo, { framing: lengthPrefixed({ bytes: 1 }) }),
  framing: lengthPrefixed({ bytes: 1 }),
});

walkAll('one whose clients have a session', 78, {
  start: start(echo, { session: 'require' }),
  session: true,
  message: 'hello',
  flood: 50,
});
walkAll('one that listens to the messages of sessions', 78, {
  start: start((peer) => void peer.on('message', (message) => peer.send(message)), { session: true }),
  session: true,
  flood: 50,
});
walkAll('one with sessions and other numbers', 78, {
  start: start(echo, {
    session: { mode: 'accept', resumeWindow: 50_000, acknowledge: 'received' },
    staleAfter: 100,
    frameTimeout: 1000,
    finTimeout: 500,
    drainTimeout: 40_000,
  }),
  session: true,
  message: 'hello',
  flood: 50,
});
walkAll('one with sessions that never goes stale', 46, {
  flood: 50,
  start: start(echo, { staleAfter: 0, session: 'require' }),
  session: true,
  goesStale: false,
  orders: ['peer.close', 'server.close'],
});

test('every transition that a client or the program can cause was taken', () => {
  const never = transitionsOf(peerMachine)
    .map(nameOf)
    .filter((name) => !taken.has(name));
  expect(never.sort()).toEqual([...neverTaken].sort());
});

const neverTaken: readonly string[] = [
  // A session is lost while its peer has a socket only where a store says so.
  'connected session.ended 0',
  // Late words of a dead socket: it is stopped before it can say them.
  'peer socket.* 0',
  // A stale socket is gone before anything else can come.
  'stale session.attached 0',
  'stale session.ended 0',
  // A transport that was destroyed closes, and always says so.
  'stale socket.failed 0',
  'stale socket.failed 1',
  'stale xstate.after.discardTimeout.stale 0',
  'stale xstate.after.discardTimeout.stale 1',
];

describe('set-ups', () => {
  test('an echo server needs no options; titles are unique and readable', () => {
    const paths = peerPaths();
    const titles = paths.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles).toContain(
      'the client speaks, the cable is pulled, the socket is gone, another client connects and speaks → connected.live',
    );
    expect(titles).toContain('the client speaks, server.close() → disposed');
    for (const { places } of paths) expect(['connected.live', 'disposed']).toContain(places.at(-1));
  });

  test('the same each time', () => {
    expect(peerPaths().map(({ title }) => title)).toEqual(peerPaths().map(({ title }) => title));
  });

  test('without orders only clients act', () => {
    const titles = peerPaths({ orders: [] }).map(({ title }) => title);
    expect(titles.length).toBeGreaterThan(20);
    for (const title of titles) expect(title).not.toContain('()');
  });

  test('a runner may hand over what it likes', async () => {
    const [path] = peerPaths();
    await path?.run({ signal: 'of the runner' } as never);
  });

  test('a name that there is not throws at once, and tells the names', () => {
    const check = { 'conected.live': () => {} } as object;
    expect(() => peerPaths({ check })).toThrow(
      "peerPaths: check: there is no 'conected.live', but connected.unproven,",
    );
    expect(() => peerPaths({ orders: ['close' as never] })).toThrow("orders: there is no 'close', but peer.close, ");
    expect(() => peerPaths({ flood: 0 })).toThrow('flood: a whole number from 1, not 0');
  });

  test('a check where no path comes by throws at once, and says why', () => {
    expect(() => peerPaths({ check: { stale: () => {} }, goesStale: false })).toThrow('`goesStale` is false');
    expect(() => peerPaths({ check: { 'connected.draining': () => {} }, orders: [] })).toThrow('no path comes by');
    expect(() => peerPaths({ check: { 'detached.waiting': () => {} } })).toThrow('Say `session: true`');
  });

  test('checks are called by place and by parent, and counted; the path goes on with the next client', async () => {
    const calls: string[] = [];
    const paths = peerPaths({
      check: {
        connected: (app, { place, peer }) => calls.push(`connected ${app.state} ${place} ${peer.id}`),
        'connected.live': (_, { words }) => calls.push(`live: ${words}`),
        stale: (_, { peer }) => calls.push(`stale ${peer.reason?.code}`),
        disposed: (app, { peer }) => calls.push(`disposed ${peer.reason?.code}, ${app.peers.size} left`),
      },
    });
    await paths.find(({ title }) => title.includes('cable'))?.run();
    expect(calls).toEqual([
      'connected listening connected.unproven 1',
      'connected listening connected.live 1',
      'live: the client speaks',
      'stale undefined',
      'disposed NINJA_STALE, 0 left',
      'connected listening connected.live 2',
      'live: another client connects and speaks',
    ]);
    expect(Object.fromEntries(paths.checked)).toEqual({ connected: 3, 'connected.live': 2, stale: 1, disposed: 1 });
  });

  test('each kind of end comes about, and a server that was closed is over when its last peer is', async () => {
    const ends: string[] = [];
    const paths = peerPaths({
      orders: ['peer.close', 'server.close'],
      check: {
        disposed: ({ state }, { peer, words }) => ends.push(`${words}: ${peer.reason?.code.slice(6)}, ${state}`),
      },
    });
    for (const path of paths) await path.run();
    expect([...new Set(ends)].sort()).toEqual([
      'and does so for ever: DRAIN_TIMEOUT, listening',
      'peer.close(): DISPOSED, listening',
      'peer.close(): STALE, listening',
      'server.close(): DISPOSED, disposed',
      'server.close(): STALE, disposed',
      'the client answers: DISPOSED, disposed',
      'the client answers: DISPOSED, listening',
      'the client answers: TRUNCATED, disposed',
      'the client answers: TRUNCATED, listening',
      'the client half-closes: DISPOSED, listening',
      'the client hangs up: DISPOSED, disposed',
      'the client hangs up: DISPOSED, listening',
      'the client hangs up: RESET, listening',
      'the client hangs up: TRUNCATED, listening',
      'the client is killed: RESET, disposed',
      'the client is killed: RESET, listening',
      'the client never answers: DISPOSED, disposed',
      'the client never answers: DISPOSED, listening',
      'the client sends a frame byte by byte: FRAME_TIMEOUT, listening',
      'the client sends garbage: FRAME_TOO_LARGE, listening',
      'the other half never comes: STALE, listening',
      'the socket is gone: STALE, listening',
    ]);
  });

  test('with a session: each kind of end, and nothing is lost or doubled on the way there', async () => {
    const ends: string[] = [];
    const counted: number[] = [];
    let received = 0;
    const paths = peerPaths({
      session: true,
      flood: 20,
      message: 'hello',
      orders: ['peer.close', 'server.close'],
      start: async ({ port, environment }) => {
        received = 0;
        const counting: PeerHandler = async (peer) => {
          for await (const message of peer) {
            received += 1;
            peer.send(message);
          }
        };
        return listen({ port, environment, session: 'require' }, counting);
      },
      check: {
        'connected.live': async (_, { replies, clock, peer, words }) => {
          // Of the client that the path is about, when it has said all, and reads.
          if (peer.id > 1 || !/(speaks|floods|reads on|half comes)$/.test(words)) return;
          await clock.advance(5);
          expect(received).toBeGreaterThan(0);
          expect(replies).toHaveLength(received);
          counted.push(received);
        },
        disposed: ({ state }, { peer, words }) => ends.push(`${words}: ${peer.reason?.code.slice(6)}, ${state}`),
      },
    });
    for (const path of paths) await path.run();
    // Once; with another one on another line; with a flood; with both.
    expect([...new Set(counted)].sort((a, b) => a - b)).toEqual([1, 2, 21, 22]);
    expect([...new Set(ends)].sort()).toEqual([
      'and does so for ever: DRAIN_TIMEOUT, listening',
      'peer.close(): DISPOSED, disposed',
      'peer.close(): DISPOSED, listening',
      'server.close(): DISPOSED, disposed',
      'the client answers: DISPOSED, disposed',
      'the client answers: DISPOSED, listening',
      // It cannot come back, since the server accepts nobody any more.
      'the client hangs up: DISPOSED, disposed',
      'the client is killed: DISPOSED, disposed',
      'the client never comes back: SESSION_LOST, listening',
      'the client says goodbye: CLOSED_BY_PEER, listening',
      'the client stays away: DRAIN_TIMEOUT, listening',
      'the socket is gone: DISPOSED, disposed',
    ]);
  });

  test('a client that reads on gets everything before it answers', async () => {
    const got: number[] = [];
    const paths = peerPaths({ flood: 30, check: { disposed: (_, { replies }) => got.push(replies.length) } });
    const path = paths.find(({ title }) => /reads nothing, peer.close\(\).* the client answers/.test(title));
    await path?.run();
    expect(got).toEqual([31]);
  });

  test('a check sees what the client got', async () => {
    const replies: string[] = [];
    const paths = peerPaths({ check: { 'connected.draining': (_, { replies: all }) => replies.push(`${all}`) } });
    await paths.find(({ title }) => title.includes('the client speaks, the client stops, peer.close()'))?.run();
    const [path] = peerPaths({
      flood: 3,
      orders: [],
      check: { 'connected.live': (_, visit) => replies.push(`${visit.replies}`) },
    }).filter(({ title }) => title.includes('the client floods →'));
    await path?.run();
    expect(replies).toEqual(['', '', 'hello,hello,hello,hello']);
  });
});

/** What each kind of path tells of a set-up that is not right. */
async function failures<App extends PeerApp>(options: PeerPathsOptions<App>): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const path of peerPaths(options)) {
    await path.run().catch((error: Error) => failed.set(path.title.split(' →')[0] as string, error.message));
  }
  return failed;
}

describe('what goes wrong', () => {
  const first = <App extends PeerApp>(options: PeerPathsOptions<App>) =>
    peerPaths({ orders: [], ...options })
      .find(({ title }) => title.includes('the client speaks, the client is killed'))
      ?.run();

  test('a check that throws says where', async () => {
    const check = { 'connected.live': () => expect('red').toBe('green') };
    await expect(first({ check })).rejects.toThrow(
      "connected.live, after 'the client speaks': expected 'red' to be 'green'",
    );
  });

  test('a check that lets too much time pass', async () => {
    const check = { 'connected.unproven': (_: unknown, { clock }: PeerWorld) => clock.advance(50_000) };
    await expect(first({ check })).rejects.toThrow(
      'the check of connected.unproven let time pass, and the line is disposed now',
    );
  });

  test('a start that waits for a client, throws, or gives no server', async () => {
    const waits = async (world: PeerWorld) => {
      const server = await start(echo)(world);
      await new Promise((resolve) => server.once('peer', resolve));
      return server;
    };
    await expect(first({ start: waits })).rejects.toThrow(
      'start: must give the program at once; it waits, perhaps for a',
    );
    await expect(first({ start: () => Promise.reject(new Error('no')) })).rejects.toThrow('no');
    await expect(first({ start: () => ({}) as never })).rejects.toThrow('start: must give a server');
  });

  test('a server that listens elsewhere', async () => {
    const elsewhere = ({ environment }: PeerWorld) => listen({ port: 1, environment });
    await expect(first({ start: elsewhere })).rejects.toThrow('no client is let in: *:1 listening');
  });

  test('a stop that throws; but what a check threw comes first', async () => {
    const stop = () => Promise.reject(new Error('no stop'));
    await expect(first({ stop })).rejects.toThrow('no stop');
    const check = { connected: () => Promise.reject(new Error('no check')) };
    await expect(first({ stop, check })).rejects.toThrow('no check');
  });

  test('options that are not those of the server', async () => {
    await expect(first({ start: start(echo, { staleAfter: 0 }) })).rejects.toThrow('say `goesStale: false`');
  });

  test('a handler that throws, and nobody listens: said where it happened, or at the end', async () => {
    const failed = await failures({ start: start(login), message: 'hello', orders: [] });
    expect(failed.get('the client speaks, the client is killed, another client connects and speaks')).toContain(
      "expected connected.live after 'the client speaks', but: peer 1 10.0.0.2:49153 disposed",
    );
    for (const message of failed.values()) expect(message).toContain("the program's code threw: 'hello' is no log-in");
    const late = await failures({
      orders: [],
      start: start(async (peer) => {
        await peer.closed();
        throw new Error('in cleaning up');
      }),
    });
    expect(late.get('the client is killed, another client connects and speaks')).toContain('in cleaning up');
  });

  test('a handler that throws where somebody listens is up to the program', async () => {
    const start = async ({ port, environment }: PeerWorld) => {
      const server = await listen({ port, environment }, async (peer) => {
        await peer.closed();
        throw new Error('in cleaning up');
      });
      return server.on('peerError', () => {});
    };
    await first({ start });
  });

  test('a handler that does not end when its client has half-closed', async () => {
    const failed = await failures({
      orders: [],
      start: start(async (peer) => {
        for await (const _ of peer);
        await new Promise(() => {});
      }),
    });
    const [, message] = [...failed].find(([title]) => title.startsWith('the client half-closes')) ?? [];
    expect(message).toContain("expected disposed after 'the client half-closes', but: peer 1");
    expect([...failed.keys()].filter((title) => !/half-closes|hangs up|comes and goes/.test(title))).toEqual([]);
  });

  test('a peer that nobody reads, once its inbox is full', async () => {
    const full = { start: start(undefined, { inboxMessages: 10 }), message: 'hello', flood: 20, orders: [] };
    const [failure, ...others] = await failures(full);
    expect(others).toEqual([]);
    // Nobody can hear that the client is gone: reading is paused.
    expect(failure?.[1]).toMatch(/expected stale after 'the client falls silent', but: peer 1 .* connected \(live\)/);
  });
});

describe('a program of ones own', () => {
  /** A room that knows its guests; with a bug, one that forgets them only where the loop ends in peace. */
  const startRoom = async ({ port, environment }: PeerWorld, tidies: boolean) => {
    const guests = new Set<Peer>();
    const server = await listen({ port, environment }, async (peer) => {
      guests.add(peer);
      try {
        for await (const message of peer) peer.send(message);
        guests.delete(peer);
      } finally {
        if (tidies) guests.delete(peer);
      }
    });
    return { server, guests, stopped: 0 };
  };
  const roomOf = (tidies: boolean) => ({
    start: (world: PeerWorld) => startRoom(world, tidies),
    message: 'hello',
    check: {
      connected: ({ guests }: { guests: Set<Peer> }) => expect(guests.size).toBe(1),
      disposed: ({ guests }: { guests: Set<Peer> }) => expect(guests.size).toBe(0),
    },
  });

  test('every path', async () => {
    const paths = peerPaths(roomOf(true));
    for (const path of paths) await path.run();
    expect(paths.checked.get('disposed')).toBeGreaterThan(40);
  });

  test('one that forgets a guest where the line breaks is found out, and where', async () => {
    const failed = await failures(roomOf(false));
    expect(failed.size).toBeGreaterThan(10);
    expect([...failed.values()]).toContain(
      "disposed, after 'the client is killed': expected 1 to be +0 // Object.is equality",
    );
    expect([...failed.keys()].filter((title) => title.includes('half-closes'))).toEqual([]);
  });
});
