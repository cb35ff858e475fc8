import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Workshop } from '../docs/programs.js';

const workshop = new Workshop();
beforeAll(() => workshop.install());
afterAll(() => workshop.remove());
afterEach(() => vi.unstubAllEnvs());

const program = `
import { connect, listen } from 'ninja-tcp';
const server = await listen({ host: '127.0.0.1', port: 0, name: 'tills' }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address().port, name: 'till 7' });
await connection.connected({ proven: true });
await connection.dispose();
await server.dispose();
`;

describe('NODE_DEBUG', () => {
  test.each([
    [
      'ninja-tcp',
      [
        'till 7: start → disconnected.idle (start)',
        'till 7: connected.live → disposed (dispose): the program called dispose()',
        'tills: binding → listening (acceptor.listening)',
      ],
    ],
    ['net', []],
    ['', []],
  ])('%s: prints every transition if it names us, else nothing', async (value, expected) => {
    vi.stubEnv('NODE_DEBUG', value);
    const { code, complaints } = await workshop.run(`debug-${value}`, program);
    const ours = complaints.split('\n').filter((line) => line.startsWith('NINJA-TCP '));
    const words = ours.map((line) => line.replace(/^NINJA-TCP \d+: /, ''));
    expect([code, words.length > 0]).toEqual([0, expected.length > 0]);
    expect(words).toEqual(expect.arrayContaining(expected));
  });
});
