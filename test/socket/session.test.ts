/** A socket whose line has a session: who takes frames apart, what a sign of life is, and how it parts. */
import { describe, expect, test } from 'vitest';
import { NinjaTcpError } from '../../src/errors.js';
import type { Framing } from '../../src/framing/framing.js';
import { lengthPrefixed } from '../../src/index.js';
import { socketBench } from './bench.js';

/** A bench whose session writes down what it is given. */
function withSession(options: Parameters<typeof socketBench>[0] = {}, sign: Uint8Array = Buffer.from('PING')) {
  const spans: string[] = [];
  const hooks = { onFrame: () => {} };
  const asked: { signs: number; sign: Uint8Array | undefined } = { signs: 0, sign };
  const bench = socketBench(options, {
    side: {
      receiveRun: (_chunk: Uint8Array, at: number) => at,
      receiveSpan: (source, start, length, memory) => {
        expect(memory).toBe(source.buffer);
        spans.push(Buffer.from(source.buffer, source.byteOffset + start, length).toString('latin1'));
        hooks.onFrame();
      },
    },
    signOfLife: () => {
      asked.signs += 1;
      return asked.sign;
    },
  });
  return { ...bench, spans, asked, sessionHooks: hooks };
}

describe('frames of a line with a session', () => {
  test('go to the session, empty ones too, and none is delivered', () => {
    const { socket, hear, spans, told } = withSession();
    socket.opened();
    hear('00 00 00 01 61  00 00 00 00  00 00 00 02 62 63');
    expect(spans).toEqual(['a', '', 'bc']);
    expect(told.filter((line) => line.startsWith('message'))).toEqual([]);
  });

  test('however they are cut', () => {
    const { socket, hear, spans } = withSession();
    socket.opened();
    for (const byte of '00 00 00 02 61 62 00 00 00 01 63'.split(' ')) hear(byte);
    expect(spans).toEqual(['ab', 'c']);
  });

  test('of a framing that knows no spans as well: each as a view', () => {
    // As a program writes one: its decoder has `push` alone.
    const inner = lengthPrefixed();
    const framing: Framing = {
      name: 'of its own',
      headerLength: inner.headerLength,
      maxLength: inner.maxLength,
      writeHeader: (target, at, length) => inner.writeHeader(target, at, length),
      decoder: (limits) => {
        const decoder = inner.decoder(limits);
        return {
          push: (chunk, deliver) => decoder.push(chunk, deliver),
          get unfinished() {
            return decoder.unfinished;
          },
          get progress() {
            return decoder.progress;
          },
          get heldBytes() {
            return decoder.heldBytes;
          },
        };
      },
    };
    const { socket, hear, spans } = withSession({ framing });
    socket.opened();
    hear('00 00 00 01 61 00 00 00 02 62 63');
    expect(spans).toEqual(['a', 'bc']);
  });

  test('those before a bad header are given, then the line fails', () => {
    const { socket, hear, spans, facts } = withSession({ maxFrameLength: 10 });
    socket.opened();
    hear('00 00 00 01 61 7f ff ff ff 00');
    expect([spans, facts.at(-1)]).toEqual([['a'], '7 socket.failed NINJA_FRAME_TOO_LARGE']);
  });

  test('stop where the session throws the socket away', () => {
    const { socket, hear, spans, sessionHooks, clock } = withSession();
    socket.opened();
    sessionHooks.onFrame = () => socket.destroy();
    hear('00 00 00 01 61 00 00 00 01 62');
    expect([spans, clock.pending]).toEqual([['a'], 0]);
  });

  test('keep the line from falling silent, and the unfinished one is timed as ever', async () => {
    const { socket, hear, clock, facts } = withSession({ frameTimeout: 500 });
    socket.opened();
    hear('00 00 00 05 61');
    await clock.advance(500);
    expect(facts.at(-1)).toBe('7 socket.failed NINJA_FRAME_TIMEOUT');
  });
});

describe('the sign of life of a session', () => {
  test('is written where a heartbeat would be', async () => {
    const { socket, clock, frames } = withSession();
    socket.opened();
    await clock.advance(1000);
    expect(frames()).toEqual(['PING', 'PING']);
  });

  test('is left out where the session has none, and asked for again after heartbeatInterval', async () => {
    const { socket, clock, frames, asked } = withSession();
    asked.sign = undefined;
    socket.opened();
    await clock.advance(1000);
    expect([frames(), asked.signs]).toEqual([[], 2]);
    asked.sign = Buffer.from('PING');
    await clock.advance(999);
    expect(frames()).toEqual([]);
    await clock.advance(1);
    expect(frames()).toEqual(['PING']);
  });

  test('is not asked for where none may be written: whoever takes it has to write it', async () => {
    for (const over of ['end', 'discard', 'destroy'] as const) {
      const { socket, clock, asked } = withSession();
      socket.opened();
      socket[over]();
      socket.heartbeat();
      await clock.advance(10_000);
      expect([over, asked.signs]).toEqual([over, 1]);
    }
    const { socket, clock, asked } = withSession({ heartbeatInterval: 0 });
    socket.opened();
    await clock.advance(10_000);
    expect(asked.signs).toBe(0);
  });
});

describe('what a session writes', () => {
  test('messages by their numbers, and other frames as they are', async () => {
    const { socket, clock, transport } = withSession({ heartbeatInterval: 0 });
    socket.opened();
    socket.send(Buffer.from('a'), 1, 9);
    socket.control(Buffer.from('ACK'));
    await clock.settle();
    expect(transport.bytes.toString('hex')).toBe('00000007' + '100000000009' + '61' + '00000003' + '41434b');
  });

  test('counts as unproven what was sent before the first byte, without the other frames', () => {
    const { socket, hear } = withSession({ heartbeatInterval: 0 });
    socket.opened();
    socket.control(Buffer.alloc(70_000));
    expect(socket.canTake(1000)).toBe(true);
    socket.send(Buffer.alloc(65_536), 1, 1);
    expect(socket.canTake(1)).toBe(false);
    hear('00');
    expect(socket.canTake(1)).toBe(true);
  });

  test.each(['end', 'discard', 'destroy'] as const)('nothing after %s()', async (over) => {
    const { socket, clock, frames } = withSession({ heartbeatInterval: 0 });
    socket.opened();
    socket[over]();
    socket.control(Buffer.from('ACK'));
    await clock.advance(100);
    expect(frames()).toEqual([]);
  });

  test.each([
    ['a message', (socket: ReturnType<typeof withSession>['socket']) => socket.send(Buffer.from('a'), 1, 1)],
    ['another frame', (socket: ReturnType<typeof withSession>['socket']) => socket.control(Buffer.from('ACK'))],
  ])('a framing that throws ends the line: at %s', (_, write) => {
    let broken = false;
    const framing = lengthPrefixed();
    const writeHeader = framing.writeHeader.bind(framing);
    framing.writeHeader = (target, at, length) => {
      if (broken) throw new Error('oops');
      writeHeader(target, at, length);
    };
    const { socket, facts } = withSession({ framing });
    socket.opened();
    broken = true;
    write(socket);
    expect(facts.at(-1)).toMatch(/^7 socket\.failed NINJA_/);
  });
});

describe('parting with a session', () => {
  test('tells why it was closed, where both sides have sent their FIN', async () => {
    const { socket, transport, facts } = withSession();
    socket.opened();
    socket.parting.settle('NINJA_CLOSED_BY_PEER', 'the other side ended the session');
    socket.end();
    transport.finished?.();
    socket.ended();
    socket.closed();
    expect(facts.at(-1)).toBe('7 socket.closed NINJA_CLOSED_BY_PEER');
  });

  test('tells it behind a goodbye too, where the socket is reset instead: nothing is lost with it', () => {
    const { socket, facts } = withSession();
    socket.opened();
    socket.parting.settle('NINJA_CLOSED_BY_PEER', 'the other side ended the session');
    socket.failed(new NinjaTcpError('NINJA_RESET', 'reset'));
    socket.closed();
    expect(facts.slice(-2)).toEqual(['7 socket.opened', '7 socket.closed NINJA_CLOSED_BY_PEER']);
  });
});
