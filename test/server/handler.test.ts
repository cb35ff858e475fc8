import { describe, expect, test } from 'vitest';
import type { NinjaTcpError, Peer } from '../../src/index.js';
import { echo, firstPeer, stage } from '../connection/stage.js';
import { dialRaw, peerJournal, serverJournal } from './stage.js';

const oops = new TypeError('oops');

describe('the handler', () => {
  test('async: the peer is flushed and closed when it returns', async () => {
    const at = stage();
    const server = await at.serve(async (peer) => {
      peer.send('one');
      await at.clock.sleep(10);
      peer.send('two');
    });
    const client = await dialRaw(at);
    expect([client.messages, client.heard.includes('ended')]).toEqual([['one'], false]);
    const heard = peerJournal(firstPeer(server));
    await at.clock.advance(10);
    expect([client.messages, client.heard.at(-1)]).toEqual([['one', 'two'], 'ended']);
    client.end();
    await at.clock.advance(5);
    expect([heard, server.peers.size]).toEqual([['disposed DISPOSED unknown 1-2'], 0]);
    await server.dispose();
  });

  test('async, with a message listener left: the peer lives on', async () => {
    const at = stage();
    const server = await at.serve(async (peer) => {
      peer.on('message', (message) => peer.send(message));
    });
    const client = await dialRaw(at);
    await at.clock.advance(100);
    client.say('x');
    await at.clock.advance(5);
    expect([client.messages, firstPeer(server).state]).toEqual([['x'], 'connected']);
    client.end();
    await at.clock.advance(5);
    expect([client.heard.slice(-2), server.peers.size]).toEqual([['ended', 'closed'], 0]);
    await server.dispose();
  });

  test('async, with a message listener left, and a client that is gone by then: the peer is closed', async () => {
    const at = stage();
    const server = await at.serve(async (peer) => {
      peer.on('message', () => {});
      await at.clock.sleep(100);
      peer.send('late');
    });
    const client = await dialRaw(at);
    client.end();
    await at.clock.advance(50);
    expect(server.peers.size).toBe(1);
    await at.clock.advance(60);
    expect([server.peers.size, client.messages]).toEqual([0, ['late']]);
    await server.dispose();
  });

  test('sync: the peer lives until the client goes', async () => {
    const at = stage();
    const received: string[] = [];
    const server = await at.serve((peer) => {
      peer.on('message', (message) => received.push(`${message}`));
      return 'not a promise';
    });
    const client = await dialRaw(at);
    client.say('x');
    await at.clock.advance(1000);
    expect([received, server.peers.size]).toEqual([['x'], 1]);
    client.end();
    await at.clock.advance(5);
    expect(server.peers.size).toBe(0);
    await server.dispose();
  });

  test.each([
    [
      'throws',
      () => {
        throw oops;
      },
    ],
    [
      'rejects at once',
      async () => {
        throw oops;
      },
    ],
    [
      'rejects later',
      async (peer: Peer) => {
        for await (const _ of peer) throw oops;
      },
    ],
  ])('%s: told once as `peerError`, its peer is destroyed, others do not notice', async (_, fails) => {
    const at = stage();
    const server = await at.serve((peer) => (peer.id === 1 ? fails(peer) : echo(peer)));
    const heard = serverJournal(server);
    const errors: NinjaTcpError[] = [];
    server.on('peerError', ({ error }) => errors.push(error));
    const first = await dialRaw(at);
    const second = await dialRaw(at);
    first.say('x');
    await at.clock.advance(5);
    second.say('y');
    await at.clock.advance(5);
    expect(heard.toSorted()).toEqual(['peer 1', 'peer 2', 'peerError 1 HANDLER_FAILED']);
    expect(errors).toMatchObject([
      { code: 'NINJA_HANDLER_FAILED', message: "handler: the program's code threw: oops", cause: oops },
    ]);
    expect([first.heard.some((line) => /ended|failed/.test(line)), second.messages]).toEqual([true, ['y']]);
    expect([[...server.peers].map(({ id }) => id), at.network.warnings]).toEqual([[2], []]);
    await server.dispose();
  });

  test('throws where nobody listens: told by environment.warn', async () => {
    const at = stage();
    const server = await at.serve(() => {
      throw oops;
    });
    await dialRaw(at);
    expect(at.network.warnings).toMatchObject([{ code: 'NINJA_HANDLER_FAILED', cause: oops }]);
    await server.dispose();
  });

  test.each(['throws', 'rejects'])('a message listener of a peer that %s ends that peer alone', async (how) => {
    const at = stage();
    const server = await at.serve((peer) => {
      peer.on('message', (message) => {
        if (`${message}` !== 'bad') {
          peer.send(message);
          return;
        }
        if (how === 'throws') throw oops;
        return Promise.reject(oops) as never;
      });
    });
    const heard = serverJournal(server);
    const [first, second] = [await dialRaw(at), await dialRaw(at)];
    first.say('bad');
    second.say('good');
    await at.clock.advance(5);
    expect(heard).toEqual(['peer 1', 'peer 2', 'peerError 1 HANDLER_FAILED']);
    expect([second.messages, server.peers.size]).toEqual([['good'], 1]);
    await server.dispose();
  });

  const ways: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw oops;
      },
    ],
    ['rejects', () => Promise.reject(oops)],
  ];
  test.each(ways)('a listener of `peer` that %s counts as a handler: that peer ends alone', async (_, fails) => {
    const at = stage();
    const server = await at.serve(echo);
    server.on('peer', ({ id }) => {
      if (id === 1) return fails() as never;
    });
    const heard = serverJournal(server);
    const [, second] = [await dialRaw(at), await dialRaw(at)];
    second.say('x');
    await at.clock.advance(5);
    expect([second.messages, [...server.peers].map(({ id }) => id)]).toEqual([['x'], [2]]);
    expect(heard.filter((line) => line.startsWith('peerError'))).toEqual(['peerError 1 HANDLER_FAILED']);
    expect(at.network.warnings).toEqual([]);
    await server.dispose();
  });

  test.each(ways)('a listener of `refused` that %s harms nobody: told by environment.warn', async (_, fails) => {
    const at = stage();
    const server = await at.serve(echo, { maxConnections: 1 });
    server.on('refused', fails as () => void);
    const client = await dialRaw(at);
    await dialRaw(at);
    client.say('x');
    await at.clock.advance(5);
    expect(client.messages).toEqual(['x']);
    expect(at.network.warnings).toMatchObject([{ code: 'NINJA_HANDLER_FAILED', cause: oops }]);
    await server.dispose();
  });

  test('is called after the event `peer`, once for each', async () => {
    const at = stage();
    const order: string[] = [];
    const server = await at.serve((peer) => void order.push(`handler ${peer.id}`));
    server.on('peer', ({ id }) => order.push(`event ${id}`));
    await dialRaw(at);
    await dialRaw(at);
    expect(order).toEqual(['event 1', 'handler 1', 'event 2', 'handler 2']);
    await server.dispose();
  });
});
