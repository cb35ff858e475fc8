import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/index.js';
import { codeOf, journal, stage } from './stage.js';

/** A line to a server that speaks only when told to, with nothing that happens by itself. */
function quiet(options: object = {}) {
  const at = stage();
  const server = at.raw();
  const connection = at.dial({ heartbeatInterval: 0, staleAfter: 0, ...options });
  const accepted = () => at.clock.runUntil(() => server.peers.length > 0);
  const prove = async () => {
    await accepted();
    server.last.hex('00 00 00 00');
    await at.clock.advance(5);
  };
  return { at, server, connection, accepted, prove };
}

describe('from inside an event', () => {
  const ends: [string, (connection: Connection) => unknown, string[]][] = [
    ['close()', (connection) => connection.close(), ['x']],
    ['dispose()', (connection) => connection.dispose(), []],
  ];
  test.each(ends)('nothing is accepted behind %s, though the chart has not taken its step', async (_, end, arrived) => {
    const { server, connection, prove, at } = quiet();
    const codes: Promise<string>[] = [];
    connection.once('live', () => {
      connection.send('x');
      void end(connection);
      for (const late of [Buffer.from('y'), 'z']) codes.push(codeOf(() => connection.send(late)));
    });
    await prove();
    await at.clock.advance(100);
    expect([await Promise.all(codes), connection.accepted]).toEqual([['DISPOSED', 'DISPOSED'], 1]);
    expect(server.last.messages).toEqual(arrived);
    await connection.dispose();
  });

  test('of `dropped`, which ends the connection: the message that made room for itself is not accepted', async () => {
    const at = stage();
    at.server.blackhole();
    const connection = at.dial({ outboxMessages: 2 });
    connection.send('a', { ttl: 5 });
    connection.send('b');
    connection.once('dropped', () => void connection.dispose());
    // It has expired, and the timer has not looked yet.
    await at.clock.advance(6);
    expect(await codeOf(() => connection.send('c', { ttl: 60_000 }))).toBe('DISPOSED');
    await at.clock.advance(10);
    expect([connection.accepted, connection.stats().outbox.messages, at.clock.pending]).toEqual([2, 0, 0]);
  });

  test('what it brings about is told behind what was announced before', async () => {
    const at = stage();
    const dial = (): never => {
      throw new Error('refused at once');
    };
    const connection = at.dial({ environment: { ...at.network.environment('client'), dial } });
    const heard = journal(connection);
    connection.once('connecting', () => void connection.dispose());
    await at.clock.advance(10);
    expect(heard).toEqual(['connecting 1 attempt 1', 'disconnected 1 CONNECT_FAILED', 'disposed DISPOSED']);
  });
});

describe('behind the greeting', () => {
  test('what the hook left unread may be answered at once', async () => {
    const { at, server, connection, accepted } = quiet({
      whenDisconnected: 'fail',
      onConnect: async (line: { receive(): Promise<Buffer> }) => void (await line.receive()),
    });
    const heard = journal(connection);
    connection.on('message', (message) => connection.send(message));
    await accepted();
    server.last.hex('00 00 00 01 61 00 00 00 01 62');
    await at.clock.advance(100);
    expect(heard).toEqual(['connecting 1 attempt 1', 'connected 1', 'live 1']);
    expect(server.last.messages).toEqual(['b']);
    await connection.dispose();
  });

  test("reading that a full hook paused is not resumed by the connection's own inbox", async () => {
    const at = stage({ windowBytes: 4000 });
    const server = at.raw();
    let greeted = () => {};
    const connection = at.dial({
      staleAfter: 0,
      heartbeatInterval: 0,
      inboxMessages: 10,
      connectTimeout: 100_000,
      onConnect: (_, { signal }) =>
        new Promise<void>((resolve) => {
          greeted = resolve;
          signal.addEventListener('abort', () => resolve());
        }),
    });
    await at.clock.runUntil(() => server.peers.length === 1);
    await at.clock.advance(5);
    greeted();
    await at.clock.runUntil(connection.connected());
    for (let n = 0; n < 12; n += 1) server.last.say(`first ${n}`);
    await at.clock.advance(50);
    connection.reconnectNow();
    await at.clock.runUntil(() => server.peers.length === 2);
    await at.clock.advance(10);
    for (let n = 0; n < 12; n += 1) server.last.say(`second ${n}`);
    await at.clock.advance(50);
    while (connection.receive()) {
      // All that the first line had left.
    }
    for (let n = 0; n < 5000; n += 1) server.last.say(`more ${n}`);
    await at.clock.advance(5000);
    // The bound, and what one chunk holds.
    expect(connection.stats().received.messages).toBeLessThan(1000);
    greeted();
    await at.clock.advance(5);
    let left = 0;
    for (let message = connection.receive(); message; message = connection.receive()) left += 1;
    expect(left).toBeGreaterThanOrEqual(10);
    await connection.dispose();
  });
});

test.each([null, undefined, 7, {}, []])(
  'send(%j) is INVALID_MESSAGE, whether the limits are looked at or not',
  async (value) => {
    const { connection, prove } = quiet();
    await prove();
    for (let round = 0; round < 2; round += 1) {
      expect(await codeOf(() => connection.send(value as never))).toBe('INVALID_MESSAGE');
      connection.send('x');
    }
    await connection.dispose();
  },
);
