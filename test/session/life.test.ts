import { describe, expect, test } from 'vitest';
import type { Peer } from '../../src/index.js';
import { answer, answers, play, settled } from './stage.js';

describe('a session', () => {
  test('survives its socket: the same peer and the same iteration go on, and nothing is lost or doubled', async () => {
    const got: string[] = [];
    const { at, connection, heard, peers, journals, server } = await play({
      handler: async (peer) => {
        for await (const message of peer) {
          got.push(`${message}`);
          peer.send(`re ${message}`);
        }
      },
    });
    const back = answers(connection);
    connection.send('one');
    await at.clock.advance(50);
    for (let turn = 0; turn < 3; turn += 1) {
      connection.send(`a${turn}`);
      at.network.resetAll();
      connection.send(`b${turn}`);
      await at.clock.advance(300);
    }
    const all = ['one', 'a0', 'b0', 'a1', 'b1', 'a2', 'b2'];
    expect(got).toEqual(all);
    expect(back).toEqual(all.map((message) => `re ${message}`));
    expect([peers.length, server.peers.size, (peers[0] as Peer).state]).toEqual([1, 1, 'connected']);
    expect(heard).toEqual([
      'connected 1',
      'disconnected RESET held 2-3',
      'connected 2',
      'resumed 2 again, 0 twice',
      'disconnected RESET held 4-5',
      'connected 3',
      'resumed 2 again, 0 twice',
      'disconnected RESET held 6-7',
      'connected 4',
      'resumed 2 again, 0 twice',
    ]);
    const turn = ['detached RESET', 'resumed 0 again'];
    expect(journals[0]).toEqual([...turn, ...turn, ...turn]);
    await server.dispose();
    await connection.dispose();
  });

  test('keeps what is sent while it has no socket, on both sides', async () => {
    const { at, connection, peers, server } = await play({ handler: () => {}, client: { backoff: () => 1000 } });
    const back = answers(connection);
    const got: string[] = [];
    const peer = peers[0] as Peer;
    peer.on('message', (message) => void got.push(`${message}`));
    at.network.resetAll();
    await at.clock.advance(10);
    expect([connection.state, peer.state, peer.substate, connection.session?.state, peer.session?.state]).toEqual([
      'disconnected',
      'detached',
      'waiting',
      'detached',
      'detached',
    ]);
    for (const n of [1, 2, 3]) {
      connection.send(`to server ${n}`);
      peer.send(`to client ${n}`);
    }
    await at.clock.advance(1500);
    expect(got).toEqual(['to server 1', 'to server 2', 'to server 3']);
    expect(back).toEqual(['to client 1', 'to client 2', 'to client 3']);
    await server.dispose();
    await connection.dispose();
  });

  test('ends in peace when the client closes: all is handled on both sides, over another socket if need be', async () => {
    const got: string[] = [];
    const { at, connection, heard, journals, server, peers } = await play({
      handler: async (peer) => {
        for await (const message of peer) got.push(`${message}`);
      },
    });
    for (let n = 0; n < 1000; n += 1) connection.send(`${n}`);
    const closed = settled(connection.close());
    at.network.resetAll();
    await at.clock.advance(2000);
    expect(got).toEqual(Array.from({ length: 1000 }, (_, n) => `${n}`));
    expect(closed.is).toContain('NINJA_DISPOSED');
    expect(heard.at(-1)).toBe('disposed DISPOSED');
    expect(heard).toContain('connected 2');
    expect(journals[0]?.at(-1)).toBe('disposed CLOSED_BY_PEER');
    expect([peers.length, server.peers.size]).toEqual([1, 0]);
    await server.dispose();
  });

  test("ends in peace when the server's handler is done, and the client begins another one", async () => {
    const { at, connection, heard, peers, server } = await play({
      handler: async (peer) => {
        for await (const message of peer) {
          peer.send(`last words after ${message}`);
          return;
        }
      },
    });
    const back = answers(connection);
    connection.send('one');
    await at.clock.advance(500);
    expect(back).toEqual(['last words after one']);
    expect(peers.map(({ state }) => state)).toEqual(['disposed', 'connected']);
    expect(heard).toEqual(['connected 1', 'disconnected CLOSED_BY_PEER', 'connected 2']);
    await server.dispose();
    await connection.dispose();
  });

  test('ends with the server, which hands over all that its peers sent', async () => {
    const { at, connection, heard, peers, server } = await play({ handler: () => {} });
    const back = answers(connection);
    const peer = peers[0] as Peer;
    for (const n of [1, 2, 3]) peer.send(`${n}`);
    const closing = settled(peer.flush());
    const end = settled(server.close());
    await at.clock.advance(500);
    expect([back, closing.is, end.is.includes('NINJA_DISPOSED')]).toEqual([['1', '2', '3'], 'undefined', true]);
    expect(heard.slice(0, 2)).toEqual(['connected 1', 'disconnected CLOSED_BY_PEER']);
    await connection.dispose();
  });

  test('lets close() end it while there is no socket: what is kept is handed over first', async () => {
    const got: string[] = [];
    const { at, connection, heard, server } = await play({
      handler: async (peer) => {
        for await (const message of peer) got.push(`${message}`);
      },
      client: { backoff: () => 500 },
    });
    connection.send('one');
    at.network.resetAll();
    await at.clock.advance(10);
    expect(connection.substate).toBe('waiting');
    const closed = settled(connection.close());
    await at.clock.advance(1500);
    expect([got, closed.is.includes('NINJA_DISPOSED'), heard.at(-1)]).toEqual([['one'], true, 'disposed DISPOSED']);
    await server.dispose();
  });

  test('is given up by dispose(), which tells what nobody can say', async () => {
    const { at, connection, heard, server, journals } = await play({ handler: () => {} });
    connection.send('one');
    at.network.resetAll();
    await at.clock.advance(10);
    await connection.dispose();
    expect(heard.slice(1)).toEqual(['disconnected RESET held 1-1', 'disposed DISPOSED unknown 1-1']);
    await at.clock.advance(130_000);
    expect(journals[0]).toEqual(['detached RESET', 'disposed SESSION_LOST']);
    expect(server.peers.size).toBe(0);
    await server.dispose();
  });

  test('has messages of no bytes', async () => {
    const { at, connection, server } = await play({ handler: answer });
    const back = answers(connection);
    connection.send('');
    connection.send(new Uint8Array(0));
    await at.clock.advance(50);
    expect(back).toEqual(['', '']);
    await server.dispose();
    await connection.dispose();
  });

  test('goes stale on a cut cable, and goes on when it heals', async () => {
    const { at, connection, heard, journals, server } = await play();
    const back = answers(connection);
    at.network.cut();
    connection.send('one');
    await at.clock.advance(8000);
    expect(heard[1]).toBe('disconnected STALE held 1-1');
    expect(journals[0]).toEqual(['detached STALE']);
    at.network.heal();
    await at.clock.advance(8000);
    expect(back).toEqual(['one']);
    expect(journals[0]).toEqual(['detached STALE', 'resumed 0 again']);
    await server.dispose();
    await connection.dispose();
  });
});
