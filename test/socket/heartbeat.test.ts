import { describe, expect, test } from 'vitest';
import { socketBench } from './bench.js';

describe('the heartbeat', () => {
  test('is written on opening, and whenever nothing was written for heartbeatInterval', async () => {
    const { clock, socket, frames } = socketBench();
    socket.opened();
    await clock.settle();
    expect(frames()).toEqual(['~']);
    await clock.advance(999);
    expect(frames()).toEqual([]);
    await clock.advance(1);
    expect(frames()).toEqual(['~']);
    await clock.advance(3000);
    expect(frames()).toEqual(['~', '~', '~']);
  });

  test('is put off by whatever is written', async () => {
    const { clock, socket, frames } = socketBench();
    socket.opened();
    for (let n = 1; n <= 5; n += 1) {
      await clock.advance(700);
      socket.send(Buffer.from(`${n}`), n);
      await clock.advance(0);
      frames();
    }
    await clock.advance(999);
    expect(frames()).toEqual([]);
    await clock.advance(1);
    expect(frames()).toEqual(['~']);
  });

  test('is not written while bytes are pending: they will be heard as well', async () => {
    const { clock, socket, transport, frames } = socketBench();
    socket.opened();
    transport.eager = false;
    await clock.settle();
    // The first heartbeat is with the kernel's queue, and stays there.
    expect(frames()).toEqual(['~']);
    await clock.advance(5000);
    expect(frames()).toEqual([]);
    transport.take();
    await clock.advance(1000);
    expect(frames()).toEqual(['~']);
  });

  test('is not written after end(), nor after the end', async () => {
    for (const over of ['end', 'discard', 'destroy'] as const) {
      const { clock, socket, frames } = socketBench();
      socket.opened();
      await clock.settle();
      frames();
      socket[over]();
      socket.heartbeat();
      await clock.advance(10_000);
      expect(frames()).toEqual([]);
    }
  });

  test('heartbeatInterval 0: never, and no timer is set', async () => {
    const { clock, socket, transport } = socketBench({ heartbeatInterval: 0 });
    socket.opened();
    socket.heartbeat();
    await clock.advance(10_000);
    expect([transport.writes, clock.pending]).toEqual([[], 0]);
  });

  test('goes on while we do not read', async () => {
    const { clock, socket, frames } = socketBench();
    socket.opened();
    socket.pause();
    await clock.advance(2000);
    expect(frames()).toEqual(['~', '~', '~']);
  });

  test('that comes is a sign of life, and is not delivered', () => {
    const { socket, hear, facts, told } = socketBench();
    socket.opened();
    hear('00 00 00 00');
    expect([facts, told]).toEqual([
      ['7 socket.opened', '7 socket.heard'],
      ['heard 4', 'writable'],
    ]);
  });

  test("that comes is a message with emptyFrames 'message'", () => {
    const { socket, hear, told } = socketBench({ emptyFrames: 'message', heartbeatInterval: 0 });
    socket.opened();
    hear('00 00 00 00');
    expect(told.at(-1)).toBe('message ');
  });
});

describe('one lazy timer', () => {
  test('is all there is, however busy the line', async () => {
    const { clock, socket, hear } = socketBench();
    socket.opened();
    for (let n = 0; n < 1000; n += 1) {
      hear('00 00 00 01 61 00 00 00 02 62');
      hear('63');
    }
    expect(clock.pending).toBe(1);
    socket.destroy();
    expect(clock.pending).toBe(0);
  });
});
