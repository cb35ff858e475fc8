import { describe, expect, test } from 'vitest';
import type { ManualMessage, Peer } from '../../src/index.js';
import { play, settled } from './stage.js';

type Acknowledge = 'handled' | 'received' | 'manual';

/** A client's deliveries `0`, `1`, …, to a handler; and how they stand. */
async function deliver(acknowledge: Acknowledge, count: number, handler: (peer: Peer) => unknown) {
  const stage = await play({ handler, server: { session: { acknowledge } } });
  const told = Array.from({ length: count }, (_, n) => settled(stage.connection.deliver(`${n}`)));
  await stage.at.clock.advance(100);
  const stand = () => told.map(({ is }) => (is === 'pending' ? '.' : is.includes('handled') ? 'h' : '?')).join('');
  const end = async () => {
    await stage.server.dispose();
    await stage.connection.dispose();
  };
  return { ...stage, stand, end };
}

describe("'handled' acknowledges", () => {
  test('when the listener returned', async () => {
    const { stand, end } = await deliver('handled', 3, (peer) => void peer.on('message', () => {}));
    expect(stand()).toBe('hhh');
    await end();
  });

  test('when the promise of the listener settled, in the order of the messages', async () => {
    const release: (() => void)[] = [];
    const { at, stand, end } = await deliver('handled', 3, (peer) => {
      peer.on('message', () => new Promise<void>((resolve) => void release.push(resolve)));
    });
    expect(stand()).toBe('...');
    release[1]?.();
    await at.clock.advance(100);
    expect(stand()).toBe('...');
    release[0]?.();
    await at.clock.advance(100);
    expect(stand()).toBe('hh.');
    await end();
  });

  test('when the iterator is asked for the next', async () => {
    let go = (): void => {};
    const { at, stand, end } = await deliver('handled', 3, async (peer) => {
      for await (const _ of peer)
        await new Promise<void>((resolve) => {
          go = resolve;
        });
    });
    for (const expected of ['...', 'h..', 'hh.', 'hhh']) {
      expect(stand()).toBe(expected);
      go();
      await at.clock.advance(100);
    }
    await end();
  });

  test('when the iteration ends', async () => {
    const { stand, end } = await deliver('handled', 3, async (peer) => {
      for await (const _ of peer) break;
      await new Promise(() => {});
    });
    expect(stand()).toBe('h..');
    await end();
  });

  test('a batch when it is asked for the next batch', async () => {
    let go = (): void => {};
    const { at, stand, end } = await deliver('handled', 3, async (peer) => {
      for await (const _ of peer.batches())
        await new Promise<void>((resolve) => {
          go = resolve;
        });
    });
    expect(stand()).toBe('...');
    go();
    await at.clock.advance(100);
    expect(stand()).toBe('hhh');
    await end();
  });

  test('when receive() gave it', async () => {
    let peer: Peer | undefined;
    const { at, stand, end } = await deliver('handled', 3, (one) => {
      peer = one;
      return new Promise(() => {});
    });
    expect([stand(), `${peer?.receive()}`]).toEqual(['...', '0']);
    await at.clock.advance(100);
    expect(stand()).toBe('h..');
    await end();
  });

  test('at once what is thrown away unread', async () => {
    const { at, connection, server } = await play({
      handler: () => new Promise(() => {}),
      server: { discardIncoming: true },
    });
    const told = settled(connection.deliver('x'));
    await at.clock.advance(100);
    expect(told.is).toContain('handled');
    await server.dispose();
    await connection.dispose();
  });

  test('what a listener takes that came before it', async () => {
    let peer: Peer | undefined;
    const { at, stand, end } = await deliver('handled', 3, (one) => {
      peer = one;
      return new Promise(() => {});
    });
    peer?.on('message', () => {});
    await at.clock.advance(100);
    expect(stand()).toBe('hhh');
    await end();
  });
});

test("'received' acknowledges before the program has seen it", async () => {
  const { stand, end } = await deliver('received', 3, () => new Promise(() => {}));
  expect(stand()).toBe('hhh');
  await end();
});

describe("'manual' acknowledges", () => {
  test.each([
    [
      'a listener',
      (peer: Peer, take: (message: Buffer) => void): void => {
        peer.on('message', (message) => void take(message));
      },
    ],
    [
      'an iterator that copies',
      async (peer: Peer, take: (message: Buffer) => void) => {
        for await (const message of peer.messages({ copy: true })) take(message);
      },
    ],
  ] as const)('when the program says so, in any order, with %s', async (_, read) => {
    const got: ManualMessage[] = [];
    const { at, stand, end } = await deliver('manual', 4, async (peer) => {
      void read(peer, (message) => got.push(message as ManualMessage));
      await new Promise(() => {});
    });
    expect(got.map((message) => `${message.number} ${message}`)).toEqual(['1 0', '2 1', '3 2', '4 3']);
    for (const [number, expected] of [
      [2, '....'],
      [1, 'hh..'],
      [1, 'hh..'],
      [4, 'hh..'],
      [3, 'hhhh'],
    ] as const) {
      got[number - 1]?.acknowledge();
      await at.clock.advance(100);
      expect(stand()).toBe(expected);
    }
    await end();
  });

  test('never what the program forgot: it comes to the program once, and is replayed to nobody', async () => {
    const got: string[] = [];
    const { at, connection, stand, end } = await deliver('manual', 2, async (peer) => {
      peer.on('message', (message) => void got.push(`${message}`));
      await new Promise(() => {});
    });
    at.network.resetAll();
    await at.clock.advance(1000);
    expect([got, stand(), connection.session?.retained]).toEqual([['0', '1'], '..', { messages: 2, bytes: 2 }]);
    await end();
  });
});

test('a slow reader bounds what is under way by the window, and stops nobody else', async () => {
  const window = { messages: 10, bytes: 1000 };
  const { at, connection, peers, server } = await play({
    handler: () => new Promise(() => {}),
    server: { session: { window } },
  });
  for (let n = 0; n < 100; n += 1) connection.send(`${n}`);
  await at.clock.advance(100);
  const peer = peers[0] as Peer;
  expect([connection.session?.retained.messages, connection.stats().outbox.messages]).toEqual([10, 90]);
  expect(peer.stats().inbox.messages).toBe(10);
  const got: string[] = [];
  peer.on('message', (message) => void got.push(`${message}`));
  // What comes the other way is not held up.
  const told = settled(peer.deliver('x'));
  connection.on('message', () => {});
  await at.clock.advance(1000);
  expect([got.length, told.is]).toEqual([100, '{"outcome":"handled"}']);
  await server.dispose();
  await connection.dispose();
});
