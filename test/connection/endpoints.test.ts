import { describe, expect, test } from 'vitest';
import { listen } from '../../src/index.js';
import { codeOf, echo, journal, PORT, type Stage, stage } from './stage.js';

/** Three hosts that serve alike, tried in this order. */
const HOSTS = ['a', 'b', 'c'];

function several(at: Stage, options: object = {}) {
  const dials: string[] = [];
  const environment = at.network.environment('client');
  const connection = at.dial({
    host: undefined,
    port: undefined,
    endpoints: HOSTS.map((host) => ({ host, port: PORT })),
    environment: {
      ...environment,
      random: () => 0.999,
      dial: (target) => {
        dials.push(target.host);
        return environment.dial(target);
      },
    },
    ...options,
  });
  return { connection, dials, heard: journal(connection) };
}

const serve = (at: Stage, host: string) =>
  at.clock.runUntil(listen({ port: PORT, environment: at.network.host(host).environment() }, echo));

describe('endpoints', () => {
  test('a dead one does not delay the next: no backoff in between', async () => {
    const at = stage();
    await serve(at, 'c');
    const { connection, dials } = several(at, { backoff: () => 60_000 });
    const from = at.clock.now();
    await at.clock.runUntil(connection.connected({ proven: true }));
    expect([dials, connection.endpoint.host, connection.epoch]).toEqual([HOSTS, 'c', 3]);
    expect(at.clock.now() - from).toBeLessThan(50);
    expect(connection.explain()).toMatch(/^a:65432, b:65432, c:65432 connected \(live\) since .* epoch 3 at c:65432; /);
    await connection.dispose();
  });

  test('all are tried, then the backoff sleeps; it is given the rounds', async () => {
    const at = stage();
    const asked: number[] = [];
    const backoff = (rounds: number) => {
      asked.push(rounds);
      return 1000;
    };
    const { connection, dials } = several(at, { backoff });
    await at.clock.advance(2500);
    expect([dials.join(''), asked]).toEqual(['abcabcabc', [1, 2, 3]]);
    await connection.dispose();
  });

  test('maxAttempts counts attempts', async () => {
    const at = stage();
    const { connection, dials } = several(at, { maxAttempts: 4 });
    await at.clock.runUntil(() => connection.substate === 'failed');
    expect(dials.join('')).toBe('abca');
    await connection.dispose();
  });

  test('whose server dies moves to the next that is known to be good, after a first short sleep', async () => {
    const at = stage();
    const [b] = [await serve(at, 'b'), await serve(at, 'c')];
    const { connection, dials, heard } = several(at);
    await at.clock.runUntil(connection.connected({ proven: true }));
    expect(dials.join('')).toBe('ab');
    await at.clock.advance(5000);
    void b.dispose();
    const from = at.clock.now();
    await at.clock.runUntil(() => heard.includes('live 3'));
    expect([dials.join(''), connection.endpoint.host]).toEqual(['abc', 'c']);
    expect(at.clock.now() - from).toBeGreaterThanOrEqual(100);
    await connection.dispose();
  });

  test('one that accepts and drops does not hold on to it', async () => {
    const at = stage();
    at.network.host('a').acceptAndDrop();
    await serve(at, 'b');
    const { connection, dials } = several(at);
    await at.clock.runUntil(connection.connected({ proven: true }));
    expect(dials.join('')).toBe('ab');
    await connection.dispose();
  });

  const bad: [unknown, string][] = [
    [[], 'endpoints must be a list of 1 to 256 endpoints, got an array'],
    ['a:1', "endpoints must be a list of 1 to 256 endpoints, got 'a:1'"],
    [Array(257).fill({ port: 1 }), 'endpoints must be a list of 1 to 256 endpoints, got an array'],
    [[{ port: 1 }, null], 'endpoints[1] must be a { host, port } or a { path }, got null'],
    [[{ host: 'a' }], 'port must be a whole number from 1 to 65535, got undefined'],
    [[{ port: 1, prot: 2 }], 'endpoints[0]: prot is not an option; see docs/options.md'],
    [[{ port: 1, path: '/x' }], "path must be given without host, port, got 'path and port'"],
  ];
  test.each(bad)('%j is refused', async (endpoints, message) => {
    const at = stage();
    expect(() => several(at, { endpoints })).toThrow(message);
    expect(await codeOf(() => several(at, { endpoints }))).toBe('INVALID_OPTION');
  });

  test.each(['host', 'port', 'path'])('beside %s they are refused', (option) => {
    const value = option === 'port' ? 1 : 'x';
    expect(() => several(stage(), { [option]: value })).toThrow(
      `endpoints must be given without host, port and path, got 'endpoints and ${option}'`,
    );
  });

  test.each([1, 256])('%d of them are taken', async (count) => {
    const { connection } = several(stage(), { endpoints: Array(count).fill({ path: '/x' }) });
    expect(connection.name.split(', ').length).toBe(count);
    await connection.dispose();
  });
});
