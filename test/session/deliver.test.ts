import { describe, expect, test } from 'vitest';
import type { Connection, Peer } from '../../src/index.js';
import { play, settled } from './stage.js';

const hold = () => new Promise<never>(() => {});

describe('deliver()', () => {
  test('resolves when the other side has handled the message, also over another socket', async () => {
    let release = (): void => {};
    const { at, connection, server } = await play({
      handler: async (peer) => {
        peer.on(
          'message',
          () =>
            new Promise<void>((resolve) => {
              release = resolve;
            }),
        );
        await hold();
      },
    });
    const told = settled(connection.deliver('one'));
    await at.clock.advance(500);
    expect(told.is).toBe('pending');
    at.network.resetAll();
    await at.clock.advance(500);
    release();
    await at.clock.advance(500);
    expect(told.is).toBe('{"outcome":"handled"}');
    await server.dispose();
    await connection.dispose();
  });

  test('works from a peer too', async () => {
    const { at, connection, peers, server } = await play({ handler: hold });
    connection.on('message', () => {});
    const told = settled((peers[0] as Peer).deliver('one'));
    await at.clock.advance(100);
    expect(told.is).toBe('{"outcome":"handled"}');
    await server.dispose();
    await connection.dispose();
  });

  const down = async () => {
    const stage = await play({ handler: hold, client: { backoff: () => 60_000 } });
    stage.at.network.resetAll();
    await stage.at.clock.advance(10);
    return stage;
  };
  const written = async () => play({ handler: hold });

  test.each([
    ['its ttl is over before it was written', down, (c: Connection) => c.deliver('x', { ttl: 100 }), 'EXPIRED notSent'],
    ['its signal fires before it was written', down, aborted, 'ABORTED notSent'],
    ['its signal fires when it was written', written, aborted, 'ABORTED unknown'],
    ['the connection is disposed before it was written', down, thenDisposed, 'DISPOSED notSent'],
    ['the connection is disposed when it was written', written, thenDisposed, 'SESSION_LOST unknown'],
    ['it cannot be a message', written, (c: Connection) => c.deliver(7 as never), 'INVALID_MESSAGE refused'],
    ['its ttl is none', written, (c: Connection) => c.deliver('x', { ttl: -1 }), 'INVALID_OPTION refused'],
    [
      'its signal had fired',
      written,
      (c: Connection) => c.deliver('x', { signal: AbortSignal.abort() }),
      'ABORTED refused',
    ],
  ] as const)('rejects, saying what became of the message, where %s', async (_, stand, act, outcome) => {
    const { at, connection, server } = await stand();
    const told = settled(act(connection));
    await at.clock.advance(300);
    expect(told.is).toBe(outcome);
    await server.dispose();
    await connection.dispose();
  });

  async function aborted(connection: Connection) {
    const controller = new AbortController();
    const promise = connection.deliver('x', { signal: controller.signal });
    await Promise.resolve();
    controller.abort();
    return promise;
  }

  async function thenDisposed(connection: Connection) {
    const promise = connection.deliver('x');
    await Promise.resolve();
    void connection.dispose();
    return promise;
  }

  test('that was taken back is told as dropped, and what is behind it goes on', async () => {
    const got: string[] = [];
    const { at, connection, heard, server } = await play({
      handler: (peer) => void peer.on('message', (message) => void got.push(`${message}`)),
      client: { backoff: () => 1000 },
    });
    at.network.resetAll();
    await at.clock.advance(10);
    const controller = new AbortController();
    connection.send('a');
    const told = settled(connection.deliver('b', { signal: controller.signal }));
    connection.send('c');
    controller.abort();
    await at.clock.advance(2000);
    expect([got, told.is, heard.includes('dropped ABORTED 2-2')]).toEqual([['a', 'c'], 'ABORTED notSent', true]);
    await server.dispose();
    await connection.dispose();
  });

  test('and flush() need a session', async () => {
    const { at, connection, server } = await play({ client: { session: false }, server: { session: false } });
    const told = [settled(connection.deliver('x')), settled(connection.flush())];
    await at.clock.advance(10);
    expect(told.map(({ is }) => is)).toEqual(['INVALID_OPTION refused', 'INVALID_OPTION refused']);
    expect(connection.accepted).toBe(0);
    await server.dispose();
    await connection.dispose();
  });
});

describe('flush()', () => {
  test('resolves at once where all is handled, else when it is', async () => {
    const { at, connection, server } = await play({ handler: (peer) => void peer.on('message', () => {}) });
    const first = settled(connection.flush());
    await at.clock.advance(0);
    expect(first.is).toBe('undefined');
    connection.send('one');
    const second = settled(connection.flush());
    at.network.resetAll();
    await at.clock.advance(20);
    expect(second.is).toBe('pending');
    await at.clock.advance(1000);
    expect(second.is).toBe('undefined');
    await server.dispose();
    await connection.dispose();
  });

  test('does not wait for what is accepted later, nor for what was dropped', async () => {
    const { at, connection, server } = await play({ handler: hold, client: { backoff: () => 60_000 } });
    at.network.resetAll();
    await at.clock.advance(10);
    connection.send('one', { ttl: 100 });
    const told = settled(connection.flush());
    connection.send('two');
    await at.clock.advance(200);
    expect(told.is).toBe('undefined');
    await server.dispose();
    await connection.dispose();
  });

  test.each([
    ['disposed', (c: Connection) => c.dispose(), 'SESSION_LOST unknown'],
    ['aborted', () => {}, 'ABORTED refused'],
  ])('rejects where it is %s', async (name, act, outcome) => {
    const { at, connection, server } = await play({ handler: hold });
    connection.send('one');
    const controller = new AbortController();
    const told = settled(connection.flush({ signal: controller.signal }));
    await at.clock.advance(10);
    if (name === 'aborted') controller.abort();
    void act(connection);
    await at.clock.advance(10);
    expect(told.is).toBe(outcome);
    await server.dispose();
    await connection.dispose();
  });
});
