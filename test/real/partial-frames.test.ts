import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectTo, later, next } from './support.js';
import { cannotRun, type Later, type Program, startServer, titled } from './support-program.js';

/** A server's memory follows the bytes that came, never the word of a header. */
const MB = 1_000_000;
const MiB = 2 ** 20;

/** Heartbeats of its peers, and what the kernel's own calls cost. */
const NOISE = 48 * MiB;

async function memoryOf(server: Program): Promise<number> {
  const from = server.all('memory').length;
  server.tell({ memory: true });
  return server.until('memory', () => server.all('memory')[from]?.bytes);
}

/** Looks at it until it fits, for memory that was let go is given back in its own time, and what was written is read so. */
async function settles(server: Program, fits: (bytes: number) => boolean): Promise<number> {
  for (;;) {
    const bytes = await memoryOf(server);
    if (fits(bytes)) return bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sockets that begin a frame of so many bytes each; they live until the test is over, and say so by dripping on. */
async function beginners(port: number, count: number, announced: number, closes: Later): Promise<Socket[]> {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(announced);
  const sockets = Array.from({ length: count }, () => dial(port, '127.0.0.1').resume());
  closes(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write(header);
  return sockets;
}

/** The server has read all that was written to it: a message behind it, on a line of its own, comes back. */
async function echoes(port: number, text: string): Promise<void> {
  const connection = connectTo(port);
  connection.send(text);
  expect(String(await next(connection, 'message'))).toBe(text);
  await connection.dispose();
}

const title =
  'many connections begin frames of 24 MiB, and some get to 20 MB: memory follows the bytes that came, and the server lives';
test.skipIf(cannotRun)(titled(title, cannotRun), { timeout: 60_000 }, async () => {
  const announced = 24 * MiB;
  // Their silence is not the point.
  const { server, port } = await startServer(later, { maxFrameLength: announced, staleAfter: 60_000 });
  await echoes(port, 'warm');
  const before = await memoryOf(server);

  // 2.4 GiB are announced, and not one byte is sent.
  await beginners(port, 100, announced, later);
  await echoes(port, 'announced');
  expect((await memoryOf(server)) - before).toBeLessThan(NOISE);

  const sent = 20 * MB;
  const count = 8;
  const piece = Buffer.alloc(sent / 20, 'x');
  const many = await beginners(port, count, announced, later);
  for (let i = 0; i < 20; i += 1) {
    await Promise.all(many.map((socket) => new Promise((taken) => socket.write(piece, taken))));
  }
  const grown = (await settles(server, (bytes) => bytes - before > 0.9 * count * sent)) - before;
  await echoes(port, 'sent');
  expect(grown).toBeLessThan(2 * count * sent + NOISE);

  for (const socket of many) socket.destroy();
  await settles(server, (bytes) => bytes - before < NOISE + 0.5 * count * sent);
  await echoes(port, 'after');
  expect(server.process.exitCode).toBeNull();
});
