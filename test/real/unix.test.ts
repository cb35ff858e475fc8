import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, listen, type PeerHandler } from '../../src/index.js';
import { later, next, until } from './support.js';

/** A path that is free, and gone with the test. A Windows pipe needs no file. */
function freshPath(): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\ninja-tcp-test-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'till.sock');
}

const echo: PeerHandler = async (peer) => {
  for await (const message of peer) {
    if (!peer.send(message)) await peer.drained();
  }
};

async function serve(path: string, handler = echo) {
  const server = await listen({ path }, handler);
  later(() => server.dispose());
  return server;
}

function open(path: string) {
  const connection = connect({ path, backoff: () => 20 });
  later(() => connection.dispose());
  return connection;
}

test('a Unix domain socket carries messages of every size, heals, and parts in order', async () => {
  const path = freshPath();
  const server = await serve(path);
  const connection = open(path);
  const sent = [1, 1000, 70_000, 3_000_000].map((size) => Buffer.alloc(size, size));
  for (const message of sent) connection.send(message);
  for (const message of sent) expect((await next<Buffer>(connection, 'message')).equals(message)).toBe(true);
  expect([...server.peers].map(({ name }) => name)).toEqual([`peer 1 ${path}`]);

  await server.dispose();
  await until(() => connection.substate === 'waiting');
  const again = await serve(path);
  await connection.connected({ proven: true });
  expect((await connection.close()).message).toBe('closed; both sides sent their FIN');
  await again.close();
  expect(existsSync(path)).toBe(false);
});

test('a full server resets a socket that knows no RST: it is dropped, and the process lives on', async () => {
  const path = freshPath();
  const server = await listen({ path, maxConnections: 1 }, echo);
  later(() => server.dispose());
  const first = open(path);
  await first.connected({ proven: true });
  const refused = next<{ error: Error }>(server, 'refused');
  const second = open(path);
  expect((await refused).error.message).toBe('the server has maxConnections, 1 peers');
  await until(() => second.epoch > 1);
  expect([first.state, first.epoch]).toEqual(['connected', 1]);
});

test('a path in use is told by its name, and so is one that is not there', async () => {
  const path = freshPath();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(path, resolve));
  later(() => new Promise((resolve) => other.close(resolve)));
  await expect(listen({ path })).rejects.toMatchObject({
    code: 'NINJA_LISTEN_FAILED',
    message: `listen EADDRINUSE: address already in use ${path}`,
  });
  const connection = open(`${path}.none`);
  const { reason } = await next<{ reason: { message: string } }>(connection, 'disconnected');
  expect(reason.message).toBe(`connect ENOENT ${path}.none`);
});
