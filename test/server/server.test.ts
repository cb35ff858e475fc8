import { describe, expect, test } from 'vitest';
import { listen } from '../../src/index.js';
import { collect, echo, firstPeer, journal, outcome, PORT, stage } from '../connection/stage.js';
import { dialRaw, peerJournal, serverJournal } from './stage.js';

describe('peers', () => {
  test('are in the set from acceptance to their end, numbered from 1', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const clients = [await dialRaw(at), await dialRaw(at, 'other'), await dialRaw(at)];
    expect([...server.peers].map(({ id, remoteAddress }) => `${id} ${remoteAddress}`)).toEqual([
      '1 10.0.0.2',
      '2 10.0.0.3',
      '3 10.0.0.2',
    ]);
    clients[1]?.transport.destroy();
    await at.clock.advance(5);
    expect([...server.peers].map(({ id }) => id)).toEqual([1, 3]);
    await dialRaw(at);
    expect([...server.peers].map(({ id }) => id)).toEqual([1, 3, 4]);
    await server.dispose();
    expect(server.peers.size).toBe(0);
  });

  test('hold data of the program, say who they are, and explain themselves', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const client = await dialRaw(at);
    const peer = firstPeer(server);
    expect(peer.data).toBeUndefined();
    peer.data = { user: 7 };
    expect(firstPeer(server).data).toEqual({ user: 7 });
    expect(peer.name).toMatch(/^peer 1 10\.0\.0\.2:\d+$/);
    expect(peer.explain()).toMatch(/^peer 1 .* connected \(unproven\) since .*; no byte yet; next check in/);
    client.say('x');
    await at.clock.advance(5);
    expect([peer.state, peer.substate]).toEqual(['connected', 'live']);
    await peer.dispose();
    expect(peer.explain()).toMatch(/^peer 1 .* disposed since .*: the program called dispose\(\)$/);
    expect(peer.history.map(({ to, cause }) => `${to} by ${cause}`)).toEqual([
      'connected.unproven by start',
      'connected.live by socket.heard',
      'disposed by dispose',
    ]);
    await server.dispose();
  });

  test('speak first, and go stale by themselves', async () => {
    const at = stage();
    const server = await at.serve(echo, { staleAfter: 500 });
    const client = await dialRaw(at);
    expect(client.heard).toEqual(['opened', 'heartbeat']);
    const heard = peerJournal(firstPeer(server));
    client.say('x');
    await at.clock.runUntil(() => heard.length === 3);
    expect(heard.slice(0, 2)).toEqual(['live', 'stale after 500']);
    await at.clock.advance(5);
    expect([heard.at(-1), client.heard.filter((line) => line === 'heartbeat').length]).toEqual([
      'disposed STALE unknown 1-1',
      4,
    ]);
    await server.dispose();
  });

  test('of a client with the same defaults stay up for an hour of silence', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    const heard = journal(connection);
    await at.clock.advance(3_600_000);
    expect([heard.length, server.peers.size, connection.epoch]).toEqual([3, 1, 1]);
    await connection.dispose();
    await server.dispose();
  });

  test('hold a fast client back while nobody takes', async () => {
    const at = stage({ windowBytes: 2000 });
    const server = await at.serve(undefined, { inboxMessages: 10 });
    const connection = at.dial({ outboxBytes: 100_000, maxFrameLength: 1000 });
    await at.clock.runUntil(connection.connected({ proven: true }));
    const heard = peerJournal(firstPeer(server));
    for (let n = 0; n < 60; n += 1) connection.send('x'.repeat(496));
    await at.clock.advance(10_000);
    const peer = firstPeer(server);
    expect(peer.stats().inbox.messages).toBeLessThan(20);
    expect([heard, connection.stats().pending.bytes > 20_000]).toEqual([
      ['warning reading paused: inbox full, nobody takes'],
      true,
    ]);
    let taken = 0;
    while (taken < 60) {
      if (peer.receive()) taken += 1;
      else await at.clock.advance(1);
    }
    await at.clock.advance(5);
    expect(connection.stats().pending.bytes).toBe(0);
    await connection.dispose();
    await server.dispose();
  });

  test('beyond maxConnections are refused, the others do not notice; one that goes makes room', async () => {
    const at = stage();
    const server = await at.serve(echo, { maxConnections: 2 });
    const heard = serverJournal(server);
    const clients = [await dialRaw(at), await dialRaw(at), await dialRaw(at, 'third')];
    expect(heard).toEqual(['peer 1', 'peer 2', 'refused 10.0.0.3 SERVER_FULL']);
    expect(clients[2]?.heard.at(-1)).toBe('closed');
    clients[0]?.say('x');
    clients[1]?.transport.destroy();
    await at.clock.advance(5);
    clients.push(await dialRaw(at));
    expect([clients[0]?.messages, heard.at(-1)]).toEqual([['x'], 'peer 3']);
    await server.dispose();
    for (const client of clients) client.end();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});

describe('the end of a server', () => {
  test('close(): accepts no more, drains every peer, resolves with the reason', async () => {
    const at = stage({ windowBytes: 1000 });
    const server = await at.serve((peer) => void peer.on('message', (message) => peer.send(message)));
    const heard = serverJournal(server);
    const received: string[] = [];
    const connection = at.dial();
    connection.on('message', (message) => received.push(`${message.length}`));
    connection.send('x'.repeat(8000));
    await at.clock.runUntil(() => server.peers.size === 1 && firstPeer(server).accepted === 1);
    const closing = [server.close(), server.close()].map(outcome);
    expect([server.state, closing[0]?.is]).toEqual(['draining', 'pending']);
    const late = await dialRaw(at, 'late');
    expect(late.heard[0]).toBe('failed ECONNREFUSED');
    await at.clock.runUntil(() => closing[0]?.is !== 'pending');
    await at.clock.settle();
    expect([received, closing.map(({ is }) => is), server.state]).toEqual([
      ['8000'],
      ['DISPOSED', 'DISPOSED'],
      'disposed',
    ]);
    expect(heard).toEqual(['peer 1', 'closed DISPOSED']);
    expect((await server.close()).code).toBe('NINJA_DISPOSED');
    await connection.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('close() with a client that never parts: finTimeout bounds it', async () => {
    const at = stage();
    const server = await at.serve(echo, { finTimeout: 300 });
    await dialRaw(at);
    const before = at.clock.now();
    await at.clock.runUntil(server.close());
    expect(at.clock.now() - before).toBe(300);
  });

  test('close() with a client that does not read: drainTimeout bounds it', async () => {
    const at = stage({ windowBytes: 1000 });
    const server = await at.serve((peer) => void peer.send('x'.repeat(9000)), { drainTimeout: 700, staleAfter: 0 });
    const client = await dialRaw(at);
    client.transport.pause();
    await at.clock.advance(5);
    const before = at.clock.now();
    const reason = await at.clock.runUntil(server.close());
    expect([at.clock.now() - before, reason.code]).toEqual([700, expect.stringMatching(/DRAIN_TIMEOUT|DISPOSED/)]);
    expect([server.peers.size, at.clock.pending]).toEqual([0, 0]);
  });

  test('dispose(): at once, with its peers; twice is fine', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const heard = serverJournal(server);
    const client = await dialRaw(at);
    const peerHeard = peerJournal(firstPeer(server));
    const reasons = await Promise.all([server.dispose(), server.dispose(), server.close(), server.closed()]);
    expect([server.state, server.peers.size, peerHeard, heard.slice(1)]).toEqual([
      'disposed',
      0,
      ['disposed DISPOSED'],
      ['closed DISPOSED'],
    ]);
    expect(new Set(reasons.map(({ code }) => code))).toEqual(new Set(['NINJA_DISPOSED']));
    await at.clock.advance(5);
    expect([client.heard.at(-1), at.clock.pending]).toEqual(['ended', 0]);
  });

  test('is what `await using` does', async () => {
    const at = stage();
    const received: string[] = [];
    const scope = async () => {
      await using server = await listen({ port: PORT, environment: at.server.environment() }, collect(received));
      return server;
    };
    expect((await at.clock.runUntil(scope())).state).toBe('disposed');
  });

  test('closed({ signal }) ends that wait alone', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const controller = new AbortController();
    const aborted = outcome(server.closed({ signal: controller.signal }));
    controller.abort();
    await at.clock.settle();
    expect([aborted.is, server.state]).toEqual(['rejected ABORTED', 'listening']);
    await server.dispose();
  });

  test('history and explain() tell it', async () => {
    const at = stage();
    const server = await at.serve(echo, { name: 'till' });
    await dialRaw(at);
    expect(server.explain()).toMatch(/^till listening on \[::\]:65432 since \d\d:\d\d:\d\d; 1 peer$/);
    await server.dispose();
    expect(server.explain()).toMatch(/^till disposed .*: the program called dispose\(\)$/);
    expect(server.history.map(({ to, cause }) => `${to} by ${cause}`)).toEqual([
      'closed by start',
      'binding by listen',
      'listening by acceptor.listening',
      'disposed by dispose',
    ]);
  });
});
