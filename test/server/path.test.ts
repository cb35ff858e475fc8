import { describe, expect, test } from 'vitest';
import { connect, listen } from '../../src/index.js';
import { codeOf, echo, firstPeer, journal, raw, stage } from '../connection/stage.js';

const PATH = '/run/till.sock';

describe('a path instead of a port', () => {
  const here = () => {
    const at = stage();
    const serve = () => at.clock.runUntil(listen({ path: PATH, environment: at.server.environment() }, echo));
    const dial = (from = 'server') =>
      connect({ path: PATH, environment: at.network.environment(from), backoff: () => 100 });
    return { ...at, serve, dial };
  };

  test('carries messages, and everybody says where it is', async () => {
    const at = here();
    const server = await at.serve();
    expect([server.name, server.address()]).toEqual([PATH, { address: PATH, port: 0, family: 'unix' }]);
    expect(server.explain()).toMatch(/^\/run\/till\.sock listening on \/run\/till\.sock since /);
    const connection = at.dial();
    connection.send('x');
    await at.clock.runUntil(() => connection.stats().received.messages > 0);
    expect(String(connection.receive())).toBe('x');
    expect(connection.explain()).toMatch(/^\/run\/till\.sock connected \(live\) since /);
    expect([firstPeer(server).remoteAddress, firstPeer(server).name]).toEqual([undefined, `peer 1 ${PATH}`]);
    await connection.dispose();
    await server.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('that nobody serves: CONNECT_FAILED with the path, and it heals when somebody does', async () => {
    const at = here();
    const connection = at.dial();
    const heard = journal(connection);
    await at.clock.runUntil(() => connection.substate === 'waiting');
    expect(connection.reason?.message).toBe(`connect ENOENT ${PATH}`);
    const server = await at.serve();
    await at.clock.runUntil(connection.connected({ proven: true }));
    expect(heard.at(-1)).toBe('live 2');
    await connection.dispose();
    await server.dispose();
  });

  test('is of one host: another host has no such path', async () => {
    const at = here();
    const server = await at.serve();
    const connection = at.dial('client');
    await at.clock.runUntil(() => connection.substate === 'waiting');
    expect(connection.reason?.message).toBe(`connect ENOENT ${PATH}`);
    await connection.dispose();
    await server.dispose();
  });

  test('in use: LISTEN_FAILED that names it; free again when the server has closed', async () => {
    const at = here();
    const first = await at.serve();
    await expect(at.serve()).rejects.toMatchObject({
      code: 'NINJA_LISTEN_FAILED',
      message: `listen EADDRINUSE: address already in use ${PATH}`,
      cause: { code: 'EADDRINUSE', address: PATH },
    });
    await first.dispose();
    await (await at.serve()).dispose();
  });

  test('left behind by a killed server: nobody answers there, and nobody can bind it', async () => {
    const at = here();
    await at.serve();
    at.server.crash();
    const side = raw(at.server.environment().dial({ host: '', path: PATH, noDelay: true }));
    await at.clock.advance(5);
    expect(side.heard).toEqual(['failed ECONNREFUSED', 'closed']);
    expect(await codeOf(at.serve())).toBe('LISTEN_FAILED');
  });
});
