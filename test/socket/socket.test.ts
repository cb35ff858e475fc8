import { describe, expect, test } from 'vitest';
import { NinjaTcpError } from '../../src/errors.js';
import { socketBench } from './bench.js';

const KiB = 1024;

describe('an unproven line', () => {
  test('takes 64 KiB, and everything after the first byte', () => {
    const { socket, hear } = socketBench();
    socket.opened();
    const message = Buffer.alloc(16 * KiB);
    let place = 0;
    for (; place < 100 && socket.canTake(message.length); place += 1) socket.send(message, place + 1);
    expect(place).toBe(4);
    expect(socket.canTake(1)).toBe(false);
    hear('00');
    expect(socket.canTake(16 * KiB)).toBe(true);
  });

  test('takes the first message, larger as it may be, and no second one', () => {
    const { socket } = socketBench();
    socket.opened();
    expect(socket.canTake(500 * KiB)).toBe(true);
    socket.send(Buffer.alloc(500 * KiB), 1);
    expect(socket.canTake(1)).toBe(false);
  });

  test('is not held back with staleAfter 0', () => {
    const { socket } = socketBench({ staleAfter: 0 });
    socket.opened();
    socket.send(Buffer.alloc(500 * KiB), 1);
    expect(socket.canTake(500 * KiB)).toBe(true);
  });

  test('has room again when it is proven: the owner is told', () => {
    const { socket, hear, told } = socketBench();
    socket.opened();
    hear('00');
    hear('00');
    expect(told.filter((line) => line === 'writable')).toHaveLength(1);
  });
});

describe('highWaterMark', () => {
  test('from there on nothing is taken; the owner is told when the kernel took some', async () => {
    const { clock, socket, hear, transport, told } = socketBench({ highWaterMark: 1000, heartbeatInterval: 0 });
    transport.eager = false;
    socket.opened();
    hear('00');
    socket.send(Buffer.alloc(995), 1);
    expect(socket.canTake(1)).toBe(true);
    socket.send(Buffer.alloc(1), 2);
    expect(socket.canTake(1)).toBe(false);
    await clock.settle();
    told.length = 0;
    transport.take();
    expect([told, socket.canTake(1)]).toEqual([['flushed 2', 'writable'], true]);
  });
});

describe('end()', () => {
  test('flushes, ends, and waits for the other FIN for finTimeout from when the kernel took ours', async () => {
    const { clock, socket, transport, facts } = socketBench({ finTimeout: 300, heartbeatInterval: 0 });
    socket.opened();
    socket.send(Buffer.from('x'), 1);
    socket.end();
    socket.end();
    expect(transport.log).toEqual(['write 5', 'end']);
    await clock.advance(1000);
    transport.finished?.();
    await clock.advance(299);
    expect(facts).toEqual(['7 socket.opened']);
    await clock.advance(1);
    expect([facts.at(-1), transport.log.at(-1)]).toEqual(['7 socket.closed NINJA_DISPOSED', 'destroy']);
    expect([socket.canTake(1), clock.pending]).toEqual([false, 0]);
  });

  test.each([
    ['the kernel took it all: both sides sent their FIN', true, 'NINJA_DISPOSED'],
    ['the kernel did not: the line broke', false, 'NINJA_RESET'],
  ])('gone when %s', (_, finished, code) => {
    const { socket, transport, facts } = socketBench();
    socket.opened();
    socket.end();
    if (finished) transport.finished?.();
    socket.ended();
    socket.closed();
    expect(facts.at(-1)).toBe(`7 socket.closed ${code}`);
  });

  test('whoever still speaks may still read: finTimeout counts from the last byte', async () => {
    const { clock, socket, transport, hear, facts } = socketBench({ finTimeout: 300, heartbeatInterval: 0 });
    socket.opened();
    socket.end();
    transport.finished?.();
    for (let n = 0; n < 10; n += 1) {
      await clock.advance(200);
      hear('00 00 00 00');
    }
    await clock.advance(299);
    expect(facts.at(-1)).toBe('7 socket.heard');
    await clock.advance(1);
    expect(facts.at(-1)).toBe('7 socket.closed NINJA_DISPOSED');
  });

  test('a FIN that came before ours was sent: gone in order too', () => {
    const { socket, transport, hooks, facts } = socketBench();
    hooks.endsLine = false;
    socket.opened();
    socket.ended();
    socket.end();
    transport.finished?.();
    socket.closed();
    expect(facts.at(-1)).toBe('7 socket.closed NINJA_DISPOSED');
  });

  test('messages that come meanwhile are delivered', () => {
    const { socket, hear, told } = socketBench();
    socket.opened();
    socket.end();
    hear('00 00 00 01 61');
    expect(told.at(-1)).toBe('message a');
  });
});

describe('exactly one terminal fact', () => {
  type Bench = ReturnType<typeof socketBench>;
  const ends: [string, (bench: Bench) => void, string | undefined][] = [
    ['failed before it opened', ({ socket }) => socket.failed(new Error('x')), 'socket.failed NINJA_CONNECT_FAILED'],
    ['closed before it opened', ({ socket }) => socket.closed(), 'socket.closed NINJA_RESET'],
    [
      'failed',
      (b) => {
        b.socket.opened();
        b.socket.failed(new Error('x'));
      },
      'socket.failed NINJA_RESET',
    ],
    [
      'FIN',
      (b) => {
        b.socket.opened();
        b.socket.ended();
      },
      'socket.closed NINJA_CLOSED_BY_PEER',
    ],
    [
      'FIN in a frame',
      (b) => {
        b.socket.opened();
        b.hear('00');
        b.socket.ended();
      },
      'socket.closed NINJA_TRUNCATED',
    ],
    [
      'bad header',
      (b) => {
        b.socket.opened();
        b.hear('ff ff ff ff');
      },
      'socket.failed NINJA_FRAME_TOO_LARGE',
    ],
    [
      'discarded',
      (b) => {
        b.socket.opened();
        b.socket.discard();
        b.socket.closed();
      },
      'socket.closed NINJA_RESET',
    ],
    [
      'destroyed',
      (b) => {
        b.socket.opened();
        b.socket.destroy();
      },
      undefined,
    ],
  ];
  test.each(ends)('%s, and nothing whatever comes after it', async (_, end, fact) => {
    const bench = socketBench({ heartbeatInterval: 100 });
    const { socket, transport, facts, told, clock } = bench;
    end(bench);
    const last = facts.filter((line) => /closed|failed/.test(line));
    expect(last).toEqual(fact ? [`7 ${fact}`] : []);
    await clock.settle();
    transport.log.length = 0;
    const before = [facts.length, told.length];
    bench.hear('00 00 00 01 61');
    socket.ended();
    socket.opened();
    socket.failed(new Error('late'));
    socket.send(Buffer.from('late'), 1);
    socket.heartbeat();
    socket.end();
    transport.take();
    transport.finished?.();
    socket.closed();
    await clock.advance(60_000);
    expect([facts.length, told.length]).toEqual(before);
    expect([transport.log, clock.pending]).toEqual([[], 0]);
  });

  test('what was whole before a bad header is delivered', () => {
    const { socket, hear, told } = socketBench();
    socket.opened();
    hear('00 00 00 01 61 00 00 00 01 62 ff ff ff ff');
    expect(told.filter((line) => line.startsWith('m'))).toEqual(['message a', 'message b']);
  });

  test('destroyed by whom it delivers to: nothing more is delivered, and no timer is left', () => {
    const { clock, socket, hear, told, hooks } = socketBench();
    socket.opened();
    hooks.onMessage = () => socket.destroy();
    hear('00 00 00 01 61 00 00 00 01 62 00 00 00 05 63');
    expect(told.filter((line) => line.startsWith('message'))).toEqual(['message a']);
    expect(clock.pending).toBe(0);
  });
});

describe('a FIN that does not end the line', () => {
  test('writing goes on, and silence means nothing any more', async () => {
    const { clock, socket, pulse, hooks, facts, frames } = socketBench();
    hooks.endsLine = false;
    socket.opened();
    socket.ended();
    await clock.advance(60_000);
    expect([facts, pulse.silentFor(clock.now())]).toEqual([['7 socket.opened'], 0]);
    socket.pause();
    socket.resume();
    expect(pulse.silentFor(clock.now() + 9999)).toBe(0);
    frames();
    socket.send(Buffer.from('answer'), 1);
    await clock.settle();
    expect(frames()).toEqual(['answer']);
  });
});

describe('a fault that the transport names itself', () => {
  const expired = new NinjaTcpError('NINJA_CERTIFICATE', 'expired');

  test.each([false, true])('is told as it is, and as final; open: %s', (open) => {
    const { socket, facts, told } = socketBench();
    if (open) socket.opened();
    facts.length = 0;
    socket.failed(expired);
    expect([facts, told]).toEqual([['7 socket.failed NINJA_CERTIFICATE for good'], ['lost with NINJA_CERTIFICATE']]);
  });

  test('is not final where a retry may help', () => {
    const { socket, facts } = socketBench();
    socket.failed(new NinjaTcpError('NINJA_CONNECT_FAILED', 'cut off'));
    expect(facts).toEqual(['7 socket.failed NINJA_CONNECT_FAILED']);
  });
});
