import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connectTo, later, next, notBuilt, starvedProcess, until } from './support.js';

test.skipIf(notBuilt || process.platform === 'win32')(
  'a server without file descriptors lives on: old peers are served, the flood is closed, and new ones come when it is over',
  async () => {
    const server = await starvedProcess(64);
    const old = connectTo(server.port, { name: 'old' });
    await old.connected({ proven: true });

    const flood: Socket[] = [];
    let closed = 0;
    for (let n = 0; n < 300; n += 1) {
      const socket = dial(server.port, '127.0.0.1').on('error', () => {});
      socket.once('close', () => (closed += 1));
      socket.resume();
      flood.push(socket);
    }
    later(() => {
      for (const socket of flood) socket.destroy();
    });
    // More than it has descriptors for were accepted and closed again.
    await until(() => closed > 200);
    old.send('still there?');
    expect(String(await next(old, 'message'))).toBe('still there?');
    expect([old.epoch, server.process.exitCode]).toEqual([1, null]);

    for (const socket of flood) socket.destroy();
    const fresh = connectTo(server.port, { name: 'fresh', backoff: () => 20 });
    fresh.send('me too');
    expect(String(await next(fresh, 'message'))).toBe('me too');
    expect([old.epoch, server.process.exitCode]).toEqual([1, null]);
  },
);
