import { connect as dial } from 'node:net';
import { expect, test } from 'vitest';
import { type Clock, type Connection, type Environment, nodeEnvironment, type Timer } from '../../src/index.js';
import { block, connectTo, echoProcess, later, next, notBuilt, rawServer, until } from './support.js';

/**
 * A late event loop is not a silent peer. The peer is another process, which goes on sending heartbeats while ours is
 * blocked; so every `stale` here is a false alarm. Each blocker is tried against ninja-tcp's clock, and against the
 * obvious one, to see that the test can fail.
 */
const BLOCK = 3600;
const CONNECTIONS = 20;

/** Where the blocker stands, relative to the silence timer that fires next. */
type Place = 'before, in a timer' | 'before, in poll' | 'before, in check' | 'between, in poll' | 'between, in check';

/** Plain `setTimeout`, and the verdict on what was read by chance: no poll phase in between. */
const obviousClock: Clock = {
  ...nodeEnvironment.clock,
  polledAt: () => performance.now(),
  setTimeout: (callback, ms) => {
    const timeout = setTimeout(callback, ms);
    return { clear: () => clearTimeout(timeout) } as Timer;
  },
  clearTimeout: (timer) => (timer as unknown as { clear(): void }).clear(),
};

/** The clock that reads what had arrived, and then looks at the time: right, unless the blocker stands between. */
const hoppingClock: Clock = { ...nodeEnvironment.clock, polledAt: () => performance.now() };

/** An environment whose next silence timer meets a blocker at this place. */
function blockedAt(place: Place, clock: Clock): { environment: Environment; met: () => boolean } {
  let armed = true;
  let met = false;
  const blocker = () => {
    block(BLOCK);
    met = true;
  };
  let poke: (() => void) | undefined;
  const meet = () => {
    if (!armed) return;
    armed = false;
    if (place === 'before, in a timer') blocker();
    else if (place.endsWith('check')) setImmediate(blocker);
    else poke?.();
  };
  // Bytes that arrive in this very turn are read in its poll phase, and their listener holds the loop there.
  void rawServer((socket) => {
    poke = () => socket.write('x');
  }).then(({ port }) => {
    const poked = dial(port, '127.0.0.1').on('data', blocker);
    later(() => poked.destroy());
  });
  const setTimeoutBlocked: Clock['setTimeout'] = (callback, ms) => {
    // The silence timer is the longest. Timers of one length fire in the order in which they were set, so ours comes
    // right before it: in the same phase for `between`, and 300 ms earlier for `before`.
    if (ms > 2000) setTimeout(meet, place.startsWith('between') ? ms : ms - 300);
    return clock.setTimeout(callback, ms);
  };
  const environment = { ...nodeEnvironment, clock: { ...clock, setTimeout: setTimeoutBlocked } };
  return { environment, met: () => met };
}

async function falseAlarms(place: Place, clock: Clock): Promise<number> {
  const { port } = await echoProcess();
  const blocked = blockedAt(place, clock);
  const connections: Connection[] = [];
  let alarms = 0;
  for (let i = 0; i < CONNECTIONS; i += 1) {
    // One blocker holds the loop for all of them.
    const environment = i === 0 ? blocked.environment : { ...nodeEnvironment, clock };
    const connection = connectTo(port, { environment });
    connection.on('stale', () => {
      alarms += 1;
    });
    connections.push(connection);
  }
  await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
  await until(blocked.met);
  // Each has had its verdict when it armed the window after the one that was blocked.
  const heard = connections.map((connection) => connection.stats().heardBytes);
  await until(() => alarms > 0 || connections.every((one, i) => one.stats().heardBytes > (heard[i] as number) + 8));
  return alarms;
}

const places: readonly Place[] = [
  'before, in a timer',
  'before, in poll',
  'before, in check',
  'between, in poll',
  'between, in check',
];

for (const place of places) {
  test.skipIf(notBuilt)(
    `the loop is blocked ${place}, for 3.6 s: no false alarm on ${CONNECTIONS} connections`,
    async () => {
      expect(await falseAlarms(place, nodeEnvironment.clock)).toBe(0);
    },
  );
}

test.skipIf(notBuilt)('the loop is blocked before, in a timer: the obvious timer raises a false alarm', async () => {
  expect(await falseAlarms('before, in a timer', obviousClock)).toBeGreaterThan(0);
});

for (const place of ['between, in poll', 'between, in check'] as const) {
  test.skipIf(notBuilt)(
    `the loop is blocked ${place}: a clock that hops once and then looks at the time raises a false alarm`,
    async () => {
      expect(await falseAlarms(place, hoppingClock)).toBeGreaterThan(0);
    },
  );
}

test('client and server in one process that is blocked for 3.6 s: both survive', async () => {
  const { listen } = await import('../../src/index.js');
  let stale = 0;
  const here = await listen({ host: '127.0.0.1', port: 0 }, (peer) => {
    peer.on('stale', () => {
      stale += 1;
    });
  });
  const connections = Array.from({ length: CONNECTIONS }, () => connectTo(here.address()?.port as number));
  for (const connection of connections) {
    connection.on('stale', () => {
      stale += 1;
    });
  }
  await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
  block(BLOCK);
  const heard = connections.map((connection) => connection.stats().heardBytes);
  await until(() => stale > 0 || connections.every((one, i) => one.stats().heardBytes > (heard[i] as number) + 8));
  expect(stale).toBe(0);
  for (const connection of connections) expect(connection.epoch).toBe(1);
  await here.dispose();
});

test.skipIf(notBuilt)(
  'reading is paused by the program for 4 s: no false alarm, one warning, and it is explained',
  async () => {
    const server = await echoProcess();
    const big = Buffer.alloc(60_000, 'x');
    const connection = connectTo(server.port, { inboxBytes: 100_000 });
    connection.on('stale', () => expect.unreachable('the line is not silent, it is we who do not read'));
    const warnings: unknown[] = [];
    connection.on('warning', (warning) => warnings.push(warning));
    // The control: what a plain socket makes of the same pause.
    const control = dial(server.port, '127.0.0.1');
    control.pause();
    const obvious = new Promise((resolve) => control.setTimeout(3000, () => resolve('silent')));
    for (let i = 0; i < 20; i += 1) connection.send(big);
    await next(connection, 'warning');
    const from = performance.now();
    await until(() => performance.now() - from > 4000);
    expect(connection.state).toBe('connected');
    expect(connection.explain()).toContain('reading paused: inbox full, nobody takes');
    expect(warnings).toEqual([{ message: 'reading paused: inbox full, nobody takes' }]);
    let taken = 0;
    for await (const message of connection) {
      expect(message.length).toBe(big.length);
      taken += 1;
      if (taken === 20) break;
    }
    expect(connection.epoch).toBe(1);
    expect(await obvious).toBe('silent');
    control.destroy();
  },
);
