import { describe, expect, test } from 'vitest';
import type { Connection, Timer } from '../../src/index.js';
import { timeOfDay } from '../../src/line/explain.js';
import { collect, echo, type Stage, short, stage } from './stage.js';

describe('explain()', () => {
  const words: [string, (at: Stage, c: Connection) => unknown, RegExp][] = [
    ['dialing', () => {}, /^server:65432 connecting \(dialing\) since TIME, epoch 1, attempt 1; 1 message held$/],
    [
      'unproven',
      async (at, c) => {
        at.server.freeze();
        await at.clock.runUntil(c.connected());
        await at.clock.advance(210);
      },
      /^server:65432 connected \(unproven\) since TIME, epoch 1; no byte yet; next check in 2,790 ms$/,
    ],
    [
      'live',
      async (at, c) => {
        await at.clock.runUntil(c.connected({ proven: true }));
        at.server.freeze();
        await at.clock.advance(2000);
      },
      /^server:65432 connected \(live\) since TIME, epoch 1; last byte 2,000 ms ago; next check in 99\d ms$/,
    ],
    [
      'draining',
      async (at, c) => {
        await at.clock.runUntil(c.connected({ proven: true }));
        void c.close();
      },
      /^server:65432 connected \(draining\) since TIME, epoch 1; last byte 0 ms ago; next check in 2,99\d ms$/,
    ],
    [
      'waiting',
      async (at, c) => {
        at.server.refuse();
        await at.clock.runUntil(() => c.substate === 'waiting');
        await at.clock.advance(30);
      },
      /^server:65432 disconnected \(waiting\) since TIME: connect ECONNREFUSED 127.0.0.1:65432 at TIME; attempt 2 in 70 ms; 1 message held$/,
    ],
    [
      'idle',
      (_, c) => c.disconnect(),
      /^server:65432 disconnected \(idle\) since TIME: the program called disconnect\(\) at TIME; 1 message held$/,
    ],
    [
      'failed',
      async (at, c) => {
        at.server.refuse();
        await at.clock.runUntil(() => c.substate === 'failed');
      },
      /^server:65432 disconnected \(failed\) since TIME: connect ECONNREFUSED 127.0.0.1:65432 at TIME$/,
    ],
    ['disposed', (_, c) => c.dispose(), /^server:65432 disposed since TIME: the program called dispose\(\) at TIME$/],
  ];
  test.each(words)('in %s', async (name, prepare, expected) => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial(name === 'failed' ? { maxAttempts: 1 } : {});
    connection.send('x');
    await prepare(at, connection);
    expect(connection.explain().replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')).toMatch(expected);
    await connection.dispose();
  });

  test('in stale', async () => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial({ name: 'bank' });
    await at.clock.runUntil(connection.connected({ proven: true }));
    at.server.freeze();
    let said = '';
    connection.on('stale', () => {
      said = connection.explain();
    });
    await at.clock.runUntil(() => said !== '');
    expect(said.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')).toBe('bank stale since TIME: no byte for 3000 ms at TIME');
    await connection.dispose();
  });

  test('where silence is not watched', async () => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial({ staleAfter: 0 });
    await at.clock.runUntil(connection.connected({ proven: true }));
    expect(connection.explain()).toMatch(/; silence is not watched$/);
    await connection.dispose();
  });

  test('the times are those of the wall clock', async () => {
    const at = stage();
    const connection = at.dial();
    expect(connection.explain()).toContain(`since ${timeOfDay(at.clock.wallNow())}`);
    await connection.dispose();
  });
});

describe('history', () => {
  test('has every step with its cause, its epoch and the reason', async () => {
    const { clock, network, server, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    await clock.runUntil(connection.connected({ proven: true }));
    network.resetAll();
    await clock.runUntil(() => connection.substate === 'live' && connection.epoch === 2);
    server.freeze();
    await clock.runUntil(() => connection.epoch === 3);
    await connection.dispose();
    const steps = connection.history.map(({ epoch, from, to, cause, reason }) =>
      `${epoch} ${from ?? '-'} > ${to} by ${cause} ${reason ? short(reason.code) : ''}`.trim(),
    );
    expect(steps).toEqual([
      '0 - > disconnected.idle by start',
      '1 disconnected.idle > connecting.dialing by connect',
      '1 connecting.dialing > connecting.greeting by socket.opened',
      '1 connecting.greeting > connected.unproven by socket.opened',
      '1 connected.unproven > connected.live by socket.heard',
      '1 connected.live > disconnected.waiting by socket.failed RESET',
      '2 disconnected.waiting > connecting.dialing by after backoff RESET',
      '2 connecting.dialing > connecting.greeting by socket.opened RESET',
      '2 connecting.greeting > connected.unproven by socket.opened RESET',
      '2 connected.unproven > connected.live by socket.heard RESET',
      '2 connected.live > stale by after silence STALE',
      '2 stale > disconnected.waiting by socket.closed STALE',
      '3 disconnected.waiting > connecting.dialing by after backoff STALE',
      '3 connecting.dialing > disposed by dispose DISPOSED',
    ]);
  });

  test('keeps the last 50, each with when', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial();
    await clock.runUntil(() => connection.epoch === 40);
    const { history } = connection;
    expect(history).toHaveLength(50);
    expect(history.at(-1)).toMatchObject({ to: 'connecting.dialing', at: clock.wallNow() });
    expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).sort((a, b) => a - b));
    await connection.dispose();
  });

  test('a copy is given: it does not grow, and cannot be spoilt', async () => {
    const { dial } = stage();
    const connection = dial();
    const before = connection.history;
    (before as unknown[]).length = 0;
    expect(connection.history).toHaveLength(2);
    await connection.dispose();
  });
});

describe('stats()', () => {
  test('counts messages and bytes of each direction, heartbeats not', async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    for (let n = 0; n < 10; n += 1) connection.send('12345');
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5000);
    const { received, sent, inbox, outbox, pending } = connection.stats();
    const ten = { messages: 10, bytes: 50 };
    expect([received, sent]).toMatchObject([ten, ten]);
    expect([inbox, outbox, pending]).toEqual([ten, { messages: 0, bytes: 0 }, { messages: 0, bytes: 0 }]);
    await connection.dispose();
  });

  test('rates are those of about a second, and of nothing when nothing came', async () => {
    const { clock, dial, serve } = stage();
    await serve(collect([]));
    const connection = dial();
    await clock.runUntil(connection.connected({ proven: true }));
    for (let n = 0; n < 400; n += 1) {
      connection.send('1234567890');
      await clock.advance(10);
    }
    const busy = connection.stats().sent;
    expect(busy.messagesPerSecond).toBeGreaterThan(90);
    expect(busy.messagesPerSecond).toBeLessThan(110);
    expect(busy.bytesPerSecond).toBeCloseTo(10 * busy.messagesPerSecond, -2);
    await clock.advance(10_000);
    expect(connection.stats().sent).toMatchObject({ messages: 400, messagesPerSecond: 0, bytesPerSecond: 0 });
    await connection.dispose();
  });

  test('tells what is written and not with the kernel yet', async () => {
    const { clock, server, dial, serve } = stage({ windowBytes: 100 });
    await serve(echo);
    const connection = dial({ heartbeatInterval: 0, staleAfter: 0 });
    await clock.runUntil(connection.connected());
    await clock.advance(10);
    server.stall();
    connection.send('x'.repeat(496));
    await clock.advance(5);
    expect(connection.stats().pending).toEqual({ messages: 1, bytes: 500 });
    expect(connection.stats().outbox).toEqual({ messages: 0, bytes: 0 });
    await connection.dispose();
  });
});

describe('ref() and unref()', () => {
  test('pass to every timer and socket, those to come too', async () => {
    const at = stage();
    await at.serve(echo);
    const environment = at.network.environment('client');
    const marks: string[] = [];
    const mark = (what: string) => ({ ref: () => marks.push(`${what} ref`), unref: () => marks.push(`${what} unref`) });
    const connection = at.dial({
      environment: {
        ...environment,
        clock: Object.assign(Object.create(environment.clock) as typeof environment.clock, {
          setTimeout: (callback: () => void, ms: number): Timer =>
            Object.assign(environment.clock.setTimeout(callback, ms), mark('timer')),
        }),
        dial: (target) => Object.assign(environment.dial(target), mark('socket')),
      },
    });
    expect(marks).toEqual([]);
    expect(connection.unref()).toBe(connection);
    expect(marks).toEqual(['timer unref', 'socket unref']);
    marks.length = 0;
    await at.clock.runUntil(connection.connected());
    expect(new Set(marks)).toEqual(new Set(['timer unref']));
    at.network.resetAll();
    marks.length = 0;
    await at.clock.runUntil(() => connection.epoch === 2);
    expect(new Set(marks)).toEqual(new Set(['timer unref', 'socket unref']));
    marks.length = 0;
    expect(connection.ref()).toBe(connection);
    await at.clock.runUntil(connection.connected());
    expect(new Set(marks)).toEqual(new Set(['timer ref', 'socket ref']));
    await connection.dispose();
  });
});
