import { describe, expect, test } from 'vitest';
import type { ConnectOptions } from '../../src/index.js';
import { codeOf, collect, echo, journal, outcome, stage } from './stage.js';

describe('send while the line is down', () => {
  test('queues, and flushes in order when it is up, before what is sent then', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    for (const message of ['a', 'b', 'c']) expect(connection.send(message)).toBe(true);
    expect(connection.stats().outbox).toEqual({ messages: 3, bytes: 3 });
    connection.on('connected', () => connection.send('d'));
    await clock.runUntil(() => received.length === 4);
    expect(received).toEqual(['a', 'b', 'c', 'd']);
    await connection.dispose();
  });

  test('keeps what was queued over failed attempts', async () => {
    const { clock, server, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    server.refuse();
    const connection = dial();
    connection.send('early');
    await clock.runUntil(() => connection.epoch === 4);
    server.refuse(false);
    await clock.runUntil(() => received.length === 1);
    expect(received).toEqual(['early']);
    await connection.dispose();
  });

  test("throws NOT_CONNECTED with whenDisconnected 'fail', in every state but connected", async () => {
    const { clock, network, dial, serve } = stage();
    await serve(echo);
    const connection = dial({ whenDisconnected: 'fail' });
    const seen: string[] = [];
    const attempt = async () =>
      seen.push(`${connection.substate ?? connection.state} ${await codeOf(() => connection.send('x'))}`);
    await attempt();
    await clock.runUntil(connection.connected());
    await attempt();
    network.resetAll();
    await clock.advance(5);
    await attempt();
    connection.disconnect();
    await attempt();
    expect(seen).toEqual(['dialing NOT_CONNECTED', 'unproven nothing', 'waiting NOT_CONNECTED', 'idle NOT_CONNECTED']);
    expect(connection.accepted).toBe(1);
    await connection.dispose();
  });

  const full: [string, Partial<ConnectOptions>, string[], string, RegExp][] = [
    [
      'outboxBytes',
      { outboxBytes: 10, maxFrameLength: 9 },
      ['12345', '1234'],
      '12',
      /outboxBytes, 10 bytes; 9 are pending, 2 more/,
    ],
    ['outboxMessages', { outboxMessages: 2 }, ['1', '2'], '3', /outboxMessages, 2; 2 are pending/],
  ];
  test.each(full)('beyond %s throws OUTBOX_FULL, and nothing is accepted', async (_, options, fits, over, message) => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial(options);
    for (const one of fits) connection.send(one);
    expect(() => connection.send(over)).toThrow(message);
    expect(await codeOf(() => connection.send(over))).toBe('OUTBOX_FULL');
    expect(connection.accepted).toBe(fits.length);
    await clock.runUntil(() => received.length === fits.length);
    await clock.advance(100);
    expect(received).toEqual(fits);
    await connection.dispose();
  });

  test('makes room in a full outbox by dropping what has expired', async () => {
    const { clock, server, dial } = stage();
    server.blackhole();
    const connection = dial({ outboxMessages: 1 });
    const heard = journal(connection);
    connection.send('old', { ttl: 20 });
    await clock.advance(19);
    expect(await codeOf(() => connection.send('new'))).toBe('OUTBOX_FULL');
    await clock.advance(1);
    expect(await codeOf(() => connection.send('new'))).toBe('nothing');
    expect(heard.at(-1)).toBe('dropped EXPIRED 1-1');
    await connection.dispose();
  });
});

describe('back-pressure', () => {
  test('send gives false from highWaterMark on; drained() resolves at half of it', async () => {
    const { clock, server, dial, serve } = stage({ windowBytes: 1000 });
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial({ highWaterMark: 1000, heartbeatInterval: 0 });
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    const answers: boolean[] = [];
    for (let sent = 0; sent < 10; sent += 1) {
      answers.push(connection.send('x'.repeat(246)));
      await clock.advance(0);
    }
    expect(answers.indexOf(false)).toBeGreaterThan(3);
    expect(connection.stats().pending.bytes).toBeGreaterThan(1000);
    const drained = outcome(connection.drained());
    await clock.advance(10);
    expect(drained.is).toBe('pending');
    server.stall(false);
    await clock.runUntil(() => drained.is === 'resolved');
    expect(connection.stats().pending.bytes).toBeLessThanOrEqual(500);
    await connection.dispose();
  });

  test('above highWaterMark messages wait in the outbox, whole, and go to the next socket', async () => {
    const { clock, network, server, dial, serve } = stage({ windowBytes: 1000 });
    const received: string[] = [];
    await serve(
      (peer) => void peer.on('message', (message) => received.push(`${peer.id}: ${message.toString().trim()}`)),
    );
    const connection = dial({ highWaterMark: 1000 });
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    for (let n = 1; n <= 20; n += 1) connection.send(`${n}`.padEnd(246));
    await clock.advance(5);
    network.resetAll();
    await clock.advance(5);
    server.stall(false);
    await clock.runUntil(() => received.includes('2: 20'));
    expect(heard.find((line) => line.startsWith('disc'))).toBe('disconnected 1 RESET unknown 1-8 held 9-20');
    expect(received.filter((line) => line.startsWith('2: '))).toEqual(
      Array.from({ length: 12 }, (_, n) => `2: ${n + 9}`),
    );
    await connection.dispose();
  });

  test('half of outboxMessages counts as well', async () => {
    const { dial } = stage();
    const connection = dial({ outboxMessages: 8 });
    expect([1, 2, 3, 4, 5].map((n) => connection.send(`${n}`))).toEqual([true, true, true, false, false]);
    await connection.dispose();
  });

  test('drained() resolves at once where little is pending, and rejects at the end', async () => {
    const { clock, dial } = stage();
    const connection = dial({ outboxMessages: 4 });
    expect(await codeOf(clock.runUntil(connection.drained()))).toBe('nothing');
    for (let n = 0; n < 4; n += 1) connection.send('x');
    const abort = new AbortController();
    const waits = [outcome(connection.drained()), outcome(connection.drained({ signal: abort.signal }))];
    abort.abort();
    await clock.settle();
    expect(waits.map(({ is }) => is)).toEqual(['pending', 'rejected ABORTED']);
    await connection.dispose();
    expect([waits[0]?.is, await codeOf(connection.drained())]).toEqual(['rejected DISPOSED', 'DISPOSED']);
  });

  test('drained() resolves when what was pending is lost with its socket', async () => {
    const { clock, network, server, dial, serve } = stage({ windowBytes: 1000 });
    await serve(echo);
    const connection = dial({ highWaterMark: 1000, backoff: () => 100_000 });
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    expect(connection.send('x'.repeat(5000))).toBe(false);
    const drained = outcome(connection.drained());
    network.resetAll();
    await clock.advance(5);
    expect([connection.state, connection.stats().pending.bytes]).toEqual(['disconnected', 0]);
    expect(drained.is).toBe('resolved');
    await connection.dispose();
  });

  test('drained() resolves when what was pending has expired', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial({ outboxMessages: 4, ttl: 50 });
    for (let n = 0; n < 4; n += 1) connection.send('x');
    const drained = outcome(connection.drained());
    await clock.advance(1000);
    expect([connection.stats().pending.messages, drained.is]).toEqual([0, 'resolved']);
    await connection.dispose();
  });
});

describe('caution before proof', () => {
  test('at most 64 KiB are written until the first byte comes; then the rest flows', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    for (let n = 0; n < 100; n += 1) connection.send('x'.repeat(1024));
    await clock.advance(500);
    expect([connection.substate, connection.stats().outbox.messages]).toEqual(['unproven', 36]);
    expect(server.last.messages).toHaveLength(64);
    server.last.hex('00 00 00 00');
    await clock.advance(10);
    expect([connection.substate, server.last.messages.length]).toEqual(['live', 100]);
    await connection.dispose();
  });

  test('a small message that would fit does not overtake a large one that waits', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    for (const [name, size] of [
      ['a', 60_000],
      ['b', 10_000],
      ['c', 10],
    ] as const)
      connection.send(name.repeat(size));
    await clock.advance(10);
    expect(server.last.messages.map(([first]) => first)).toEqual(['a']);
    server.last.hex('00 00 00 00');
    await clock.advance(10);
    expect(server.last.messages.map(([first]) => first)).toEqual(['a', 'b', 'c']);
    await connection.dispose();
  });

  test('with staleAfter 0 nothing is held back', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial({ staleAfter: 0 });
    for (let n = 0; n < 100; n += 1) connection.send('x'.repeat(1024));
    await clock.advance(500);
    expect(server.last.messages).toHaveLength(100);
    await connection.dispose();
  });

  test('a stopped process swallows at most that much in each epoch', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.freeze();
    const connection = dial();
    const lost: (number | undefined)[] = [];
    connection.on('disconnected', ({ unknown }) => lost.push(unknown?.bytes));
    for (let n = 0; n < 300; n += 1) connection.send('x'.repeat(1024));
    await clock.runUntil(() => lost.length === 2);
    expect(lost).toEqual([65_536, 65_536]);
    await connection.dispose();
  });
});

describe('what is sent', () => {
  const bytes = Buffer.from('päßword');
  test.each([
    ['a string', 'päßword'],
    ['a Buffer', bytes],
    ['a Uint8Array', new Uint8Array(bytes)],
    ['a view into a larger one', new Uint8Array(Buffer.from('..päßword..')).subarray(2, 2 + bytes.length)],
  ])('%s', async (_, message) => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    connection.send(message);
    await clock.runUntil(() => received.length === 1);
    expect(received).toEqual(['päßword']);
    await connection.dispose();
  });

  const bad: [string, unknown, object | undefined, string, RegExp][] = [
    ['a number', 7, undefined, 'INVALID_MESSAGE', /Uint8Array or a string, got 7/],
    ['nothing', undefined, undefined, 'INVALID_MESSAGE', /got undefined/],
    ['an empty one', '', undefined, 'INVALID_MESSAGE', /emptyFrames/],
    ['one too long', 'x'.repeat(101), undefined, 'INVALID_MESSAGE', /maxFrameLength, 100 bytes, got 101/],
    ['one with ttl -1', 'x', { ttl: -1 }, 'INVALID_OPTION', /ttl .* got -1/],
    ['one with ttl Infinity', 'x', { ttl: Number.POSITIVE_INFINITY }, 'INVALID_OPTION', /ttl .* got Infinity/],
    ['one with ttl 2^31', 'x', { ttl: 2 ** 31 }, 'INVALID_OPTION', /ttl .* got 2147483648/],
  ];
  test.each(bad)('%s is refused at the call', async (_, message, options, code, words) => {
    const { dial } = stage();
    const connection = dial({ maxFrameLength: 100 });
    const send = () => connection.send(message as string, options);
    expect(send).toThrow(words);
    expect([await codeOf(send), connection.accepted]).toEqual([code, 0]);
    await connection.dispose();
  });

  test("an empty one is delivered with emptyFrames 'message'", async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    const plain = { emptyFrames: 'message', heartbeatInterval: 0, staleAfter: 0 } as const;
    await serve(collect(received), plain);
    const connection = dial(plain);
    connection.send('');
    await clock.runUntil(() => received.length === 1);
    expect(received).toEqual(['']);
    await connection.dispose();
  });
});
