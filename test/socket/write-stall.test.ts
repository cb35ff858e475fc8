import { describe, expect, test } from 'vitest';
import { WriteStall } from '../../src/socket/write-stall.js';
import { socketBench } from './bench.js';

const NEVER = Number.POSITIVE_INFINITY;

describe.each([1, 0, -5000, 1e9])('the write stall, from %d', (origin) => {
  const due = (stall: WriteStall) => stall.dueAt - origin;

  test('runs from the first bytes handed over; more of them do not move it', () => {
    const stall = new WriteStall(1000);
    expect(stall.dueAt).toBe(NEVER);
    expect(stall.wrote(origin)).toBe(true);
    expect(stall.wrote(origin + 900)).toBe(false);
    expect(due(stall)).toBe(1000);
  });

  test('any progress moves it, and nothing pending ends it', () => {
    const stall = new WriteStall(1000);
    stall.wrote(origin);
    stall.progressed(origin + 700);
    expect(due(stall)).toBe(1700);
    stall.settled();
    expect(stall.dueAt).toBe(NEVER);
    expect(stall.wrote(origin + 5000)).toBe(true);
    expect(due(stall)).toBe(6000);
  });

  const absences: [timeout: number, late: number, now: number, due: number][] = [
    [30_000, 1500, 20_000, 31_500],
    [30_000, 0, 20_000, 30_000],
    // At least a second is left, or the whole time where that is less.
    [30_000, 500, 30_400, 31_400],
    [30_000, 60_000, 90_000, 91_000],
    [300, 400, 700, 1000],
    // Progress came behind the absence: its time does not begin in the future.
    [30_000, 60_000, 100, 30_100],
  ];
  test.each(absences)(
    'of %d ms leaves out an absence of %d ms that ended at %d: due at %d',
    (timeout, late, now, at) => {
      const stall = new WriteStall(timeout);
      stall.excuse(late, origin);
      expect(stall.dueAt).toBe(NEVER);
      stall.wrote(origin);
      stall.excuse(late, origin + now);
      expect(due(stall)).toBe(at);
    },
  );

  test('0 waits for ever', () => {
    const stall = new WriteStall(0);
    expect(stall.wrote(origin)).toBe(false);
    stall.progressed(origin);
    expect(stall.dueAt).toBe(NEVER);
  });
});

describe('writeStallTimeout', () => {
  /** A peer that speaks every second and reads nothing. */
  const begin = async (options = {}) => {
    const bench = socketBench({ writeStallTimeout: 5000, ...options });
    bench.transport.eager = false;
    bench.socket.opened();
    bench.socket.send(Buffer.from('a'), 1);
    await bench.clock.settle();
    const pass = async (seconds: number) => {
      for (let n = 0; n < seconds; n += 1) {
        bench.hear('00 00 00 00');
        await bench.clock.advance(1000);
      }
    };
    return { ...bench, pass };
  };
  const failed = '7 socket.failed NINJA_WRITE_STALL';

  test.each([1000, 0])('a peer that speaks and does not read is found, with heartbeatInterval %d', async (interval) => {
    const { clock, pass, facts, told, transport } = await begin({ heartbeatInterval: interval });
    await pass(4);
    await clock.advance(999);
    expect(facts).toEqual(['7 socket.opened', '7 socket.heard']);
    await clock.advance(1);
    expect(facts.at(-1)).toBe(failed);
    expect([told.at(-1), transport.log.at(-1), clock.pending]).toEqual(['lost with NINJA_WRITE_STALL', 'destroy', 0]);
  });

  test('a slow reader lives: 64 KiB every 4 s of a message of 1 MiB', async () => {
    const { socket, pass, facts, transport } = await begin();
    transport.take();
    socket.send(Buffer.alloc(2 ** 20), 2);
    for (let pieces = 0; pieces < 16; pieces += 1) {
      await pass(4);
      transport.take(1);
    }
    await pass(4);
    expect(facts).not.toContain(failed);
    await pass(1);
    expect(facts.at(-1)).toBe(failed);
  });

  test('while our FIN waits behind what is pending it runs on', async () => {
    const { socket, pass, facts } = await begin();
    socket.end();
    await pass(5);
    expect(facts.at(-1)).toBe(failed);
  });

  test('is moved by what we were away, when the timer is more than 250 ms late', async () => {
    const { clock, facts, transport, pass } = await begin({ heartbeatInterval: 0, staleAfter: 0 });
    await pass(4);
    clock.block(10_000);
    await clock.advance(100);
    transport.take();
    await clock.advance(60_000);
    expect(facts).not.toContain(failed);
  });

  test.each(['writeStallTimeout', 'frameTimeout'])('%s finds out though we are away now and then', async (option) => {
    const { clock, socket, transport, hear, facts } = socketBench({ staleAfter: 0 });
    transport.eager = false;
    socket.opened();
    await clock.settle();
    transport.take();
    if (option === 'writeStallTimeout') socket.send(Buffer.from('a'), 1);
    else hear('00 00 00 05 61');
    for (let n = 0; n < 2; n += 1) {
      await clock.advance(13_000);
      if (option === 'frameTimeout') transport.take();
      clock.block(1500);
    }
    expect(facts.length).toBe(option === 'frameTimeout' ? 2 : 1);
    await clock.advance(6000);
    expect(facts.at(-1)).toMatch(option === 'frameTimeout' ? /FRAME_TIMEOUT$/ : /WRITE_STALL$/);
  });

  test('0 waits for ever', async () => {
    const { pass, facts, clock } = await begin({ writeStallTimeout: 0, heartbeatInterval: 0 });
    await pass(1000);
    expect([facts.length, clock.pending]).toEqual([2, 0]);
  });
});
