import { describe, expect, test } from 'vitest';
import type { Connection, Dropped, Range } from '../../src/index.js';
import { codeOf, collect, echo, journal, outcome, stage } from './stage.js';

/** Sums up what is told of messages: each number may be told of once. */
function account(connection: Connection) {
  const told = new Map<number, string>();
  const doubled: string[] = [];
  const tell = (range: Range | undefined, what: string) => {
    if (!range) return;
    for (let number = range.from; number <= range.to; number += 1) {
      const before = told.get(number);
      if (before !== undefined) doubled.push(`${number} is ${before} and ${what}`);
      told.set(number, what);
    }
  };
  let held: Range | undefined;
  connection.on('dropped', (dropped: Dropped) => tell(dropped, `dropped ${dropped.code}`));
  connection.on('disconnected', (event) => {
    tell(event.unknown, `unknown ${event.epoch}`);
    held = event.held;
    if (held) {
      const sum = told.size + held.messages;
      if (sum !== connection.accepted)
        doubled.push(`${told.size} told + ${held.messages} held of ${connection.accepted}`);
    } else if (told.size !== connection.accepted) {
      doubled.push(`${told.size} told of ${connection.accepted}`);
    }
  });
  connection.on('disposed', (event) => tell(event.unknown, 'unknown at the end'));
  return { told, doubled };
}

describe('what `disconnected` tells of messages', () => {
  test('reason, error, retryInMs, unknown, unflushed, held', async () => {
    const { clock, network, server, dial, serve } = stage({ windowBytes: 1000 });
    await serve(echo);
    const connection = dial({ highWaterMark: 1000, backoff: () => 77 });
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    connection.send('x'.repeat(500));
    await clock.advance(1);
    connection.send('x'.repeat(600));
    connection.send('x'.repeat(700));
    connection.send('x'.repeat(10));
    await clock.advance(1);
    let seen: object | undefined;
    connection.once('disconnected', (event) => {
      seen = event;
    });
    network.resetAll();
    await clock.advance(1);
    expect(seen).toMatchObject({
      epoch: 1,
      failures: 1,
      retryInMs: 77,
      reason: { code: 'NINJA_RESET', epoch: 1, at: clock.wallNow() - 1 },
      error: { code: 'NINJA_RESET', cause: { code: 'ECONNRESET' } },
      unknown: { from: 1, to: 3, messages: 3, bytes: 1800 },
      unflushed: 2,
      held: { from: 4, to: 4, messages: 1, bytes: 10 },
    });
    await connection.dispose();
  });

  test('nothing is unknown where nothing was written', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    connection.send('x');
    const heard = journal(connection);
    await clock.advance(50);
    expect(heard.at(-1)).toBe('disconnected 1 CONNECT_FAILED held 1-1');
    await connection.dispose();
    expect(heard.slice(-2)).toEqual(['dropped DISPOSED 1-1', 'disposed DISPOSED']);
  });

  test('what is sent by a listener of `stale` is held', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    connection.on('stale', () => connection.send('late'));
    const { doubled } = account(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    server.freeze();
    await clock.runUntil(() => heard.some((line) => line.startsWith('disconnected')));
    expect(heard.at(-1)).toBe('disconnected 1 STALE held 1-1');
    expect(doubled).toEqual([]);
    await connection.dispose();
  });

  test('what expired while the line was up is dropped, and not held as well', async () => {
    const { clock, network, server, dial, serve } = stage({ windowBytes: 1000 });
    await serve(echo);
    const connection = dial({ highWaterMark: 1000 });
    const heard = journal(connection);
    const { doubled } = account(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    connection.send('x'.repeat(3000));
    connection.send('short-lived', { ttl: 10 });
    await clock.advance(100);
    network.resetAll();
    await clock.advance(5);
    expect(heard.slice(3)).toEqual(['dropped EXPIRED 2-2', 'disconnected 1 RESET unknown 1-1']);
    expect(doubled).toEqual([]);
    await connection.dispose();
  });

  test('over several killed sockets every accepted message is told of exactly once', async () => {
    const { clock, network, server, dial, serve } = stage({ windowBytes: 2000, cut: 'random', seed: 3 });
    // Of each peer by itself: a server that was stopped reads the rest of an old socket beside the new one.
    const received: number[][] = [];
    await serve((peer) => {
      const numbers: number[] = [];
      received.push(numbers);
      peer.on('message', (message) => numbers.push(Number(`${message}`.split(' ')[0])));
    });
    const connection = dial({ highWaterMark: 2000, ttl: 400 });
    const { told, doubled } = account(connection);
    for (let round = 0; round < 8; round += 1) {
      await clock.runUntil(connection.connected({ proven: true }));
      server.stall(round % 2 === 0);
      for (let n = 0; n < 12; n += 1) connection.send(`${connection.accepted + 1} ${'x'.repeat(n * 60)}`);
      await clock.advance(round * 3);
      network.resetAll();
      await clock.advance(5);
      for (let n = 0; n < 5; n += 1) connection.send(`${connection.accepted + 1} down`);
      await clock.advance(round === 5 ? 600 : 20);
    }
    server.stall(false);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.runUntil(() => connection.stats().pending.messages === 0);
    await clock.advance(50);
    await connection.dispose();
    expect(doubled).toEqual([]);
    expect(told.size).toBe(connection.accepted);
    for (const numbers of received) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const numbers = received.flat();
    expect(new Set(numbers).size).toBe(numbers.length);
    const gone = [...told].filter(([, what]) => what.startsWith('dropped')).map(([number]) => number);
    expect(numbers.filter((number) => gone.includes(number))).toEqual([]);
  });

  test('what was written last is unknown after close() too: a FIN proves nothing about messages', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    const heard = journal(connection);
    connection.send('x');
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.runUntil(connection.close());
    expect([heard.at(-1), received]).toEqual(['disposed DISPOSED unknown 1-1', ['x']]);
  });
});

describe('ttl', () => {
  test.each([
    ['of the option', { ttl: 100 }, undefined],
    ['of the call', {}, { ttl: 100 }],
    ['of the call before that of the option', { ttl: 5 }, { ttl: 100 }],
  ])('%s: what waits for longer is dropped, and never sent', async (_, options, sendOptions) => {
    const { clock, server, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    server.refuse();
    const connection = dial({ ...options, backoff: () => 10 });
    const dropped: object[] = [];
    connection.on('dropped', (event) => dropped.push({ ...event, at: clock.now() - 1000 }));
    connection.send('one', sendOptions);
    connection.send('two', sendOptions);
    connection.send('for ever', { ttl: 0 });
    await clock.advance(99);
    expect(dropped).toEqual([]);
    await clock.advance(20);
    expect(dropped).toMatchObject([{ code: 'NINJA_EXPIRED', from: 1, to: 2, messages: 2, bytes: 6 }]);
    server.refuse(false);
    await clock.runUntil(() => received.length > 0);
    expect(received).toEqual(['for ever']);
    await connection.dispose();
  });

  test('is kept by a timer: it expires in idle too, where nothing else happens', async () => {
    const { clock, dial } = stage();
    const connection = dial();
    connection.disconnect();
    const heard = journal(connection);
    connection.send('one', { ttl: 5000 });
    connection.send('two', { ttl: 100 });
    await clock.advance(99);
    expect(connection.stats().outbox.messages).toBe(2);
    await clock.advance(1);
    expect(heard.at(-1)).toBe('dropped EXPIRED 2-2');
    await clock.advance(4900);
    expect([heard.at(-1), clock.pending]).toEqual(['dropped EXPIRED 1-1', 0]);
    connection.send('three', { ttl: 5000 });
    await connection.dispose();
    expect(clock.pending).toBe(0);
  });

  test('what is written in time does not expire', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    const heard = journal(connection);
    connection.send('in time', { ttl: 1000 });
    await clock.advance(2000);
    expect([received, heard.filter((line) => line.startsWith('dropped'))]).toEqual([['in time'], []]);
    await connection.dispose();
  });
});

describe('giving up', () => {
  const ways: [string, object, string][] = [
    ['maxAttempts', { maxAttempts: 3 }, 'connecting 3 attempt 3'],
    ['backoff false', { backoff: (n: number) => n < 2 && 10 }, 'connecting 2 attempt 2'],
  ];
  test.each(ways)('%s: the queue is settled as not sent, and all waits end', async (_, options, last) => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial(options);
    const heard = journal(connection);
    connection.send('x');
    const waits = [connection.connected(), connection.connected({ proven: true })].map(outcome);
    const reading = outcome(connection.messages().next());
    await clock.runUntil(() => connection.substate === 'failed');
    await clock.settle();
    expect(heard.slice(heard.indexOf(last))).toEqual([
      last,
      'dropped GAVE_UP 1-1',
      expect.stringMatching(/^disconnected \d CONNECT_FAILED$/),
      'failed CONNECT_FAILED',
    ]);
    expect([...waits, reading].map(({ is }) => is)).toEqual(Array(3).fill('rejected GAVE_UP'));
    const late = [
      () => connection.send('y'),
      connection.connected(),
      connection.drained(),
      connection.messages().next(),
    ];
    expect(await Promise.all(late.map(codeOf))).toEqual(Array(4).fill('GAVE_UP'));
    expect([clock.pending, connection.reason?.code]).toEqual([0, 'NINJA_CONNECT_FAILED']);
    await connection.dispose();
    expect([(await connection.messages().next()).done, await codeOf(() => connection.send('z'))]).toEqual([
      true,
      'DISPOSED',
    ]);
  });

  test('a GAVE_UP error tells the last failure as its cause', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial({ maxAttempts: 1 });
    const failed = clock.runUntil(connection.connected());
    await expect(failed).rejects.toMatchObject({
      code: 'NINJA_GAVE_UP',
      cause: { code: 'NINJA_CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } },
    });
    await connection.dispose();
  });

  test.each([
    ['later', (c: Connection, clock: { settle(): Promise<void> }) => clock.settle().then(() => c.connect())],
    ['in a listener of `failed`', (c: Connection) => void c.once('failed', () => c.connect())],
    ['in a listener of `disconnected`', (c: Connection) => void c.once('disconnected', () => c.connect())],
  ])('connect() %s begins anew: it sends, iterates and waits again', async (when, again) => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const connection = dial({ maxAttempts: 1 });
    const heard = journal(connection);
    if (when !== 'later') await again(connection, clock);
    await clock.runUntil(() => heard.includes('failed CONNECT_FAILED'));
    server.refuse(false);
    if (when === 'later') await again(connection, clock);
    const up = outcome(connection.connected());
    await clock.runUntil(() => connection.state === 'connected');
    await clock.settle();
    expect([up.is, await codeOf(() => connection.send('again'))]).toEqual(['resolved', 'nothing']);
    const next = await clock.runUntil(connection.messages().next());
    expect(`${next.value}`).toBe('again');
    await connection.dispose();
  });
});
