import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../../machines/connection.setup.js';
import { type BenchOptions, ConnectionBench, TIMES } from './connection.bench.js';
import { WINDOW } from './hands.js';

const forEver = { times: { maxAttempts: Number.POSITIVE_INFINITY } };

describe('what dead sockets say is refused, visibly, and changes nothing', () => {
  /** Every state but the last, in an epoch that has older ones. */
  const states: Readonly<Record<string, (bench: ConnectionBench) => unknown>> = {
    'disconnected.idle': (bench) => bench.send({ type: 'disconnect' }),
    'disconnected.waiting': () => {},
    'disconnected.failed': (bench) => bench.fail().fail().fail(),
    'connecting.dialing': (bench) => bench.send({ type: 'connect' }),
    'connecting.greeting': (bench) => bench.send({ type: 'connect' }).opened(),
    'connected.unproven': (bench) => bench.send({ type: 'connect' }).opened(),
    'connected.live': (bench) => bench.goLive(),
    'connected.draining': (bench) => bench.goLive().send({ type: 'close', held: 1 }),
    stale: (bench) => bench.goLive().silence(),
  };
  const facts: readonly ((epoch: number) => ConnectionEvent)[] = [
    (epoch) => ({ type: 'socket.opened', epoch }),
    (epoch) => ({ type: 'socket.heard', epoch }),
    (epoch) => ({ type: 'socket.closed', epoch, code: 'NINJA_RESET', message: 'late' }),
    (epoch) => ({ type: 'socket.failed', epoch, code: 'NINJA_RESET', message: 'late' }),
    (epoch) => ({ type: 'greeting.passed', epoch }),
    (epoch) => ({ type: 'greeting.failed', epoch, reason: { code: 'NINJA_NOT_A_PEER', message: 'no' }, fatal: true }),
  ];
  const cells = Object.keys(states).flatMap((state) => facts.map((fact) => [state, fact(0).type, fact] as const));

  it('there are nine states and six facts', () => {
    expect(cells).toHaveLength(54);
  });

  it.each(cells)('%s, %s of an older epoch → refused', async (state, _, fact) => {
    const bench = new ConnectionBench({ greets: state === 'connecting.greeting' });
    await states[state]?.(bench.fail().fail());
    expect(bench.state).toBe(state);
    const before = bench.actor.getSnapshot();
    const timers = bench.clock.timers();
    bench.log.length = 0;
    for (let epoch = 1; epoch < before.context.epoch; epoch += 1) bench.send(fact(epoch));

    const after = bench.actor.getSnapshot();
    const refused = before.context.epoch - 1;
    expect(refused).toBeGreaterThanOrEqual(1);
    expect(after.value).toEqual(before.value);
    expect(after.context).toEqual({ ...before.context, refused });
    expect(Object.keys(after.children)).toEqual(Object.keys(before.children));
    expect(bench.log).toEqual([]);
    expect(bench.clock.timers()).toEqual(timers);
  });

  it('a fact of this epoch is not refused, nor counted', () => {
    const bench = new ConnectionBench();
    bench.goLive().closed();
    expect(bench.context.refused).toBe(0);
  });

  it('the count outlives attempts', () => {
    const bench = new ConnectionBench();
    bench.fail().send({ type: 'connect' }).closed(1).failed().send({ type: 'connect' }).closed(2);
    expect(bench.context).toMatchObject({ refused: 2, epoch: 3 });
  });
});

describe('failures in a row', () => {
  it('are counted by attempts that come to nothing, and drive the backoff', () => {
    const bench = new ConnectionBench();
    const counted = [1, 2, 3, 4, 5].map(() => bench.fail().context.failures);
    expect(counted).toEqual([1, 2, 3, 4, 5]);
    // The fifth was the last: nobody asks how long to wait.
    expect(bench.ports.asked).toEqual([1, 2, 3, 4].map((n) => `${n} NINJA_CONNECT_FAILED`));
    expect(bench.state).toBe('disconnected.failed');
  });

  it('never give up when maxAttempts is Infinity', () => {
    const bench = new ConnectionBench(forEver);
    for (let n = 0; n < 100; n += 1) bench.fail();
    expect(bench.state).toBe('disconnected.waiting');
    expect(bench.context).toMatchObject({ failures: 100, epoch: 100 });
  });

  it('are not forgotten when TCP opens, nor when the first byte comes', () => {
    const bench = new ConnectionBench();
    bench.fail().send({ type: 'connect' }).opened();
    expect(bench.context.failures).toBe(1);
    bench.heard();
    expect(bench.context.failures).toBe(1);
    bench.closed();
    expect(bench.context.failures).toBe(2);
  });

  it.each([
    [2999, 3],
    [3000, 1],
    [60_000, 1],
  ])('live for %i ms, stableAfter 3000 → failures %i when the line is lost', async (ms, failures) => {
    const bench = new ConnectionBench(forEver);
    bench.fail().fail().goLive();
    await bench.clock.advance(ms);
    expect(bench.context.failures).toBe(2);
    bench.closed();
    expect(bench.context.failures).toBe(failures);
    expect(bench.ports.asked.at(-1)).toBe(`${failures} NINJA_CLOSED_BY_PEER`);
  });

  it('are not forgotten by a line that was open for long, and live for too short', async () => {
    const bench = new ConnectionBench(forEver);
    bench.fail().fail().send({ type: 'connect' }).opened();
    await bench.clock.advance(60_000);
    bench.heard();
    await bench.clock.advance(100);
    expect(bench.closed().context.failures).toBe(3);
  });

  it('a good line counts once: the attempt after it begins from its own', async () => {
    const bench = new ConnectionBench(forEver);
    bench.fail().goLive();
    await bench.clock.advance(TIMES.stableAfter);
    bench.closed().send({ type: 'connect' });
    await bench.clock.advance(TIMES.stableAfter);
    expect(bench.failed().context.failures).toBe(2);
  });

  it.each([
    [2000, 3],
    [3000, 1],
  ])('live and heard for %i ms, then stale → failures %i: its silence was no good time', async (ms, failures) => {
    const bench = new ConnectionBench(forEver);
    bench.fail().fail().goLive();
    await bench.clock.advance(ms);
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW);
    expect(bench.state).toBe('stale');
    await bench.clock.advance(TIMES.discardTimeout);
    expect(bench.context).toMatchObject({ failures, reason: { code: 'NINJA_STALE' } });
  });

  it('a line to a peer that is silent when idle was a good line, however long ago its last byte came', async () => {
    const bench = new ConnectionBench(forEver);
    bench.ports.watched = false;
    bench.fail().fail().goLive();
    bench.ports.heard = false;
    await bench.clock.advance(60_000);
    expect(bench.state).toBe('connected.live');
    expect(bench.closed().context.failures).toBe(1);
  });

  it('a good line that is thrown away by reconnectNow() was a good line too', async () => {
    const bench = new ConnectionBench(forEver);
    bench.fail().fail().goLive();
    await bench.clock.advance(TIMES.stableAfter);
    bench.send({ type: 'reconnectNow' });
    expect(bench.failed().context.failures).toBe(1);
  });

  it('begin anew with connect() after disconnect(), and after it gave up', () => {
    const bench = new ConnectionBench();
    bench.fail().fail().send({ type: 'disconnect' }, { type: 'connect' });
    expect(bench.context.failures).toBe(0);
    bench.failed().fail().fail().fail().fail();
    expect(bench.state).toBe('disconnected.failed');
    expect(bench.fail().context.failures).toBe(1);
    expect(bench.state).toBe('disconnected.waiting');
  });

  it('are kept by connect() and reconnectNow() while it waits', () => {
    const bench = new ConnectionBench();
    bench.fail().fail().send({ type: 'reconnectNow' });
    expect(bench.context.failures).toBe(2);
    expect(bench.failed().context.failures).toBe(3);
  });
});

describe('no more attempts', () => {
  it('when backoff says false, which is asked with the reason', () => {
    const bench = new ConnectionBench({ wait: false });
    bench.goLive().closed();
    expect(bench.ports.asked).toEqual(['1 NINJA_CLOSED_BY_PEER']);
    expect(bench.state).toBe('disconnected.failed');
    expect(bench.context.retryInMs).toBeUndefined();
  });

  it('but 0 ms is not false: it tries at once', async () => {
    const bench = new ConnectionBench({ wait: 0 });
    bench.fail();
    expect(bench.state).toBe('disconnected.waiting');
    await bench.clock.advance(0);
    expect(bench.state).toBe('connecting.dialing');
  });

  it('after a fatal failure, whatever backoff would say; it is not asked', () => {
    const bench = new ConnectionBench({ greets: true });
    bench.send({ type: 'connect' }).opened().greetingFailed(true);
    expect(bench.state).toBe('disconnected.failed');
    expect(bench.ports.asked).toEqual([]);
  });

  it('after a fatal failure of the socket as well; the next one, not fatal, is asked about', () => {
    const bench = new ConnectionBench();
    bench.send({ type: 'connect' }).failedForGood();
    expect([bench.state, bench.ports.asked]).toEqual(['disconnected.failed', []]);
    bench.fail();
    expect([bench.state, bench.ports.asked.length]).toEqual(['disconnected.waiting', 1]);
  });

  it('and connect() begins anew: the next failure is not fatal', () => {
    const bench = new ConnectionBench({ greets: true });
    bench.send({ type: 'connect' }).opened().greetingFailed(true).fail();
    expect(bench.state).toBe('disconnected.waiting');
    expect(bench.context.fatal).toBe(false);
  });
});

describe('the epoch', () => {
  it('counts every attempt of a life and is never reset', async () => {
    const bench = new ConnectionBench({ times: { maxAttempts: 2 } });
    bench.goLive().send({ type: 'reconnectNow' }).opened().heard().send({ type: 'disconnect' }, { type: 'connect' });
    expect(bench.context.epoch).toBe(3);
    bench.failed().fail();
    expect(bench.state).toBe('disconnected.failed');
    bench.send({ type: 'connect' }).opened().heard();
    await (await bench.silence()).clock.advance(TIMES.discardTimeout + 50);
    expect(bench.context.epoch).toBe(6);
    const epochs = bench.announced.flatMap((one) => (one.type === 'connecting' ? [one.epoch] : []));
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('drainTimeout counts from close()', () => {
  const drainTimeout = 700;

  it('close() while dialing at 0, opened at 500 → 200 ms are left for draining', async () => {
    const bench = new ConnectionBench();
    bench.send({ type: 'connect' }, { type: 'close', held: 1 });
    await bench.clock.advance(500);
    bench.opened();
    expect(bench.state).toBe('connected.draining');
    await bench.clock.advance(199);
    expect(bench.state).toBe('connected.draining');
    await bench.clock.advance(1);
    expect(bench.state).toBe('disposed');
    expect(bench.context.reason?.code).toBe('NINJA_DRAIN_TIMEOUT');
  });

  it('opened later than that → nothing is left, and it is disposed at once', async () => {
    const bench = new ConnectionBench();
    bench.send({ type: 'connect' }, { type: 'close', held: 1 });
    await bench.clock.advance(drainTimeout + 1);
    bench.opened();
    await bench.clock.advance(0);
    expect(bench.state).toBe('disposed');
  });

  it('a second close() and reconnectNow() do not lengthen it', async () => {
    const bench = new ConnectionBench();
    bench.goLive().send({ type: 'close', held: 1 });
    await bench.clock.advance(600);
    bench.send({ type: 'close', held: 1 }, { type: 'reconnectNow' });
    await bench.clock.advance(99);
    expect(bench.state).toBe('connected.draining');
    await bench.clock.advance(1);
    expect(bench.state).toBe('disposed');
  });
});

describe('a session that is owed, while it is being closed', () => {
  const owing = (options: BenchOptions = {}) => new ConnectionBench({ owes: true, ...options });
  const close = (bench: ConnectionBench) => bench.send({ type: 'close', held: 3, owed: 3 });

  it('goes over one line after another, until drainTimeout is over, counted from close()', async () => {
    const bench = owing({ times: { maxAttempts: Number.POSITIVE_INFINITY }, wait: 200 });
    close(bench.goLive()).closed();
    for (let turn = 0; turn < 3; turn += 1) {
      await bench.clock.advance(200);
      bench.opened();
      expect(bench.state).toBe('connected.draining');
      bench.closed();
    }
    await bench.clock.advance(100);
    // The last attempt begins when the time is over; it comes first, and then nothing is left for draining.
    bench.opened();
    await bench.clock.advance(0);
    const attempts = bench.announced.flatMap((one) => (one.type === 'connecting' ? one.epoch : []));
    expect([attempts, bench.clock.now()]).toEqual([[1, 2, 3, 4, 5], 700]);
    expect(bench.announced.at(-1)).toMatchObject({ type: 'disposed', reason: { code: 'NINJA_DRAIN_TIMEOUT' } });
  });

  it.each([
    [50, 0, 50],
    [50, 649, 50],
    [50, 650, 50],
    [50, 651, 49],
    [60_000, 0, 700],
    [60_000, 699, 1],
  ])('waits %i ms where drainTimeout is 700 and %i ms of it are gone → %i', async (wait, gone, retryInMs) => {
    const bench = close(owing({ wait, times: { connectTimeout: 90_000 } }).send({ type: 'connect' }));
    await bench.clock.advance(gone);
    bench.failed();
    expect(bench.state).toBe('disconnected.waiting');
    expect(bench.announced.at(-1)).toMatchObject({ type: 'disconnected', retryInMs });
    expect(bench.clock.timers()).toEqual([gone + retryInMs]);
  });

  it.each([700, 701])('does not wait when nothing is left, after %i ms; nobody is asked how long', async (gone) => {
    const bench = close(owing({ times: { connectTimeout: 90_000 } }).send({ type: 'connect' }));
    await bench.clock.advance(gone);
    bench.failed();
    expect([bench.state, bench.ports.asked]).toEqual(['disposed', []]);
  });

  it('is asked about while it is being closed, and not before', () => {
    const bench = owing();
    let asked = 0;
    bench.ports.owesSession = () => {
      asked += 1;
      return true;
    };
    bench.fail();
    expect(asked).toBe(0);
    close(bench).failed();
    expect([asked, bench.state]).toEqual([1, 'disconnected.waiting']);
  });

  it('hands that know of no session owe none', () => {
    const bench = owing();
    Object.assign(bench.ports, { owesSession: undefined });
    close(bench.goLive()).closed();
    expect(bench.state).toBe('disposed');
  });

  it('close() again while it waits: the wait is neither begun anew nor cut short', async () => {
    const bench = close(owing().goLive()).closed();
    await bench.clock.advance(20);
    close(bench);
    expect([bench.state, bench.clock.timers()]).toEqual(['disconnected.waiting', [50]]);
    expect(bench.context.closingAt).toBe(bench.closedAt);
  });
});
