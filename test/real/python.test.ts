import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listen } from '../../src/index.js';
import { connectTo, later, next, noPython, pythonProcess, until } from './support.js';

const run = promisify(execFile);

for (const kind of ['frames', 'raw bytes'] as const) {
  const args = kind === 'raw bytes' ? ['raw'] : [];

  test.skipIf(noPython)(
    `our client, a Python server that echoes ${kind}: every message comes back whole, in order`,
    async () => {
      const server = await pythonProcess('echo_server.py', ...args);
      const connection = connectTo(server.port);
      const sent = Array.from({ length: 500 }, (_, i) => Buffer.alloc(1 + ((i * i) % 5003), i));
      for (const message of sent) connection.send(message);
      const received: Buffer[] = [];
      for await (const message of connection) {
        received.push(Buffer.from(message));
        if (received.length === sent.length) break;
      }
      expect(received).toEqual(sent);
    },
  );

  test.skipIf(noPython)(
    `our client, a Python server that echoes ${kind}: our heartbeats come back and keep an idle line live`,
    async () => {
      const server = await pythonProcess('echo_server.py', ...args);
      const connection = connectTo(server.port, { staleAfter: 300, heartbeatInterval: 100 });
      connection.on('message', () => expect.unreachable('a heartbeat was delivered'));
      connection.on('stale', () => expect.unreachable('an idle line went stale'));
      await connection.connected({ proven: true });
      // Three windows without a message: only heartbeats pass. Waits for bytes, not for the clock.
      const heartbeat = 4;
      await until(() => connection.stats().heardBytes >= 10 * heartbeat);
      expect(connection.explain()).toMatch(/connected \(live\)/);
      expect(connection.epoch).toBe(1);
    },
  );
}

test.skipIf(noPython)(
  'our server, a Python client that cuts anywhere: every message comes back whole, in order',
  async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
      for await (const message of peer) peer.send(message);
    });
    later(() => server.dispose());
    const script = fileURLToPath(new URL('peers/client.py', import.meta.url));
    const { stdout } = await run('python3', [script, String(server.address()?.port)], { maxBuffer: 2 ** 26 });
    const lines = stdout.trim().split('\n');
    const expected = Array.from({ length: 200 }, (_, i) => Buffer.alloc(1 + ((i * i) % 3001), i).toString('hex'));
    expect(lines.slice(0, -1)).toEqual(expected);
    // The empty frame that our side writes on opening.
    expect(lines.at(-1)).toBe('heartbeats 1');
  },
);

test.skipIf(noPython)(
  'our client, a Python server that loops on accept: the line heals with a fresh socket',
  async () => {
    const server = await pythonProcess('echo_server.py', 'raw');
    const connection = connectTo(server.port);
    for (const epoch of [1, 2, 3]) {
      await connection.connected({ proven: true });
      expect(connection.epoch).toBe(epoch);
      connection.send(`epoch ${epoch}`);
      expect(String(await next(connection, 'message'))).toBe(`epoch ${epoch}`);
      connection.reconnectNow();
    }
  },
);
