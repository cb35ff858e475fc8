import { describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/index.js';
import { codeOf, echo, journal, outcome, type Stage, stage } from './stage.js';

type Prepare = (at: Stage, connection: Connection) => unknown;

/** How to bring a fresh connection into each state. */
const states: [name: string, state: string, prepare: Prepare][] = [
  ['connecting dialing', 'connecting', () => {}],
  [
    'connected unproven',
    'connected',
    (at, c) => {
      at.server.freeze();
      return at.clock.runUntil(c.connected());
    },
  ],
  ['connected live', 'connected', (at, c) => at.clock.runUntil(c.connected({ proven: true }))],
  [
    'connected draining',
    'connected',
    async (at, c) => {
      await at.clock.runUntil(c.connected({ proven: true }));
      at.server.freeze();
      void c.close();
    },
  ],
  [
    'disconnected waiting',
    'disconnected',
    (at, c) => {
      at.server.refuse();
      return at.clock.runUntil(() => c.substate === 'waiting');
    },
  ],
  ['disconnected idle', 'disconnected', (_, c) => c.disconnect()],
  [
    'disconnected failed',
    'disconnected',
    (at, c) => {
      at.server.refuse();
      return at.clock.runUntil(() => c.substate === 'failed');
    },
  ],
  ['disposed', 'disposed', (_, c) => c.dispose()],
];

const options = (name: string) => (name.endsWith('failed') ? { maxAttempts: 1 } : {});

describe('dispose()', () => {
  test.each(states)('in %s: ends at once, twice is fine, nothing is left', async (name, state, prepare) => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial(options(name));
    const heard = journal(connection);
    await prepare(at, connection);
    expect(`${connection.state} ${connection.substate ?? ''}`.trim()).toBe(name);
    expect(connection.state).toBe(state);
    const before = at.clock.now();
    const reasons = await Promise.all([
      connection.dispose(),
      connection.dispose(),
      connection.close(),
      connection.closed(),
    ]);
    expect([connection.state, at.clock.now()]).toEqual(['disposed', before]);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]?.code).toBe('NINJA_DISPOSED');
    expect(heard.filter((line) => line.startsWith('disposed'))).toEqual(['disposed DISPOSED']);
    at.server.thaw();
    await server.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test.each(states)('in %s: whoever waits or sends hears DISPOSED', async (name, _, prepare) => {
    if (name === 'disconnected failed' || name === 'disposed') return;
    const at = stage();
    await at.serve(echo);
    const connection = at.dial();
    await prepare(at, connection);
    const reading = outcome(connection.messages().next());
    await connection.dispose();
    await at.clock.settle();
    expect(reading.is).toBe('[object Object]');
    expect(await codeOf(connection.connected())).toBe('DISPOSED');
    expect(await codeOf(connection.connected({ proven: true }))).toBe('DISPOSED');
    expect(await codeOf(connection.drained())).toBe('DISPOSED');
    expect(await codeOf(() => connection.send('x'))).toBe('DISPOSED');
    expect(await connection.messages().next()).toEqual({ done: true, value: undefined });
  });

  test('in stale: ends at once', async () => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial();
    await at.clock.runUntil(connection.connected({ proven: true }));
    at.server.freeze();
    let state = '';
    connection.on('stale', () => {
      state = connection.state;
      void connection.dispose();
    });
    const reason = await at.clock.runUntil(connection.closed());
    expect([state, connection.state, reason.code]).toEqual(['stale', 'disposed', 'NINJA_DISPOSED']);
    expect(at.clock.pending).toBe(at.clock.timers().length);
  });

  test('orders after the end change nothing, and say nothing on the console', async () => {
    const { clock, dial } = stage();
    const console = vi.spyOn(globalThis.console, 'warn').mockImplementation(() => {});
    const connection = dial();
    await connection.dispose();
    const heard = journal(connection);
    await connection.dispose();
    await connection.close();
    connection.connect();
    connection.reconnectNow();
    connection.disconnect();
    await clock.advance(1000);
    expect([connection.state, heard, clock.pending]).toEqual(['disposed', [], 0]);
    const said = console.mock.calls.length;
    console.mockRestore();
    expect(said).toBe(0);
  });

  test('by a message listener, with half a frame behind the message, leaves no timer', async () => {
    const { clock, network, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    connection.on('message', () => void connection.dispose());
    server.last.hex('00 00 00 01 61 00 00 00 05 62');
    await clock.runUntil(connection.closed());
    expect(clock.pending).toBe(0);
    server.last.end();
    await clock.advance(5);
    expect(network.openTransports).toBe(0);
  });

  test('by a message listener: what else was in the chunk is not delivered', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    const received: string[] = [];
    connection.on('message', (message) => {
      received.push(`${message}`);
      void connection.dispose();
    });
    server.last.hex('00 00 00 01 61 00 00 00 01 62');
    await clock.advance(5);
    expect(received).toEqual(['a']);
  });
});
