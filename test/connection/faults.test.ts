import { describe, expect, test } from 'vitest';
import type { Connection, NinjaTcpError } from '../../src/index.js';
import { echo, journal, type Stage, stage } from './stage.js';

const oops = new TypeError('oops');
const throws = (): never => {
  throw oops;
};
const rejects = () => Promise.reject(oops);

type Attach = (connection: Connection, listener: () => unknown) => unknown;

/** Events, and what brings them about. */
const events: [string, Attach, ((at: Stage, connection: Connection) => unknown)?][] = [
  ['connecting', (c, listener) => c.on('connecting', listener)],
  ['connected', (c, listener) => c.on('connected', listener)],
  ['live', (c, listener) => c.on('live', listener)],
  ['message', (c, listener) => c.on('message', listener)],
  ['message', (c, listener) => c.on('message', () => {}).on('message', listener)],
  ['message', (c, listener) => c.once('message', listener).on('message', () => {})],
  ['stale', (c, listener) => c.on('stale', listener), ({ server }) => server.freeze()],
  ['disconnected', (c, listener) => c.on('disconnected', listener), ({ network }) => network.resetAll()],
  ['disposed', (c, listener) => c.on('disposed', listener), (_, c) => c.dispose()],
];

const kinds: [string, () => unknown][] = [
  ['throws', throws],
  ['rejects', rejects],
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library
  ['rejects by another kind of promise', () => ({ then: (_: unknown, no: (error: Error) => void) => no(oops) })],
];
const rows = events.flatMap(([name, attach, cause]) =>
  kinds.map(([how, listener]) => ({ name, how, attach, cause, listener })),
);

describe('a listener of the program', () => {
  test.each(rows)('of `$name` that $how: told once as `error`, and the connection is closed', async (row) => {
    const at = stage();
    await at.serve(async (peer) => {
      peer.send('one');
      peer.send('two');
      await echo(peer);
    });
    const connection = at.dial();
    const other = at.dial();
    const otherHeard = journal(other);
    const errors: NinjaTcpError[] = [];
    row.attach(connection, row.listener);
    connection.on('error', (error) => errors.push(error));
    await at.clock.advance(50);
    row.cause?.(at, connection);
    const reason = await at.clock.runUntil(connection.closed());
    at.server.thaw();
    await at.clock.advance(500);
    expect(errors).toMatchObject([{ code: 'NINJA_HANDLER_FAILED', cause: oops }]);
    expect(errors[0]?.message).toContain(`${row.name}: the program's code threw: oops`);
    expect([connection.state, at.network.warnings]).toEqual(['disposed', []]);
    expect(reason.code).toMatch(/^NINJA_(DISPOSED|STALE|RESET|DRAIN_TIMEOUT)$/);
    expect([other.state, otherHeard.includes('error HANDLER_FAILED')]).toEqual(['connected', false]);
    await other.dispose();
  });

  test.each(kinds)('that %s, with no listener of `error`: told once by environment.warn', async (_, listener) => {
    const { clock, network, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    connection.on('connected', listener);
    connection.on('live', listener);
    await clock.runUntil(connection.closed());
    expect(network.warnings).toMatchObject([{ code: 'NINJA_HANDLER_FAILED', cause: oops }]);
  });

  test('of `error` that throws: both are told, and the connection is closed', async () => {
    const { clock, network, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const second = new Error('second');
    connection.on('connected', throws);
    connection.on('error', () => {
      throw second;
    });
    await clock.runUntil(connection.closed());
    expect(network.warnings).toEqual([second]);
  });

  test('of `message` that throws hears no more', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    let times = 0;
    connection.on('error', () => {});
    connection.on('message', () => {
      times += 1;
      throw oops;
    });
    server.last.hex('00 00 00 01 61 00 00 00 01 62');
    await clock.advance(5);
    server.last.say('c');
    await clock.advance(5);
    expect([times, connection.stats().inbox.messages]).toEqual([1, 0]);
    await connection.dispose();
  });

  test('of `message` that throws while the inbox is drained hears no more', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    for (const word of ['a', 'b', 'c']) server.last.say(word);
    await clock.advance(5);
    let times = 0;
    connection.on('error', () => {});
    connection.on('message', () => {
      times += 1;
      throw oops;
    });
    await clock.advance(5);
    expect(times).toBe(1);
    await connection.dispose();
  });

  test('what was accepted before it threw is still handed over', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve((peer) => void peer.on('message', (message) => received.push(`${message}`)));
    const connection = dial();
    connection.on('error', () => {});
    connection.on('connected', () => {
      connection.send('accepted');
      throw oops;
    });
    await clock.runUntil(connection.closed());
    expect(received).toEqual(['accepted']);
  });

  test.each([
    ['throws', throws, /backoff: the program's code threw: oops/],
    ['gives a string', () => '5' as unknown as number, /from 0, or false, got 5/],
    ['gives NaN', () => Number.NaN, /from 0, or false, got NaN/],
    ['gives -1', () => -1, /from 0, or false, got -1/],
  ])('the backoff %s: told as `error`, and the connection is closed', async (_, backoff, message) => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial({ backoff });
    const errors: NinjaTcpError[] = [];
    connection.on('error', (error) => errors.push(error));
    await clock.runUntil(connection.closed());
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(message);
    expect(clock.pending).toBe(0);
  });

  test.each([0, 0.5, 1e12, Number.POSITIVE_INFINITY])('the backoff may give %s ms', async (ms) => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial({ backoff: () => ms });
    const waits: (number | undefined)[] = [];
    connection.once('disconnected', ({ retryInMs }) => waits.push(retryInMs));
    await clock.runUntil(() => waits.length === 1);
    expect(waits).toEqual([Math.min(ms, 2 ** 31 - 1)]);
    await connection.dispose();
  });

  test.each(['send', 'close', 'dispose', 'reconnectNow', 'disconnect'] as const)(
    'may call %s() in any of them',
    async (order) => {
      for (const [name, attach, cause] of events) {
        if (name === 'disposed' && order === 'send') continue;
        const at = stage();
        await at.serve(async (peer) => {
          peer.send('one');
          await echo(peer);
        });
        const connection = at.dial();
        const heard = journal(connection);
        let called = false;
        attach(connection, () => {
          if (called) return;
          called = true;
          if (order === 'send') connection.send('x');
          else void connection[order]();
        });
        await at.clock.advance(50);
        cause?.(at, connection);
        await at.clock.advance(10_000);
        expect([name, called, heard.some((line) => line.startsWith('error'))]).toEqual([name, true, false]);
        await connection.dispose();
        expect(at.network.warnings).toEqual([]);
      }
    },
  );
});
