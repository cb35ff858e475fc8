import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { Connection, FlightDump, FlightRecorderOptions, NinjaTcpError } from '../../src/index.js';
import { connect } from '../../src/index.js';
import { replay } from '../../src/testing/index.js';
import { version } from '../../src/version.js';
import { echo, PORT, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';

const dumpOf = (one: Pick<Connection, 'flightRecorder'>): FlightDump => {
  const dump = one.flightRecorder?.dump();
  if (!dump) throw new Error('nothing was recorded');
  return dump;
};
const types = ({ steps }: FlightDump): string[] => steps.map(({ event }) => event.type);

/** A line that is up, and whose first step is `xstate.init`; then `steps` further ones. */
async function line(options: FlightRecorderOptions | true, more: object = {}) {
  const at = stage();
  const server = await at.serve(echo);
  const connection = at.dial({ flightRecorder: options, ...more });
  await at.clock.runUntil(connection.connected({ proven: true }));
  return { at, server, connection };
}

describe('a dump', () => {
  test('tells events, transitions, answers and settings, as JSON', async () => {
    const { at, connection } = await line(true);
    at.server.freeze();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    const dump = dumpOf(connection);
    expect(JSON.parse(JSON.stringify(dump))).toEqual(dump);
    expect(dump).toMatchObject({
      format: 1,
      kind: 'connection',
      name: `server:${PORT}`,
      versions: { ninjaTcp: version, node: process.version },
      fallen: { steps: 0, traffic: 0, messages: 0 },
      settings: { staleAfter: 3000, maxAttempts: 'Infinity', endpoints: [`server:${PORT}`], backoff: true, tls: false },
    });
    expect(dump.start).toEqual({ at: 1000, wallAt: dump.dumpedAt - (dump.steps.at(-1)?.at ?? 0) + 1000 });
    expect(types(dump)).toEqual([
      'xstate.init',
      'connect',
      'socket.opened',
      'socket.heard',
      'xstate.after.silence.connection.connected.watch.listening',
      'xstate.after.silence.connection.connected.watch.listening',
      'socket.closed',
    ]);
    const [asked, verdict, gone] = dump.steps.slice(-3);
    expect(asked).toMatchObject({ answers: { heardInTime: [true], silenceDelay: [2] }, entered: [] });
    expect(verdict).toMatchObject({
      answers: { heardInTime: [false], silentForMs: [3000] },
      entered: [{ to: 'stale', cause: 'after silence', reason: { code: 'NINJA_STALE' } }],
      did: ['clear silence', 'shutGate', 'tell socket-1 discard', 'announce stale', 'set discardTimeout 1000 ms'],
      state: 'stale',
    });
    expect(gone).toMatchObject({
      event: { type: 'socket.closed', epoch: 1, code: 'NINJA_RESET' },
      answers: { backoff: [100] },
      changed: { failures: 1, retryInMs: 100 },
      state: 'disconnected.waiting',
    });
  });

  test('of a peer is there from its first moment on', async () => {
    const at = stage();
    const server = await at.serve(echo, { flightRecorder: true });
    const client = await dialRaw(at);
    await at.clock.advance(5);
    const [peer] = server.peers;
    client.say('x');
    await at.clock.advance(5);
    const dump = dumpOf(peer as NonNullable<typeof peer>);
    expect(dump).toMatchObject({ kind: 'peer', name: peer?.name, settings: { tls: false } });
    expect(types(dump)).toEqual(['xstate.init', 'socket.heard']);
    expect(replay(dump).difference).toBeUndefined();
    await server.dispose();
  });

  test('without the option there is no recorder, and nobody observes the statechart', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const plain = at.dial();
    const off = at.dial({ flightRecorder: false });
    const on = at.dial({ flightRecorder: true });
    await at.clock.runUntil(on.connected());
    await at.clock.advance(5);
    for (const one of [plain, off]) {
      expect(one.flightRecorder).toBeUndefined();
      expect(observersOf(one)).toBe(0);
    }
    expect(observersOf(on)).toBe(1);
    expect([...server.peers].map((peer) => peer.flightRecorder)).toEqual([undefined, undefined, undefined]);
    await server.dispose();
  });

  test('counts what passes for each tenth of a second, not for each message', async () => {
    const { at, connection } = await line(true, { heartbeatInterval: 0, staleAfter: 0 });
    const send = async (count: number, size: number, wait: number) => {
      for (let turn = 0; turn < count; turn += 1) connection.send(Buffer.alloc(size, 1));
      await at.clock.advance(wait);
    };
    connection.on('message', () => {});
    await send(1000, 10, 50);
    await send(500, 10, 150);
    await send(7, 100, 1000);
    const { traffic } = dumpOf(connection);
    expect(traffic.map(({ sent }) => sent).filter(({ messages }) => messages > 0)).toEqual([
      { messages: 1500, bytes: 15_000 },
      { messages: 7, bytes: 700 },
    ]);
    const { received, sent } = connection.stats();
    for (const [way, total] of [
      ['received', received],
      ['sent', sent],
    ] as const) {
      expect(traffic.reduce((sum, one) => sum + one[way].messages, 0)).toBe(total.messages);
      expect(traffic.reduce((sum, one) => sum + one[way].bytes, 0)).toBe(total.bytes);
    }
    expect(traffic.reduce((sum, one) => sum + one.heardBytes, 0)).toBe(connection.stats().heardBytes);
  });
});

/** How many look at a statechart: XState tells nobody, so it is asked by one that looks itself. */
function observersOf({ actor }: Connection): number {
  const sizes: number[] = [];
  const { forEach } = Set.prototype;
  const spy = vi.spyOn(Set.prototype, 'forEach').mockImplementation(function (this: Set<unknown>, ...given) {
    sizes.push(this.size);
    return forEach.apply(this, given);
  });
  const { unsubscribe } = actor.system.inspect(() => {});
  actor.send({ type: 'nothing' } as never);
  unsubscribe();
  spy.mockRestore();
  return (sizes[0] ?? 0) - 1;
}

test('the version in a dump is that of package.json', () => {
  const { version: told } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(version).toBe(told);
});

describe('the ring', () => {
  test.each([
    [6, 'one below the limit', 0],
    [5, 'at the limit', 0],
    [4, 'one above the limit', 1],
    [1, 'far above the limit', 4],
  ])('with room for %d of 5 steps (%s) lets %3$d fall, and is replayed', async (entries, _words, fallen) => {
    const { connection } = await line({ entries });
    connection.disconnect();
    const dump = dumpOf(connection);
    expect(types(dump)).toEqual(
      ['xstate.init', 'connect', 'socket.opened', 'socket.heard', 'disconnect'].slice(fallen),
    );
    expect(dump.fallen.steps).toBe(fallen);
    expect(dump.start.chart === undefined).toBe(fallen === 0);
    const { difference, steps } = replay(JSON.parse(JSON.stringify(dump)));
    expect(difference).toBeUndefined();
    expect(steps.at(-1)?.state).toBe('disconnected.idle');
  });

  test('that overflowed begins with the statechart in front of its oldest step, and what runs there', async () => {
    const { at, connection } = await line({ entries: 2 });
    at.server.crash();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    await at.clock.runUntil(() => connection.state === 'connecting');
    const { start, steps } = dumpOf(connection);
    expect(steps.map(({ event }) => event.type)).toEqual([
      'socket.failed',
      'xstate.after.backoff.connection.disconnected.waiting',
    ]);
    expect(start.chart).toMatchObject({
      state: 'connected.live',
      socket: 'socket-1',
      context: { epoch: 1, proven: true },
    });
    expect(start.chart?.timers.map(({ event, ms }) => [event, ms])).toEqual([
      ['xstate.after.silence.connection.connected.watch.listening', 3000],
    ]);
  });

  test('is bounded for traffic and messages too', async () => {
    const { at, connection } = await line({ entries: 3, payloads: 4 });
    for (let turn = 0; turn < 5; turn += 1) {
      connection.send(`message ${turn}`);
      await at.clock.advance(200);
    }
    const { traffic, messages, fallen } = dumpOf(connection);
    // The tenth that runs is not in the ring yet.
    expect(traffic.length).toBeLessThanOrEqual(4);
    expect(messages).toHaveLength(3);
    expect(fallen.messages).toBe(7);
    expect(fallen.traffic).toBeGreaterThan(0);
  });
});

const SECRET = 'the-secret-of-the-vault';
const written = (one: Pick<Connection, 'flightRecorder'>): string => JSON.stringify(dumpOf(one));
const traces = [SECRET, Buffer.from(SECRET).toString('base64').slice(0, -4), Buffer.from(SECRET).toString('hex')];
const trace = (text: string): string[] => traces.filter((one) => text.includes(one));

describe('what is kept of messages', () => {
  test('nothing by default, in either direction, nor of a login', async () => {
    const at = stage();
    const server = await at.serve(echo, { flightRecorder: true });
    const connection = at.dial({
      flightRecorder: true,
      onConnect: async (greeter) => {
        greeter.send(SECRET);
        await greeter.receive();
      },
    });
    await at.clock.runUntil(connection.connected());
    connection.send(SECRET);
    await at.clock.advance(100);
    const [peer] = server.peers;
    expect(connection.stats().received.messages).toBe(1);
    expect(dumpOf(connection).messages).toEqual([]);
    expect(trace(written(connection))).toEqual([]);
    expect(trace(written(peer as NonNullable<typeof peer>))).toEqual([]);
  });

  test('nothing of what a framing shows of the stream, nor of what the program threw', async () => {
    const at = stage();
    const raw = at.raw();
    const connection = at.dial({ flightRecorder: true });
    await at.clock.advance(10);
    raw.last.hex(Buffer.from(SECRET).toString('hex'));
    await at.clock.advance(10);
    expect(connection.reason?.message).toContain('the-secret');
    expect(written(connection)).toContain('the stream went on with (left out)');
    expect(written(connection)).not.toContain('the-secret');
    const thrower = at.dial({
      flightRecorder: true,
      onConnect: () => {
        throw new Error(SECRET);
      },
    });
    await at.clock.runUntil(() => thrower.substate === 'waiting');
    expect(thrower.reason?.message).toContain(SECRET);
    expect(trace(written(thrower))).toEqual([]);
    expect(written(thrower)).toContain('onConnect threw: (left out)');
  });

  test('nothing of what a program sends its statechart beside the plan', async () => {
    const { connection } = await line(true);
    connection.actor.send({ type: 'own', secret: SECRET } as never);
    expect(types(dumpOf(connection)).at(-1)).toBe('own');
    expect(trace(written(connection))).toEqual([]);
    expect(replay(dumpOf(connection)).difference).toBeUndefined();
  });

  test('nothing of certificates and keys', () => {
    const connection = connect({
      port: 1,
      flightRecorder: true,
      tls: { passphrase: SECRET, servername: 'x', session: Buffer.from(SECRET) },
      environment: { ...stage().network.environment('client'), checkTls: () => {} },
    });
    expect(dumpOf(connection).settings.tls).toBe(true);
    expect(trace(written(connection))).toEqual([]);
    void connection.dispose();
  });

  test.each([
    [SECRET.length - 1, SECRET.slice(0, -1)],
    [SECRET.length, SECRET],
    [SECRET.length + 1, SECRET],
  ])('so many bytes as are asked for: %d', async (payloads, kept) => {
    const { at, connection } = await line({ payloads });
    connection.send(SECRET);
    connection.send(Buffer.from(SECRET));
    await at.clock.advance(10);
    const { messages } = dumpOf(connection);
    expect(messages.map(({ way, length, base64 }) => [way, length, `${Buffer.from(base64 ?? '', 'base64')}`])).toEqual([
      ['sent', SECRET.length, kept],
      ['sent', SECRET.length, kept],
      ['received', SECRET.length, kept],
      ['received', SECRET.length, kept],
    ]);
  });

  test('what `redact` lets pass, and nothing where it throws or gives something else', async () => {
    let turn = 0;
    const asked: string[] = [];
    const redact = (message: Uint8Array, way: string): never => {
      asked.push(`${way} ${message.length}`);
      turn += 1;
      if (turn === 1) return 'xx' as never;
      if (turn === 2) return new Uint8Array([121, 121]) as never;
      if (turn === 3) return 7 as never;
      if (turn === 4) return undefined as never;
      throw new Error('redact');
    };
    const { at, connection } = await line({ payloads: 100, redact });
    for (let count = 0; count < 3; count += 1) connection.send(SECRET);
    await at.clock.advance(10);
    expect(asked).toEqual([...Array(3).fill('sent 23'), ...Array(3).fill('received 23')]);
    expect(dumpOf(connection).messages.map(({ base64 }) => base64)).toEqual([
      'eHg=',
      'eXk=',
      ...Array(4).fill(undefined),
    ]);
    expect(connection.state).toBe('connected');
    expect(trace(written(connection))).toEqual([]);
  });
});

describe('dumpOnFailure', () => {
  test('gives the dump as an event, the last step in it, when a connection gives up', async () => {
    const at = stage();
    const connection = at.dial({ flightRecorder: { dumpOnFailure: true }, maxAttempts: 1 });
    const dumps: FlightDump[] = [];
    connection.on('flightDump', (dump) => dumps.push(dump));
    await at.clock.runUntil(() => dumps.length > 0);
    expect(dumps[0]?.steps.at(-1)?.state).toBe('disconnected.failed');
    await connection.dispose();
    expect(dumps).toHaveLength(1);
  });

  test('gives it to a function, also for a peer that is lost or whose handler throws', async () => {
    const at = stage();
    const dumps: FlightDump[] = [];
    const server = await at.serve(
      async (peer) => {
        for await (const message of peer) if (`${message}` === 'throw') throw new Error('oops');
      },
      { flightRecorder: { dumpOnFailure: (dump) => dumps.push(dump) } },
    );
    server.on('peerError', () => {});
    const [lost, thrower, polite] = [await dialRaw(at), await dialRaw(at), await dialRaw(at)];
    polite.end();
    thrower.say('throw');
    await at.clock.advance(20);
    expect(dumps.map(({ name }) => name.slice(0, 6))).toEqual(['peer 2']);
    lost.hex('ff ff ff ff');
    await at.clock.advance(20);
    expect(dumps.map(({ name, steps }) => [name.slice(0, 6), steps.at(-1)?.event.code])).toEqual([
      ['peer 2', undefined],
      ['peer 1', 'NINJA_FRAME_TOO_LARGE'],
    ]);
    await server.dispose();
  });

  test('a function that throws is warned of, and harms nobody', async () => {
    const at = stage();
    const warn = vi.fn();
    const dumpOnFailure = () => {
      throw new Error('oops');
    };
    const environment = { ...at.network.environment('client'), warn };
    const connection = at.dial({ flightRecorder: { dumpOnFailure }, maxAttempts: 1, environment });
    await at.clock.runUntil(() => connection.substate === 'failed');
    await at.clock.advance(1);
    expect(warn.mock.calls.map(([error]) => error.message)).toEqual(['flightRecorder.dumpOnFailure threw: oops']);
    expect(connection.substate).toBe('failed');
  });
});

describe('the option', () => {
  test.each([
    ['yes', "flightRecorder must be true, false or { entries, payloads, … }, got 'yes'"],
    [{ entries: 0 }, 'flightRecorder.entries must be a whole number of entries from 1 to 100000, got 0'],
    [{ entries: 100_001 }, 'flightRecorder.entries must be a whole number of entries from 1 to 100000, got 100001'],
    [{ payloads: -1 }, 'flightRecorder.payloads must be a whole number of bytes from 1 to 65536, or 0 (none), got -1'],
    [{ redact: 'x' }, "flightRecorder.redact must be a function (message, way) => bytes, got 'x'"],
    [{ dumpOnFailure: 1 }, 'flightRecorder.dumpOnFailure must be true, false or a function, got 1'],
    [{ size: 1 }, 'flightRecorder: size is not an option; see docs/options.md'],
  ])('%j is refused', (flightRecorder, message) => {
    let told: NinjaTcpError | undefined;
    try {
      connect({ port: 1, flightRecorder: flightRecorder as FlightRecorderOptions });
    } catch (error) {
      told = error as NinjaTcpError;
    }
    expect(told).toMatchObject({ code: 'NINJA_INVALID_OPTION', message });
  });
});

test('on real sockets a dump is replayed as well', async () => {
  const server = createServer((socket) => setTimeout(() => socket.destroy(), 30)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const connection = connect({ host: '127.0.0.1', port, flightRecorder: true, staleAfter: 60, backoff: () => 5 });
  while (connection.epoch < 4)
    await connection
      .status()
      .next()
      .then(() => new Promise(setImmediate));
  await connection.dispose();
  server.close();
  const { difference, steps } = replay(JSON.parse(written(connection)));
  expect(difference).toBeUndefined();
  expect(steps.at(-1)?.state).toBe('disposed');
});
