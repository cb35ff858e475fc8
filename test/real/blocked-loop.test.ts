import { connect as dial } from 'node:net';
import { expect, test } from 'vitest';
import { type Clock, type Connection, type Environment, listen, nodeEnvironment } from '../../src/index.js';
import { block, connectTo, later, next, notBuilt, patientProcess, rawServer, until } from './support.js';

/**
 * A late event loop is not a silent peer. The peer is another process, which goes on sending heartbeats while
 * ours is blocked; so every verdict of silence here is a false alarm. Beside ninja-tcp the obvious watchdog listens to
 * the same peer, and is fooled each time: so the test can fail.
 */
const BLOCK = 1300;
const STALE_AFTER = 1000;
const HEARTBEAT = 300;
const strict = { staleAfter: STALE_AFTER, heartbeatInterval: HEARTBEAT };
const CONNECTIONS = 20;

/** Where the blocker stands, relative to the silence timer that fires next. */
type Place = 'before, in a timer' | 'before, in poll' | 'before, in check' | 'between, in poll' | 'between, in check';

/** The time of the last byte on a plain socket, and what a watchdog that looks at the clock makes of it. */
function obviousWatchdog(port: number): { verdict(): void; fooled(): boolean } {
  let heardAt = performance.now();
  let fooled = false;
  const socket = dial(port, '127.0.0.1').on('data', () => {
    heardAt = performance.now();
  });
  later(() => socket.destroy());
  const verdict = () => {
    fooled ||= performance.now() - heardAt >= STALE_AFTER;
  };
  return { verdict, fooled: () => fooled };
}

/** An environment whose first silence timer meets a blocker at this place, and a watchdog on the same timer. */
async function blockedAt(place: Place, verdict: () => void): Promise<{ environment: Environment; met: () => boolean }> {
  let armed = true;
  let met = false;
  const blocker = () => {
    block(BLOCK);
    met = true;
  };
  // Bytes that are written now are read in the poll phase of this very turn, and their listener holds the loop there.
  let poke = () => {};
  const { port } = await rawServer((socket) => {
    poke = () => socket.write('x');
  });
  const poked = dial(port, '127.0.0.1').on('data', blocker);
  later(() => poked.destroy());
  await next(poked, 'connect');
  const meet = () => {
    if (place === 'before, in a timer') blocker();
    else if (place.endsWith('check')) setImmediate(blocker);
    else poke();
  };
  const between = place.startsWith('between');
  const { clock } = nodeEnvironment;
  const setTimeoutBlocked: Clock['setTimeout'] = (callback, ms) => {
    // The first silence timer: longer than a heartbeat's, shorter than that of the attempt. Timers of one length fire in the order in which they were
    // set: what is set here with the same length comes right before it, in the same phase of the loop.
    if (armed && ms > STALE_AFTER / 2 && ms <= STALE_AFTER) {
      armed = false;
      setTimeout(meet, place === 'before, in poll' || place === 'before, in check' ? ms - 300 : ms);
      // Before: the obvious timer. Between: one that hops over the poll phase, as ours does, and then asks the time.
      setTimeout(() => (between ? setImmediate(verdict) : verdict()), ms);
    }
    return clock.setTimeout(callback, ms);
  };
  return { environment: { ...nodeEnvironment, clock: { ...clock, setTimeout: setTimeoutBlocked } }, met: () => met };
}

/** Waits until each connection has heard so much more that it must have looked at the silence since. */
async function twoHeartbeats(connections: readonly Connection[]): Promise<void> {
  const heard = connections.map((connection) => connection.stats().heardBytes);
  await until(() => connections.every((one, i) => one.epoch > 1 || one.stats().heardBytes > (heard[i] as number) + 8));
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
    `the loop is blocked ${place}, for ${BLOCK} ms: no false alarm on ${CONNECTIONS} lines`,
    async () => {
      const { port } = await patientProcess(HEARTBEAT);
      const obvious = obviousWatchdog(port);
      const { environment, met } = await blockedAt(place, obvious.verdict);
      const connections: Connection[] = [];
      for (let i = 0; i < CONNECTIONS; i += 1) {
        connections.push(connectTo(port, i === 0 ? { ...strict, environment } : strict));
      }
      await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
      await until(met);
      await twoHeartbeats(connections);
      expect(connections.map((connection) => connection.reason?.message)).toEqual(connections.map(() => undefined));
      expect(connections.map((connection) => connection.epoch)).toEqual(connections.map(() => 1));
      expect(obvious.fooled()).toBe(true);
    },
  );
}

test(`client and server in one process that is blocked for ${BLOCK} ms: both survive`, async () => {
  const stale: unknown[] = [];
  const server = await listen({ host: '127.0.0.1', port: 0, ...strict }, (peer) => {
    peer.on('stale', (event) => stale.push(event));
  });
  later(() => server.dispose());
  const connections = Array.from({ length: CONNECTIONS }, () => connectTo(server.address()?.port as number, strict));
  await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
  block(BLOCK);
  await twoHeartbeats(connections);
  expect(stale).toEqual([]);
  for (const connection of connections) expect([connection.epoch, connection.reason]).toEqual([1, undefined]);
});

test.skipIf(notBuilt)(
  'reading is paused by the program for 4 s: no false alarm, one warning, and it is explained',
  async () => {
    const { port } = await patientProcess();
    const big = Buffer.alloc(60_000, 'x');
    const connection = connectTo(port, { inboxBytes: 100_000 });
    connection.on('stale', () => expect.unreachable('the line is not silent, it is we who do not read'));
    const warnings: unknown[] = [];
    connection.on('warning', (warning) => warnings.push(warning));
    // What a plain socket makes of the same pause.
    const control = dial(port, '127.0.0.1');
    later(() => control.destroy());
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
  },
);

test.skipIf(notBuilt)(
  'the loop is blocked until just after the silence timer was due: too little to tell of a suspension, and no false alarm',
  async () => {
    const staleAfter = 600;
    const { port } = await patientProcess(50);
    const { clock } = nodeEnvironment;
    let blocked = false;
    let fooled = false;
    let heardAt = performance.now();
    const control = dial(port, '127.0.0.1').on('data', () => {
      heardAt = performance.now();
    });
    later(() => control.destroy());
    const setTimeoutBlocked: Clock['setTimeout'] = (callback, ms) => {
      if (!blocked && ms > 400 && ms <= staleAfter) {
        blocked = true;
        // From 480 ms before it is due until 120 ms after, and behind the poll phase: the timers come next.
        setTimeout(() => setImmediate(() => block(staleAfter)), ms - 480);
        setTimeout(() => {
          fooled = performance.now() - heardAt >= staleAfter;
        }, ms);
      }
      return clock.setTimeout(callback, ms);
    };
    await next(control, 'data');
    const environment = { ...nodeEnvironment, clock: { ...clock, setTimeout: setTimeoutBlocked } };
    const connections = Array.from({ length: CONNECTIONS }, () =>
      connectTo(port, { staleAfter, heartbeatInterval: 0, environment: blocked ? nodeEnvironment : environment }),
    );
    await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
    await until(() => performance.now() - heardAt < 20 && fooled);
    await twoHeartbeats(connections);
    for (const connection of connections) expect([connection.epoch, connection.reason]).toEqual([1, undefined]);
  },
);
