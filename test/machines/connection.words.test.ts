import { describe, expect, it } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import type { SocketInput, SocketOrder } from '../../machines/line.setup.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { ConnectionBench, TIMES } from './connection.bench.js';
import { events, reach } from './connection.grammar.js';
import { FakeConnection, WINDOW } from './hands.js';
import { known } from './sentence.js';
import { stateName } from './state-name.js';

describe('the words of a reason', () => {
  // biome-ignore format: a table
  const rows: readonly [from: string, event: string, message: string][] = [
    ['disconnected.waiting', 'disconnect', 'the program called disconnect()'],
    ['connected.live', 'disconnect', 'the program called disconnect()'],
    ['connected.live', 'reconnectNow', 'the program called reconnectNow()'],
    ['disconnected.idle', 'close with nothing held', 'the program called close()'],
    ['connected.live', 'dispose', 'the program called dispose()'],
    ['connecting.dialing', 'after connectTimeout', `not connected within ${TIMES.connectTimeout} ms`],
    ['connected.draining', 'after drainTimeout', `not drained within ${TIMES.drainTimeout} ms`],
    ['connected.live', 'after silence unheard', `no byte for ${WINDOW} ms`],
    ['connected.live', 'socket.closed of this epoch', 'FIN'],
    ['connected.live', 'socket.failed of this epoch', 'refused'],
    ['connecting.greeting', 'greeting.failed of this epoch', 'no'],
  ];
  it.each(rows)('%s, %s → %s', async (from, event, message) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.context.reason).toMatchObject({ message, at: bench.clock.wallNow(), epoch: bench.epochBefore });
  });

  it('no byte for a fraction of a millisecond more is told as whole milliseconds', async () => {
    const bench = new ConnectionBench().goLive();
    await bench.clock.advance(0.4);
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW);
    expect(bench.context.reason?.message).toBe(`no byte for ${WINDOW} ms`);
  });
});

describe('what is announced, to the millisecond', () => {
  it('live: after how long the first byte came, since TCP opened', async () => {
    const bench = new ConnectionBench();
    await bench.clock.advance(30);
    bench.send({ type: 'connect' });
    await bench.clock.advance(200);
    bench.opened();
    await bench.clock.advance(150);
    bench.heard();
    expect(bench.announced.at(-1)).toEqual({ type: 'live', epoch: 1, afterMs: 150 });
  });

  it('stale: how long it was silent, and when the last byte came', async () => {
    const bench = new ConnectionBench().goLive();
    await bench.clock.advance(300);
    const lastHeardAt = bench.clock.wallNow();
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW - 300);
    const verdict = { silentForMs: WINDOW - 300, lastHeardAt };
    expect(bench.announced.at(-1)).toEqual({ type: 'stale', epoch: 1, ...verdict });
    expect(bench.context).toMatchObject(verdict);
  });
});

describe('the actor of a socket', () => {
  it('is told to discard, once, when the line is stale', async () => {
    const orders: SocketOrder[] = [];
    const socket = fromCallback<SocketOrder, SocketInput>(({ receive }) => receive((order) => orders.push(order)));
    const clock = createVirtualClock();
    const ports = new FakeConnection(clock);
    const input = { ports, times: TIMES, greets: false };
    const actor = createActor(connectionMachine.provide({ actors: { socket } }), { clock, input }).start();
    actor.send({ type: 'connect' });
    actor.send({ type: 'socket.opened', epoch: 1 });
    actor.send({ type: 'socket.heard', epoch: 1 });
    ports.heard = false;
    await clock.advance(WINDOW);
    expect(stateName(actor.getSnapshot().value)).toBe('stale');
    expect(orders).toEqual([{ type: 'discard' }]);
  });

  it('is inert until connect() puts a real one in: a chart alone can be walked', () => {
    const clock = createVirtualClock();
    const ports = new FakeConnection(clock);
    const actor = createActor(connectionMachine, { clock, input: { ports, times: TIMES, greets: false } }).start();
    actor.send({ type: 'connect' });
    expect(Object.keys(actor.getSnapshot().children)).toEqual(['socket-1']);
    actor.send({ type: 'socket.opened', epoch: 1 });
    expect(stateName(actor.getSnapshot().value)).toBe('connected.unproven');
    actor.send({ type: 'dispose' });
    expect(ports.log.filter((line) => line.startsWith('socket'))).toEqual([]);
  });
});
