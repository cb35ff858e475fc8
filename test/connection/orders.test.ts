import { describe, expect, test } from 'vitest';
import { codeOf, collect, echo, journal, outcome, stage } from './stage.js';

describe('disconnect()', () => {
  test('keeps the outbox; connect() sends it', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    connection.send('before');
    connection.disconnect();
    connection.send('while idle');
    await clock.advance(60_000);
    expect([connection.substate, received, connection.epoch]).toEqual(['idle', [], 1]);
    connection.connect();
    await clock.runUntil(() => received.length === 2);
    expect(received).toEqual(['before', 'while idle']);
    await connection.dispose();
  });

  test('while connected is told as `disconnected`, without a retry', async () => {
    const { clock, network, dial, serve } = stage();
    const server = await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    connection.send('x');
    await clock.advance(5);
    let retryInMs: number | undefined = 1;
    connection.once('disconnected', (event) => {
      retryInMs = event.retryInMs;
    });
    connection.disconnect();
    expect([heard.at(-1), retryInMs, connection.substate]).toEqual([
      'disconnected 1 DISCONNECTED unknown 1-1',
      undefined,
      'idle',
    ]);
    await server.dispose();
    await clock.advance(5);
    expect([clock.pending, network.openTransports]).toEqual([0, 0]);
  });

  test('while waiting ends the wait', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    await clock.runUntil(() => connection.substate === 'waiting');
    connection.disconnect();
    await clock.advance(10_000);
    expect([connection.substate, connection.epoch, clock.pending]).toEqual(['idle', 1, 0]);
    await connection.dispose();
  });
});

describe('reconnectNow()', () => {
  test('while waiting dials at once', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const connection = dial({ backoff: () => 100_000 });
    await clock.runUntil(() => connection.substate === 'waiting');
    server.refuse(false);
    connection.reconnectNow();
    await clock.runUntil(connection.connected(), { limit: 100 });
    expect(connection.epoch).toBe(2);
    await connection.dispose();
  });

  test('while connected throws the line away, and dials at once', async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    connection.send('x');
    connection.reconnectNow();
    await clock.runUntil(connection.connected({ proven: true }), { limit: 100 });
    expect(heard.slice(3)).toEqual([
      'disconnected 1 DISCONNECTED unknown 1-1',
      'connecting 2 attempt 1',
      'connected 2',
      'live 2',
    ]);
    await connection.dispose();
  });

  test('while connected: `retryInMs` is 0, since there will be a next attempt', async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    await clock.runUntil(connection.connected({ proven: true }));
    const retries: (number | undefined)[] = [];
    connection.on('disconnected', ({ retryInMs }) => retries.push(retryInMs));
    connection.reconnectNow();
    expect(retries).toEqual([0]);
    await connection.dispose();
  });

  test('from a stable line begins the count of failures anew, as any loss of it does', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const asked: number[] = [];
    const connection = dial({
      maxAttempts: 4,
      backoff: (failures) => {
        asked.push(failures);
        return 100;
      },
    });
    await clock.runUntil(() => asked.length === 3);
    server.refuse(false);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(3_600_000);
    server.refuse();
    connection.reconnectNow();
    await clock.runUntil(() => connection.state === 'disconnected');
    expect([connection.substate, asked]).toEqual(['waiting', [1, 2, 3, 1]]);
    await connection.dispose();
  });

  test.each(['dialing', 'idle'])('in %s changes nothing', async (substate) => {
    const { clock, dial } = stage();
    const connection = dial();
    if (substate === 'idle') connection.disconnect();
    connection.reconnectNow();
    await clock.settle();
    expect([connection.substate, connection.epoch]).toEqual([substate, 1]);
    await connection.dispose();
  });
});

describe('connect()', () => {
  test('while waiting dials at once; elsewhere it changes nothing', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const connection = dial({ backoff: () => 100_000 });
    connection.connect();
    await clock.runUntil(() => connection.substate === 'waiting');
    server.refuse(false);
    connection.connect();
    await clock.runUntil(connection.connected(), { limit: 100 });
    connection.connect();
    await clock.advance(10);
    expect([connection.epoch, connection.state]).toEqual([2, 'connected']);
    await connection.dispose();
  });
});

describe('connected()', () => {
  test('resolves when the line is up; with proven, when the first byte came', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    const [up, proven] = [outcome(connection.connected()), outcome(connection.connected({ proven: true }))];
    await clock.advance(100);
    expect([up.is, proven.is]).toEqual(['resolved', 'pending']);
    server.last.hex('00');
    await clock.advance(5);
    expect(proven.is).toBe('resolved');
    expect(await codeOf(connection.connected({ proven: true }))).toBe('nothing');
    await connection.dispose();
  });

  test('with a signal ends that wait alone', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    const controller = new AbortController();
    const waits = [
      connection.connected({ signal: controller.signal }),
      connection.connected({ signal: controller.signal, proven: true }),
      connection.connected({ signal: AbortSignal.abort() }),
      connection.connected(),
    ].map(outcome);
    controller.abort(new Error('enough'));
    await clock.settle();
    expect(waits.map(({ is }) => is)).toEqual(['rejected ABORTED', 'rejected ABORTED', 'rejected ABORTED', 'pending']);
    await connection.dispose();
  });

  test('waits over failed attempts', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const connection = dial();
    const up = outcome(connection.connected());
    await clock.advance(1000);
    server.refuse(false);
    await clock.runUntil(() => up.is === 'resolved', { limit: 200 });
    await connection.dispose();
  });
});
