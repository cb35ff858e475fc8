import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Connection, Disconnected } from '../../src/index.js';
import { connectTo, next, rawServer } from './support.js';
import type { Later } from './support-program.js';

/** A peer that talks and does not read never trips a rule of silence; one that reads slowly must not trip that of writing. */
const HEARTBEAT = Buffer.alloc(4);
const MiB = 2 ** 20;

/** Lives, says a heartbeat every 200 ms, and reads so many bytes a second. */
async function reader(bytesPerSecond: number, closes: Later): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const { port } = await rawServer((socket) => {
    sockets.push(socket);
    socket.pause();
    let allowance = 0;
    const tick = 50;
    const beat = setInterval(() => socket.write(HEARTBEAT), 200);
    const read = setInterval(() => {
      allowance = Math.min(allowance + (bytesPerSecond * tick) / 1000, bytesPerSecond);
      // Piece by piece: reading it all would drain the kernel at once.
      const piece = socket.read(Math.min(Math.floor(allowance), socket.readableLength)) as Buffer | null;
      allowance -= piece?.length ?? 0;
    }, tick);
    socket.on('close', () => {
      clearInterval(beat);
      clearInterval(read);
    });
  }, closes);
  return { port, sockets };
}

const message = Buffer.alloc(MiB, 'x');

/** So much that something is pending always. */
function fill(connection: Connection): void {
  while (connection.stats().pending.bytes < 4 * MiB) connection.send(message);
}

describe.concurrent('a peer that goes on talking', () => {
  test('and never reads: WRITE_STALL after writeStallTimeout, and the connection dials again', {
    timeout: 30_000,
  }, async ({ onTestFinished }) => {
    const writeStallTimeout = 3000;
    const { port } = await reader(0, onTestFinished);
    const connection = connectTo(port, { writeStallTimeout, backoff: () => 20 }, onTestFinished);
    connection.on('stale', () => expect.unreachable('it talks all the while'));
    await connection.connected({ proven: true });
    fill(connection);
    const from = performance.now();
    const { reason, error, unknown, retryInMs } = await next<Disconnected>(connection, 'disconnected');
    const after = performance.now() - from;
    expect(reason).toMatchObject({ code: 'NINJA_WRITE_STALL', epoch: 1 });
    expect(error.code).toBe('NINJA_WRITE_STALL');
    expect(after).toBeGreaterThanOrEqual(writeStallTimeout - 2);
    // The kernel may have taken something a little later than `send`.
    expect(after).toBeLessThanOrEqual(2 * writeStallTimeout);
    expect(unknown?.from).toBe(1);
    expect(retryInMs).toBe(20);
    await next(connection, 'connected');
    expect(connection.epoch).toBe(2);
  });

  test('and has nothing pending to read: no stall, however long nothing is sent', {
    timeout: 30_000,
  }, async ({ onTestFinished }) => {
    const { port } = await reader(0, onTestFinished);
    const connection = connectTo(port, { writeStallTimeout: 300, heartbeatInterval: 0 }, onTestFinished);
    await connection.connected({ proven: true });
    // The kernel takes it.
    connection.send('small');
    await wait(1500);
    expect([connection.state, connection.epoch, connection.reason]).toEqual(['connected', 1, undefined]);
  });

  test('and reads 200 kB/s: it lives, though the kernel takes in leaps', {
    timeout: 60_000,
  }, async ({ onTestFinished }) => {
    const { port, sockets } = await reader(200_000, onTestFinished);
    const connection = connectTo(port, { writeStallTimeout: 10_000 }, onTestFinished);
    await connection.connected({ proven: true });
    fill(connection);
    const from = performance.now();
    let pending = connection.stats().pending.bytes;
    let movedAt = from;
    let longest = 0;
    while (performance.now() - from < 13_000) {
      await wait(50);
      expect([connection.state, connection.epoch, connection.reason]).toEqual(['connected', 1, undefined]);
      if (connection.stats().pending.bytes !== pending) {
        longest = Math.max(longest, performance.now() - movedAt);
        movedAt = performance.now();
      }
      fill(connection);
      pending = connection.stats().pending.bytes;
    }
    expect(connection.stats().pending.bytes).toBeGreaterThan(0);
    expect(sockets).toHaveLength(1);
    expect(sockets[0]?.bytesRead).toBeGreaterThan(2_000_000);
    // Without leaps this would prove nothing: a short timeout would have served.
    expect(longest).toBeGreaterThan(500);
  });
});
