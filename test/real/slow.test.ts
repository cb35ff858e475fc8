import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Connection, type ListenOptions, listen } from '../../src/index.js';
import { createFaultProxy } from '../../src/testing/index.js';
import { connectTo, frame, next, rawServer, until } from './support.js';
import { cannotRun, type Later, startServer, titled } from './support-program.js';

/** What is slow is not dead. */
const MiB = 2 ** 20;

/** Nothing was lost, and nobody took it for lost. */
function expectUnbroken(connection: Connection): void {
  expect([connection.state, connection.substate, connection.epoch]).toEqual(['connected', 'live', 1]);
  expect(connection.reason).toBeUndefined();
}

async function server(later: Later, options: Partial<ListenOptions>) {
  const stale: unknown[] = [];
  const server = await listen({ host: '127.0.0.1', port: 0, ...options }, async (peer) => {
    peer.on('stale', (event) => stale.push(event));
    for await (const message of peer) peer.send(message);
  });
  later(() => void server.dispose());
  return { port: server.address()?.port as number, stale };
}

describe.concurrent('slow, and alive', () => {
  test('one byte per second: the line lives, and the message arrives', { timeout: 30_000 }, async ({
    onTestFinished,
  }) => {
    const wire = frame('slow');
    const { port } = await rawServer(async (socket) => {
      for (const byte of wire) {
        socket.write(Buffer.of(byte));
        await wait(1000);
      }
    }, onTestFinished);
    const connection = connectTo(port, { staleAfter: 2500 }, onTestFinished);
    connection.on('stale', () => expect.unreachable('a byte came each second'));
    expect(String(await next(connection, 'message'))).toBe('slow');
    expectUnbroken(connection);
  });

  test('a message of 8 MiB at 2 MiB/s, there and back: longer than staleAfter, and both sides live', {
    timeout: 60_000,
  }, async ({ onTestFinished }) => {
    const staleAfter = 1500;
    const { port, stale } = await server(onTestFinished, { staleAfter });
    const proxy = await createFaultProxy({ target: { port }, bytesPerSecond: 2 * MiB });
    onTestFinished(() => proxy.close());
    const connection = connectTo(proxy.port, { staleAfter }, onTestFinished);
    await connection.connected({ proven: true });
    const message = Buffer.alloc(8 * MiB, 'large');
    const from = performance.now();
    connection.send(message);
    const echo = await next<Buffer>(connection, 'message');
    expect(echo.equals(message)).toBe(true);
    expect(performance.now() - from).toBeGreaterThan(4 * staleAfter);
    expectUnbroken(connection);
    expect(stale).toEqual([]);
  });

  const paused = 'reading paused by twenty programs for four times staleAfter: no false alarm, and all arrives';
  test.skipIf(cannotRun)(titled(paused, cannotRun), { timeout: 60_000 }, async ({ onTestFinished }) => {
    const staleAfter = 500;
    const { port } = await startServer(onTestFinished, { staleAfter: 60_000, heartbeatInterval: 100 });
    const message = Buffer.alloc(50_000, 'x');
    const connections = Array.from({ length: 20 }, () =>
      connectTo(port, { staleAfter, inboxBytes: 100_000 }, onTestFinished),
    );
    await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
    for (const connection of connections) for (let i = 0; i < 20; i += 1) connection.send(message);
    const isPaused = (connection: Connection) => connection.explain().includes('reading paused');
    await until(() => connections.every(isPaused));
    const from = performance.now();
    while (performance.now() - from < 4 * staleAfter) {
      await wait(20);
      expect(connections.every(isPaused)).toBe(true);
    }
    for (const connection of connections) {
      expect(connection.epoch).toBe(1);
      let taken = 0;
      for await (const { length } of connection) {
        expect(length).toBe(message.length);
        taken += 1;
        if (taken === 20) break;
      }
      expectUnbroken(connection);
    }
  });
});
