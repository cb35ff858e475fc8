/** A server in a process that runs out of descriptors: it closes its port for a while, and says so. */
import { describe, expect, test } from 'vitest';
import type { Environment, ListenOptions } from '../../src/index.js';
import type { NetworkOptions } from '../../src/testing/index.js';
import { echo, PORT, type Raw, raw, type Stage, short, stage } from '../connection/stage.js';
import { dialRaw, handshaking, serverJournal } from './stage.js';

/** How often a paused server looks, and how often one that listens does. */
const [PAUSE, LOOK] = [500, 1000];
const MESSAGE = '3 descriptors are free, fewer than reservedDescriptors, 4: the port is closed until there are more';

/** A server that is to keep 4 free, in a process that may have so many. It has one for its port itself. */
async function starving(most: number, options: Partial<ListenOptions> = {}, network: Partial<NetworkOptions> = {}) {
  const at = stage(network);
  at.server.limitDescriptors(most);
  const server = await at.serve(echo, { reservedDescriptors: 4, staleAfter: 0, ...options });
  const told: string[] = [];
  server.on('paused', ({ error }) => told.push(`${short(error.code)} ${error.message}`));
  const heard = serverJournal(server);
  server.on('paused', () => heard.push('paused'));
  return { at, server, heard, told };
}

async function dial(at: Stage, how: { path?: string } = {}): Promise<Raw> {
  const from = at.network.environment(how.path ? 'server' : 'client');
  const side = raw(from.dial({ host: 'server', port: PORT, noDelay: true, ...how }));
  await at.clock.runUntil(() => side.heard.length > 0);
  await at.clock.advance(5);
  return side;
}

/** Whoever has the port now. */
function squatter(at: Stage, port = PORT) {
  return at.server.environment().listen({ port, noDelay: true }, { listening() {}, failed() {}, accepted() {} });
}

describe('with reservedDescriptors: 4 and one client', () => {
  test.each([
    // One for the port, one for the peer.
    ['one more is free', 'listening', 7, []],
    ['just so many are free', 'listening', 6, []],
    ['one fewer is free', 'paused', 5, [`FEW_DESCRIPTORS ${MESSAGE}`]],
  ])('%s: it is %s', async (_, state, most, expected) => {
    const { at, server, told } = await starving(most);
    const client = await dial(at);
    expect([server.state, told, server.peers.size]).toEqual([state, expected, 1]);
    client.say('served all the same');
    await at.clock.advance(5);
    expect(client.messages).toEqual(['served all the same']);
    await server.dispose();
  });

  test('0 is off: whoever is one too many is closed by the system', async () => {
    const { at, server, told } = await starving(2, { reservedDescriptors: 0 });
    await dial(at);
    const second = await dial(at);
    expect([second.heard, server.state, told, server.peers.size]).toEqual([['opened', 'ended'], 'listening', [], 1]);
    await server.dispose();
  });
});

describe('how often it is looked', () => {
  test.each([
    ['every time, while few more are free', 5, 3],
    ['once for several, while far more are free', 1000, 1],
  ])('%s', async (_, most, looks) => {
    const at = stage();
    at.server.limitDescriptors(most);
    const environment = at.server.environment();
    let looked = 0;
    const freeDescriptors = (exactly: boolean) => {
      looked += 1;
      return environment.freeDescriptors?.(exactly);
    };
    const server = await at.serve(echo, { reservedDescriptors: 1, environment: { ...environment, freeDescriptors } });
    const before = looked;
    for (let count = 0; count < 3; count += 1) await dial(at);
    expect(looked - before).toBe(looks);
    await server.dispose();
  });
});

describe('a paused server', () => {
  test('refuses dials, serves its peers, and listens again on its port when there is room', async () => {
    const { at, server, heard } = await starving(6);
    const clients = [await dial(at), await dial(at), await dial(at)];
    // The third did not come in any more.
    expect(heard).toEqual(['peer 1', 'peer 2', 'paused']);
    expect(clients[2]?.heard).toEqual(['failed ECONNREFUSED', 'closed']);
    clients[0]?.say('still here');
    await at.clock.advance(10 * PAUSE);
    expect([clients[0]?.messages, server.state, server.address()?.port]).toEqual([['still here'], 'paused', PORT]);
    // The port itself and one client more have to find room: this one is not enough …
    clients[0]?.transport.destroy();
    await at.clock.advance(2 * PAUSE);
    expect([server.state, server.peers.size]).toEqual(['paused', 1]);
    // … and now it is.
    at.server.limitDescriptors(7);
    await at.clock.advance(PAUSE);
    expect([server.state, heard.slice(3)]).toEqual(['listening', [`listening ${PORT}`]]);
    expect(server.history.map(({ to, cause, reason }) => `${to} by ${cause} ${short(reason?.code ?? '')}`)).toEqual([
      'closed by start ',
      'binding by listen ',
      'listening by acceptor.listening ',
      'paused by acceptor.starved FEW_DESCRIPTORS',
      'listening by acceptor.listening ',
    ]);
    await server.dispose();
  });

  test('pauses anew when it is short again, each time told', async () => {
    const { at, server, heard } = await starving(6);
    for (let round = 0; round < 3; round += 1) {
      const clients = [await dial(at), await dial(at)];
      expect(server.state).toBe('paused');
      for (const { transport } of clients) transport.destroy();
      await at.clock.advance(2 * PAUSE);
      expect(server.state).toBe('listening');
    }
    expect(heard.filter((line) => line === 'paused')).toHaveLength(3);
    await server.dispose();
  });

  test('whose port was taken meanwhile tries again until it is free', async () => {
    const { at, server, heard } = await starving(5);
    await dial(at);
    const other = squatter(at);
    at.server.limitDescriptors(100);
    await at.clock.advance(2 * PAUSE + 5);
    expect(server.state).toBe('paused');
    expect(server.explain()).toMatch(
      /^\*:65432 paused on \[::\]:65432 since [\d:]+: 3 descriptors .* more; tried, and listen EADDRINUSE: .*; 1 peer$/,
    );
    other.close();
    await at.clock.advance(PAUSE + 5);
    expect([server.state, heard]).toEqual(['listening', ['peer 1', 'paused', `listening ${PORT}`]]);
    expect(server.explain()).toMatch(/^\*:65432 listening on \[::\]:65432 since [\d:]+; 1 peer$/);
    await dial(at);
    expect(server.peers.size).toBe(2);
    await server.dispose();
  });

  test('has the port again that the system chose', async () => {
    const { at, server } = await starving(5, { port: 0 });
    const port = server.address()?.port ?? 0;
    raw(at.network.environment('client').dial({ host: 'server', port, noDelay: true }));
    await at.clock.runUntil(() => server.state === 'paused');
    at.server.limitDescriptors(100);
    await at.clock.advance(PAUSE + 5);
    expect([server.state, server.address()?.port]).toEqual(['listening', port]);
    await server.dispose();
  });

  test('has its path again', async () => {
    const path = '/run/till.sock';
    const { at, server } = await starving(6, { port: undefined, path });
    const client = await dial(at, { path });
    expect([server.state, (await dial(at, { path })).heard[0]]).toEqual(['paused', 'failed ENOENT']);
    at.server.limitDescriptors(100);
    await at.clock.advance(PAUSE + 5);
    expect(server.state).toBe('listening');
    const again = await dial(at, { path });
    for (const side of [client, again]) side.say('x');
    await at.clock.advance(5);
    expect([client.messages, again.messages]).toEqual([['x'], ['x']]);
    await server.dispose();
  });

  const ends = ['close', 'dispose'] as const;
  const moments: readonly [string, number][] = [
    ['at once', 0],
    ['while it asks for its port', PAUSE],
  ];
  const cases = ends.flatMap((how) => moments.map(([when, ms]) => [how, when, ms] as const));
  test.each(cases)('is ended by %s(), %s, and leaves nothing', async (how, _, ms) => {
    const { at, server, heard } = await starving(5);
    const client = await dial(at);
    const other = squatter(at);
    at.server.limitDescriptors(100);
    await at.clock.advance(ms);
    expect(server.state).toBe('paused');
    const ended = server[how]();
    expect(server.state).toBe(how === 'close' ? 'draining' : 'disposed');
    client.end();
    expect((await at.clock.runUntil(ended)).code).toBe('NINJA_DISPOSED');
    await at.clock.advance(5);
    expect(heard).toEqual(['peer 1', 'paused', 'closed DISPOSED']);
    other.close();
    await at.clock.advance(2 * PAUSE);
    expect([at.clock.pending, at.network.openTransports, (await dial(at)).heard[0]]).toEqual([
      0,
      0,
      'failed ECONNREFUSED',
    ]);
  });

  test('lets those in who were on their way', async () => {
    const { at, server, underway, heard } = await handshaking({ reservedDescriptors: 4, staleAfter: 0 });
    server.on('paused', () => heard.push('paused'));
    at.server.limitDescriptors(5);
    const client = await dialRaw(at);
    expect([server.state, underway.length]).toEqual(['paused', 1]);
    underway[0]?.done(underway[0].transport);
    client.say('x');
    await at.clock.advance(5);
    expect([heard, client.messages, server.state]).toEqual([['paused', 'peer 1'], ['x'], 'paused']);
    await server.dispose();
  });

  test('whoever waits for listening() is answered when it does, or at the end', async () => {
    const { at, server } = await starving(5);
    await dial(at);
    const waits = server.listening();
    at.server.limitDescriptors(100);
    await at.clock.runUntil(waits);
    expect(server.state).toBe('listening');
    at.server.limitDescriptors(5);
    await at.clock.advance(LOOK);
    squatter(at);
    at.server.limitDescriptors(100);
    await at.clock.advance(2 * PAUSE);
    const vain = server.listening();
    void server.dispose();
    await expect(vain).rejects.toMatchObject({ code: 'NINJA_DISPOSED' });
  });
});

test('a program that opens files is found out without any client, within a second', async () => {
  const { at, server } = await starving(100);
  at.server.limitDescriptors(4);
  await at.clock.advance(LOOK - 1);
  expect(server.state).toBe('listening');
  await at.clock.advance(1);
  expect(server.state).toBe('paused');
  await server.dispose();
  expect(at.clock.pending).toBe(0);
});

test('where nobody listens to `paused` it is told once by environment.warn', async () => {
  const { at, server } = await starving(100);
  server.removeAllListeners('paused');
  for (const most of [4, 100, 4]) {
    at.server.limitDescriptors(most);
    await at.clock.advance(2 * LOOK);
  }
  expect(server.history.filter(({ to }) => to === 'paused')).toHaveLength(2);
  expect(at.network.warnings).toMatchObject([{ code: 'NINJA_FEW_DESCRIPTORS' }]);
  await server.dispose();
});

test('an environment that does not know is not asked again and again', async () => {
  const at = stage();
  let asked = 0;
  const freeDescriptors = (): undefined => {
    asked += 1;
  };
  const server = await at.serve(echo, { environment: { ...at.server.environment(), freeDescriptors } });
  await at.clock.advance(10 * LOOK);
  expect([asked, at.clock.pending, server.state]).toEqual([1, 0, 'listening']);
  await server.dispose();
});

test.each([
  ['unref', ['ref 0', 'unref 0', 'unref 1']],
  ['ref', ['ref 0', 'ref 0']],
] as const)('a server that was told %s() before is so after a pause', async (how, expected) => {
  const at = stage();
  const plain = at.server.environment();
  const told: string[] = [];
  let ports = 0;
  const environment: Environment = {
    ...plain,
    listen(target, handlers) {
      const acceptor = plain.listen(target, handlers);
      const id = ports;
      ports += 1;
      const refer = (word: string) => () => void told.push(`${word} ${id}`);
      return { close: () => acceptor.close(), ref: refer('ref'), unref: refer('unref') };
    },
  };
  at.server.limitDescriptors(100);
  const server = await at.serve(echo, { environment });
  server.on('paused', () => {});
  server.ref()[how]();
  for (const most of [4, 100]) {
    at.server.limitDescriptors(most);
    await at.clock.advance(2 * LOOK);
  }
  expect([server.state, told]).toEqual(['listening', expected]);
  await server.dispose();
});
