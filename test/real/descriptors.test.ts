import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.js';
import { freeDescriptors } from '../../src/socket/node-descriptors.js';
import { later, next, notBuilt, starvedProcess, until } from './support.js';

const tellsNone = freeDescriptors(false) === undefined;
const LIMIT = 128;

test.skipIf(notBuilt || tellsNone).each(['a port', 'a path'])(
  'a server on %s that runs out of file descriptors pauses: peers are served, the program can open files, and later it listens again',
  async (where) => {
    const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
    later(() => rmSync(folder, { recursive: true }));
    const path = where === 'a path' ? join(folder, 'till.sock') : undefined;
    const server = await starvedProcess(LIMIT, path);
    const at = path ? { path } : { host: '127.0.0.1', port: server.port };
    const knock = () => (path ? dial(path) : dial(server.port, '127.0.0.1'));
    const open = (name: string) => {
      const connection = connect({ ...at, name, backoff: () => 20 });
      later(() => void connection.dispose());
      return connection;
    };
    const ask = async (connection: ReturnType<typeof open>, question: string) => {
      connection.send(question);
      return String(await next(connection, 'message'));
    };
    const old = open('old');
    await old.connected({ proven: true });

    const flood = new Set<Socket>();
    let refused = 0;
    for (let n = 0; n < 2 * LIMIT; n += 1) {
      const socket = knock().on('error', () => {});
      socket.once('close', () => {
        refused += 1;
        flood.delete(socket);
      });
      socket.resume();
      flood.add(socket);
    }
    later(() => {
      for (const socket of flood) socket.destroy();
    });
    await until(() => server.lines.length > 0 && refused > LIMIT);
    expect(server.lines).toEqual(['paused NINJA_FEW_DESCRIPTORS']);
    expect(await ask(old, 'still there?')).toBe('still there?');
    expect(await ask(old, 'open')).toBe('opened');
    // It stays so while they stay, and at least as many got in as there was room for beside the reserve.
    expect([server.lines.length, flood.size > LIMIT / 4, flood.size < LIMIT - 32]).toEqual([1, true, true]);

    for (const socket of flood) socket.destroy();
    const fresh = open('fresh');
    expect(await ask(fresh, 'me too')).toBe('me too');
    expect(server.lines).toEqual(['paused NINJA_FEW_DESCRIPTORS', `listening ${server.port}`]);
    expect([old.epoch, server.process.exitCode]).toEqual([1, null]);
  },
);

test.skipIf(tellsNone)('what this process has free is counted, and never less than the cheap bound says', async () => {
  const [before, bound] = [freeDescriptors(true) as number, freeDescriptors(false) as number];
  expect(bound).toBeGreaterThanOrEqual(before);
  const held = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
  const after = freeDescriptors(true) as number;
  for (const one of held) closeSync(one);
  // Others of this process open and close files meanwhile.
  expect(before - after).toBeGreaterThan(10);
  expect(freeDescriptors(true) as number).toBeGreaterThan(after);
});
