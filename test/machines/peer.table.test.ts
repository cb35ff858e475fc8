import { describe, expect, it } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import type { SocketInput, SocketOrder } from '../../machines/line.setup.js';
import { peerMachine } from '../../machines/peer.machine.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { FakeLine, WINDOW } from './hands.js';
import { PeerBench, TIMES } from './peer.bench.js';
import { CLOSE, checkClaims, events, hasSocket, reach, situations } from './peer.grammar.js';
import { peerRows } from './peer.rows.js';
import { nameOf, transitionsOf } from './plan.js';
import { causeIn, known } from './sentence.js';

describe('the transition table of a peer', () => {
  const taken = new Set<string>();

  it.each(peerRows.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const bench = await reach(row.from);
    await known(events, row.event)(bench);
    expect(bench.state).toBe(row.to);
    checkClaims(row, bench);
    const { log, ports, actor, context, epochBefore } = bench;
    const socket = hasSocket(row.to) ? [context.epoch] : [];
    expect([...ports.alive]).toEqual(socket);
    expect(ports.mostAlive).toBe(1);
    expect(Object.keys(actor.getSnapshot().children)).toEqual(socket.map((epoch) => `socket-${epoch}`));
    expect(actor.getSnapshot().status).toBe(row.to === 'disposed' ? 'done' : 'active');
    // The history tells of the state and of the cause; of the socket's, where there is another one.
    const entries = log.filter((line) => line.startsWith('entered'));
    const moved = row.to !== row.fromState || context.epoch !== epochBefore;
    if (moved) expect(entries.at(-1)).toBe(`entered ${row.to} by ${causeIn(row.event)}`);
    else expect(entries).toEqual([]);
    // The gate is shut and the socket stopped before anything is announced; and that is in the history by then.
    if (hasSocket(row.fromState) && !socket.includes(epochBefore)) {
      const shut = log.lastIndexOf('shutGate');
      const stopped = log.indexOf(`socket ${epochBefore} stopped`);
      if (row.fromState !== 'stale') expect(shut).toBeGreaterThanOrEqual(0);
      expect(stopped).toBeGreaterThan(shut);
      const told = log.findIndex((line) => line.startsWith('announce') || line.endsWith('spawned'));
      expect(told).toBeGreaterThan(stopped);
    }
    const announcement = log.findIndex((line) => line.startsWith('announce'));
    if (announcement >= 0) expect(log.slice(0, announcement)).toContain(entries[0]);
    for (const one of bench.taken) taken.add(nameOf(one));
  });

  it('uses every event and every situation, and takes every transition of the plan', () => {
    expect(new Set(peerRows.map((row) => row.event))).toEqual(new Set(Object.keys(events)));
    expect(new Set(peerRows.map((row) => row.from))).toEqual(new Set(Object.keys(situations)));
    expect(new Set(peerRows.map((row) => `${row.from}, ${row.event}`)).size).toBe(peerRows.length);
    expect([...taken].sort()).toEqual(transitionsOf(peerMachine).map(nameOf).sort());
    expect(taken.size).toBe(30);
  });
});

describe('a peer', () => {
  it('begins with its socket, an open gate and a silence window', () => {
    const { log } = new PeerBench();
    expect(log).toEqual(['socket 1 spawned', 'openGate', 'entered connected.unproven by start', 'armSilence']);
  });

  it('has a first window as long as any other', async () => {
    const bench = new PeerBench();
    expect(bench.clock.timers()).toEqual([WINDOW]);
    await bench.clock.advance(WINDOW - 1);
    expect(bench.ports.armed).toBe(1);
  });

  it('re-enters the watch, and nothing else', async () => {
    const bench = await reach('connected.live');
    const { armed } = bench.ports;
    await bench.clock.advance(10 * WINDOW);
    expect(bench.ports.armed).toBe(armed + 10);
    expect(new Set(bench.log)).toEqual(new Set(['armSilence']));
  });

  it('leaves no timer behind', async () => {
    for (const from of Object.keys(situations)) {
      const bench = (await reach(from)).send({ type: 'dispose' });
      expect(bench.clock.pending).toBe(0);
    }
  });
});

describe('a peer with a session', () => {
  const sequences: readonly [from: string, event: string, effects: readonly string[]][] = [
    [
      'connected.live with a session',
      'socket.failed',
      ['shutGate', 'entered detached.waiting by socket.failed', 'socket 1 stopped', 'announce detached'],
    ],
    [
      'detached.waiting',
      'session.attached',
      ['openGate', 'entered connected.unproven by session.attached', 'armSilence', 'socket 2 spawned'],
    ],
    // The client has given up the old socket before we did.
    [
      'connected.live with a session',
      'session.attached',
      [
        'shutGate',
        'openGate',
        'entered connected.unproven by session.attached',
        'armSilence',
        'socket 1 stopped',
        'socket 2 spawned',
      ],
    ],
    [
      'detached.draining',
      'session.attached',
      [
        'openGate',
        'entered connected.unproven by session.attached',
        'armSilence',
        'entered connected.draining by session.attached',
        'drain',
        'socket 2 spawned',
      ],
    ],
    ['detached.waiting', 'close', ['entered detached.draining by close']],
    [
      'detached.waiting',
      'session.ended lost',
      ['entered disposed by session.ended', 'shutGate', 'settleHeld NINJA_DISPOSED', 'announce disposed'],
    ],
  ];
  it.each(sequences)('%s, %s: every effect in its order', async (from, event, effects) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.log).toEqual(effects);
  });

  it('has no timer of its own while it waits: the resume window is not the chart’s', async () => {
    const bench = await reach('detached.waiting');
    expect(bench.clock.pending).toBe(0);
    await bench.clock.advance(3_600_000);
    expect([bench.state, bench.log]).toEqual(['detached.waiting', []]);
  });

  it('is drained over one socket after another, for drainTimeout in all, counted from close()', async () => {
    const bench = await reach('connected.live with a session');
    bench.send(CLOSE);
    await bench.clock.advance(300);
    bench.say('failed');
    await bench.clock.advance(300);
    bench.attach();
    await bench.clock.advance(99);
    expect([bench.state, bench.log.filter((line) => line === 'drain').length]).toEqual(['connected.draining', 2]);
    await bench.clock.advance(1);
    expect([bench.state, bench.context.reason?.code]).toEqual(['disposed', 'NINJA_DRAIN_TIMEOUT']);
  });

  it('has as many sockets as it is told of, one at a time, each with a window of its own', async () => {
    const bench = await reach('connected.live with a session');
    for (let epoch = 2; epoch <= 5; epoch += 1) {
      await bench.clock.advance(900);
      bench.attach();
      await bench.clock.advance(WINDOW - 1);
      expect(bench.state).toBe('connected.unproven');
      bench.say('heard');
    }
    expect([bench.context.epoch, bench.ports.mostAlive, bench.context.refused]).toEqual([5, 1, 0]);
    const sockets = bench.log.filter((line) => /^socket/.test(line));
    expect(sockets).toEqual([2, 3, 4, 5].flatMap((n) => [`socket ${n - 1} stopped`, `socket ${n} spawned`]));
  });
});

describe('what a peer tells', () => {
  const rows: readonly [from: string, event: string, message: string][] = [
    ['connected.live', 'dispose', 'the program called dispose()'],
    ['connected.draining', 'after drainTimeout', `not drained within ${TIMES.drainTimeout} ms`],
    ['detached.draining', 'after drainTimeout', `not drained within ${TIMES.drainTimeout} ms`],
    ['connected.live', 'after silence unheard', `no byte for ${WINDOW} ms`],
    ['connected.live', 'socket.failed', 'gone'],
    ['detached.waiting', 'session.ended lost', 'nobody came back'],
    ['detached.draining', 'session.ended closed', 'closed; all of the session was handled'],
  ];
  it.each(rows)('%s, %s → the reason %s', async (from, event, message) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.context.reason).toMatchObject({ message, at: bench.clock.wallNow(), epoch: 1 });
  });

  it('stale: how long it was silent, and when the last byte came', async () => {
    const bench = await reach('connected.live');
    await bench.clock.advance(300);
    const lastHeardAt = bench.clock.wallNow();
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW - 300);
    expect(bench.announced).toEqual([{ type: 'stale', silentForMs: WINDOW - 300, lastHeardAt }]);
  });
});

describe("the socket's actor of a peer", () => {
  const startWith = (chart: typeof peerMachine) => {
    const clock = createVirtualClock();
    const ports = new FakeLine(clock);
    return { clock, ports, actor: createActor(chart, { clock, input: { ports, times: TIMES } }).start() };
  };

  it('is told to discard, once, when the line is stale', async () => {
    const orders: SocketOrder[] = [];
    const socket = fromCallback<SocketOrder, SocketInput>(({ receive }) => receive((order) => orders.push(order)));
    const { clock, ports } = startWith(peerMachine.provide({ actors: { socket } }));
    ports.heard = false;
    await clock.advance(WINDOW);
    expect(orders).toEqual([{ type: 'discard' }]);
  });

  it('is inert until listen() puts a real one in: a chart alone can be walked', () => {
    const { ports, actor } = startWith(peerMachine);
    expect(Object.keys(actor.getSnapshot().children)).toEqual(['socket-1']);
    actor.send({ type: 'dispose' });
    expect(ports.log.filter((line) => line.startsWith('socket'))).toEqual([]);
  });
});
