import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/index.js';
import { codeOf, collect, echo, journal, outcome, stage } from './stage.js';

describe('close()', () => {
  test('hands over what was accepted, parts, and resolves with the reason', async () => {
    const { clock, network, dial, serve } = stage();
    const received: string[] = [];
    const server = await serve(collect(received));
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    for (const message of ['a', 'b', 'c']) connection.send(message);
    const closing = outcome(connection.close());
    expect([connection.substate, await codeOf(() => connection.send('late'))]).toEqual(['draining', 'DISPOSED']);
    await clock.runUntil(() => closing.is !== 'pending');
    expect([closing.is, heard.at(-1), received]).toEqual([
      'DISPOSED',
      'disposed DISPOSED unknown 1-3',
      ['a', 'b', 'c'],
    ]);
    await clock.advance(5);
    expect([server.peers.size, network.openTransports]).toEqual([0, 0]);
    await server.dispose();
    expect(clock.pending).toBe(0);
  });

  test('while dialing with something queued: connects first, then drains', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    const heard = journal(connection);
    connection.send('queued');
    await clock.runUntil(connection.close());
    expect([received, heard]).toEqual([
      ['queued'],
      ['connecting 1 attempt 1', 'connected 1', 'disposed DISPOSED unknown 1-1'],
    ]);
  });

  test('with more queued than caution allows: waits for the first byte, then hands over the rest', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    for (let n = 0; n < 100; n += 1) connection.send('x'.repeat(1024));
    const closing = outcome(connection.close());
    await clock.advance(100);
    expect([server.last.messages.length, server.last.heard.includes('ended'), closing.is]).toEqual([
      64,
      false,
      'pending',
    ]);
    server.last.hex('00 00 00 00');
    await clock.advance(10);
    expect([server.last.messages.length, server.last.heard.includes('ended')]).toEqual([100, true]);
    server.last.end();
    await clock.advance(5);
    expect(closing.is).toBe('DISPOSED');
  });

  test('while dialing with nothing queued: ends at once', async () => {
    const { clock, dial } = stage();
    const connection = dial();
    const before = clock.now();
    await connection.close();
    expect([connection.state, clock.now()]).toEqual(['disposed', before]);
  });

  test('while dialing with something queued, and the dial fails: ends, and tells what was not sent', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    const heard = journal(connection);
    connection.send('queued');
    const reason = await clock.runUntil(connection.close());
    expect(reason.code).toBe('NINJA_CONNECT_FAILED');
    expect(heard.slice(-2)).toEqual(['dropped DISPOSED 1-1', 'disposed CONNECT_FAILED']);
  });

  const waits: [string, (connection: Connection) => unknown][] = [
    ['idle', (connection) => connection.disconnect()],
    ['waiting', () => {}],
  ];
  test.each(waits)('in %s: ends at once, and tells what was not sent', async (_, prepare) => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    const heard = journal(connection);
    connection.send('queued');
    await clock.runUntil(() => connection.state === 'disconnected');
    prepare(connection);
    const reason = await connection.close();
    expect([reason.code, heard.slice(-2)]).toEqual(['NINJA_DISPOSED', ['dropped DISPOSED 1-1', 'disposed DISPOSED']]);
  });

  test('delivers messages that arrive while it drains', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    const closing = outcome(connection.close());
    server.last.say('last words');
    await clock.advance(50);
    expect([closing.is, `${connection.receive()}`]).toEqual(['pending', 'last words']);
    server.last.end();
    await clock.advance(5);
    expect(closing.is).toBe('DISPOSED');
  });

  test('waits for the other FIN for finTimeout, to the millisecond', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial({ finTimeout: 700 });
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    const closing = outcome(connection.close());
    await clock.advance(699);
    expect([closing.is, server.last.heard.at(-1)]).toEqual(['pending', 'ended']);
    await clock.advance(1);
    expect(closing.is).toBe('DISPOSED');
    expect(clock.pending).toBe(0);
  });

  test('gives up after drainTimeout, counted from the call', async () => {
    const { clock, server, dial, serve } = stage({ windowBytes: 1000 });
    await serve(echo);
    const connection = dial({ drainTimeout: 1000 });
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    server.stall();
    connection.send('x'.repeat(5000));
    const closing = outcome(connection.close());
    await clock.advance(999);
    expect(closing.is).toBe('pending');
    await clock.advance(1);
    expect([closing.is, heard.at(-1)]).toEqual(['DRAIN_TIMEOUT', 'disposed DRAIN_TIMEOUT unknown 1-1']);
  });

  test('of a line that goes stale while it drains ends, and does not try again', async () => {
    const { clock, server, dial, serve } = stage({ windowBytes: 1000 });
    await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    server.freeze();
    connection.send('x'.repeat(5000));
    const reason = await clock.runUntil(connection.close());
    expect([reason.code, connection.epoch, heard.slice(3)]).toEqual([
      'NINJA_STALE',
      1,
      ['stale 1', 'disposed STALE unknown 1-1'],
    ]);
  });

  test('in the middle of a frame of the other side resolves with TRUNCATED', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    server.last.hex('00 00 00 02 61');
    const closing = outcome(connection.close());
    server.last.end();
    await clock.advance(5);
    expect(closing.is).toBe('TRUNCATED');
  });

  test('is what `await using` calls', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const scope = async () => {
      await using connection = dial();
      connection.send('bye');
      return connection;
    };
    const connection = await clock.runUntil(scope());
    expect([connection.state, received]).toEqual(['disposed', ['bye']]);
  });
});
