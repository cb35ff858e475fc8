import { describe, expect, it } from 'vitest';
import { ConnectionBench } from './connection.bench.js';
import { events, reach } from './connection.grammar.js';
import { connectionRows } from './connection.rows.js';
import { WINDOW } from './hands.js';
import { known, type Sentence } from './sentence.js';

/** Ways out of `connecting`, `connected` and `stale`, and from one socket to the next. */
const exits = connectionRows.filter(
  ({ fromState, event, to }) =>
    !/^dis/.test(fromState) && (/^dis/.test(to) || (event === 'reconnectNow' && to !== fromState)),
);

async function run(row: Sentence): Promise<ConnectionBench> {
  const bench = await reach(row.from);
  await known(events, row.event)(bench);
  return bench;
}

describe('the gate is shut and the socket stopped before anything is announced', () => {
  it('there are so many ways out', () => {
    expect(exits).toHaveLength(87);
  });

  it.each(exits.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const { log, epochBefore } = await run(row);
    const shut = log.indexOf('shutGate');
    const stopped = log.indexOf(`socket ${epochBefore} stopped`);
    const told = log.findIndex((line) => line.startsWith('announce') || line.endsWith('spawned'));
    expect(shut).toBeGreaterThanOrEqual(0);
    expect(stopped).toBeGreaterThan(shut);
    expect(told).toBeGreaterThan(stopped);
    expect(log).not.toContain('openGate');
  });

  const sequences: readonly [string, string, readonly string[]][] = [
    [
      'connected.live',
      'socket.failed of this epoch',
      ['shutGate', 'entered disconnected.waiting by socket.failed', 'socket 1 stopped', 'announce disconnected'],
    ],
    [
      'connecting.dialing of the last attempt',
      'socket.failed of this epoch',
      [
        'shutGate',
        'entered disconnected.failed by socket.failed',
        'settleHeld NINJA_GAVE_UP',
        'socket 5 stopped',
        'announce disconnected',
        'announce failed',
      ],
    ],
    [
      'connected.live',
      'reconnectNow',
      [
        'shutGate',
        'entered connecting.dialing by reconnectNow',
        'socket 1 stopped',
        'announce disconnected',
        'announce connecting',
        'socket 2 spawned',
      ],
    ],
    [
      'connected.live',
      'after silence unheard',
      ['entered stale by after silence', 'shutGate', 'socket 1 discarded', 'announce stale'],
    ],
    [
      'stale',
      'after discardTimeout',
      ['shutGate', 'entered disconnected.waiting by after discardTimeout', 'socket 1 stopped', 'announce disconnected'],
    ],
    [
      'connected.draining',
      'socket.closed of this epoch',
      [
        'shutGate',
        'entered disposed by socket.closed',
        'shutGate',
        'settleHeld NINJA_DISPOSED',
        'socket 1 stopped',
        'announce disposed',
      ],
    ],
    [
      'connected.draining owing',
      'socket.closed of this epoch',
      ['shutGate', 'entered disconnected.waiting by socket.closed', 'socket 1 stopped', 'announce disconnected'],
    ],
    [
      'disconnected.waiting',
      'close with 3 owed',
      ['entered connecting.dialing by close', 'announce connecting', 'socket 2 spawned'],
    ],
  ];
  it.each(sequences)('%s, %s: every effect in its order', async (from, event, effects) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.log).toEqual(effects);
  });
});

describe('one socket for each attempt', () => {
  it.each(connectionRows.map((row) => [row.text, row] as const))('at most one alive: %s', async (_, row) => {
    const { ports, children, context } = await run(row);
    const wanted = /^dis/.test(row.to) ? [] : [context.epoch];
    expect(ports.mostAlive).toBeLessThanOrEqual(1);
    expect([...ports.alive]).toEqual(wanted);
    expect(children).toEqual(wanted.map((epoch) => `socket-${epoch}`));
  });

  it('is spawned, lives from dialing to draining, and is stopped', async () => {
    const bench = new ConnectionBench({ greets: true });
    const spawned = () => bench.log.filter((line) => /^socket/.test(line));
    bench.send({ type: 'connect' }).opened().heard();
    bench.send({ type: 'greeting.passed', epoch: 1 }).send({ type: 'close', held: 0 });
    expect(bench.state).toBe('connected.draining');
    expect(spawned()).toEqual(['socket 1 spawned']);
    bench.closed();
    expect(spawned()).toEqual(['socket 1 spawned', 'socket 1 stopped']);
  });

  it('ten attempts have ten sockets, each stopped before the next is spawned', async () => {
    const bench = new ConnectionBench({ times: { maxAttempts: Number.POSITIVE_INFINITY } });
    for (let n = 1; n <= 10; n += 1) bench.fail();
    const expected = Array.from({ length: 10 }, (_, n) => [`socket ${n + 1} spawned`, `socket ${n + 1} stopped`]);
    expect(bench.log.filter((line) => /^socket/.test(line))).toEqual(expected.flat());
    expect(bench.ports.mostAlive).toBe(1);
  });

  it('what a stopped socket says through its own actor does not even arrive', async () => {
    const bench = new ConnectionBench();
    bench.fail().send({ type: 'connect' });
    bench.ports.reports.get(1)?.({ type: 'socket.opened', epoch: 1 });
    bench.ports.reports.get(1)?.({ type: 'socket.failed', epoch: 1, code: 'NINJA_RESET', message: 'late' });
    expect(bench.state).toBe('connecting.dialing');
    expect(bench.context.refused).toBe(0);
    bench.ports.reports.get(2)?.({ type: 'socket.opened', epoch: 2 });
    expect(bench.state).toBe('connected.unproven');
  });
});

describe('the watch re-enters, and nothing else does', () => {
  it('ten windows begin ten times, and entry actions of connected and line run once', async () => {
    const bench = await reach('connected.live');
    const armed = bench.ports.armed;
    await bench.clock.advance(10 * WINDOW);
    expect(bench.log).toEqual(Array.from({ length: 10 }, () => 'armSilence'));
    expect(bench.ports.armed).toBe(armed + 10);
    expect(bench.announced).toEqual([]);
    expect(bench.state).toBe('connected.live');
  });

  it('what happens on the line does not move the window', async () => {
    const bench = new ConnectionBench({ times: { drainTimeout: 60_000 } });
    bench.send({ type: 'connect' }).opened();
    await bench.clock.advance(400);
    bench.heard();
    await bench.clock.advance(400);
    bench.send({ type: 'close', held: 1 });
    expect(bench.ports.armed).toBe(1);
    bench.ports.heard = false;
    await bench.clock.advance(199);
    expect(bench.state).toBe('connected.draining');
    await bench.clock.advance(1);
    expect(bench.state).toBe('stale');
  });

  it('each connection begins a window of its own, whatever is left of the last one', async () => {
    const bench = new ConnectionBench();
    bench.goLive();
    await bench.clock.advance(900);
    bench.send({ type: 'reconnectNow' }).opened();
    bench.ports.heard = false;
    await bench.clock.advance(999);
    expect(bench.state).toBe('connected.unproven');
    await bench.clock.advance(1);
    expect(bench.state).toBe('stale');
  });

  it('no timer is left when it is over', async () => {
    for (const from of [
      'connecting.dialing',
      'connected.live',
      'connected.draining',
      'stale',
      'disconnected.waiting',
    ]) {
      const bench = await reach(from);
      expect(bench.clock.pending).toBeGreaterThan(0);
      bench.send({ type: 'dispose' });
      expect(bench.clock.pending).toBe(0);
    }
  });
});
