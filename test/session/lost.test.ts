import { describe, expect, test } from 'vitest';
import type { Peer } from '../../src/index.js';
import { collect } from '../connection/stage.js';
import { answer, peerSessionJournal, play, settled } from './stage.js';

const short = { resumeWindow: 1000 };

describe('a session that is lost', () => {
  test('since nobody came back in time, is told once on each side, with what nobody can say', async () => {
    const { at, connection, heard, journals, peers, server } = await play({
      handler: () => new Promise(() => {}),
      client: { session: short, backoff: () => 2000 },
    });
    const told = settled(connection.deliver('one'));
    const flushed = settled(connection.flush());
    (peers[0] as Peer).send('unheard');
    await at.clock.advance(50);
    at.network.resetAll();
    await at.clock.advance(10);
    const waiting = settled(connection.deliver('two'));
    await at.clock.advance(5000);
    expect(heard.slice(1)).toEqual([
      'disconnected RESET held 1-1',
      'lost EXPIRED 0 unknown 1-1',
      'dropped GAVE_UP 2-2',
      'disconnected SESSION_LOST',
      'failed SESSION_LOST',
    ]);
    expect([told.is, flushed.is, waiting.is]).toEqual([
      'SESSION_LOST unknown',
      'SESSION_LOST unknown',
      'GAVE_UP notSent',
    ]);
    expect(journals[0]).toEqual(['detached RESET', 'disposed SESSION_LOST unknown 1-1']);
    expect([server.peers.size, connection.state, connection.substate]).toEqual([0, 'disconnected', 'failed']);
    await server.dispose();
    await connection.dispose();
  });

  test("is followed by another where the policy is 'new', and what waits goes there", async () => {
    const got: string[] = [];
    const { at, connection, heard, peers, server } = await play({
      handler: (peer) => collect(got)(peer),
      client: { session: { ...short, onSessionLost: 'new' }, backoff: () => 2000 },
    });
    connection.send('one');
    await at.clock.advance(50);
    at.network.resetAll();
    await at.clock.advance(10);
    const told = settled(connection.deliver('two'));
    await at.clock.advance(10_000);
    expect(heard.slice(1)).toEqual([
      'disconnected RESET',
      'lost EXPIRED 1',
      'disconnected SESSION_LOST held 2-2',
      'connected 3',
    ]);
    expect([got, told.is, peers.length]).toEqual([['one', 'two'], '{"outcome":"handled"}', 2]);
    // Numbers begin anew in the new session; those of accepted messages do not.
    expect([connection.accepted, connection.session?.resumes]).toEqual([2, 0]);
    await server.dispose();
    await connection.dispose();
  });

  test('to a server that does not know it is given up, and a failed connection can be revived', async () => {
    const stage = await play({ client: { backoff: () => 500 } });
    const { at, connection, heard, server } = stage;
    connection.on('message', () => {});
    connection.send('one');
    await at.clock.advance(50);
    await server.dispose();
    const again = await at.serve(answer, { session: 'require' });
    await at.clock.advance(3000);
    expect(heard.slice(1)).toEqual([
      'disconnected CLOSED_BY_PEER',
      'lost UNKNOWN 1',
      'disconnected SESSION_LOST',
      'failed SESSION_LOST',
    ]);
    connection.connect();
    const told = settled(connection.deliver('two'));
    await at.clock.advance(100);
    expect([told.is, connection.state]).toEqual(['{"outcome":"handled"}', 'connected']);
    await again.dispose();
    await connection.dispose();
  });

  test('by an order of the program is told, and another one begins', async () => {
    const { at, connection, heard, server } = await play({ handler: () => new Promise(() => {}) });
    connection.send('one');
    await at.clock.advance(50);
    connection.session?.actor.send({ type: 'abandon' });
    await at.clock.advance(500);
    expect(heard.slice(1)).toEqual(['disconnected SESSION_LOST', 'lost ABANDONED 0 unknown 1-1', 'connected 2']);
    await server.dispose();
    await connection.dispose();
  });

  test('that carried nothing is no loss: another one begins, whatever the policy', async () => {
    const { at, connection, heard, server } = await play({ client: { backoff: () => 500 } });
    await server.dispose();
    const again = await at.serve(answer, { session: 'require' });
    await at.clock.advance(5000);
    expect(heard.slice(1).filter((line) => !line.startsWith('disconnected'))).toEqual(['connected 3']);
    await again.dispose();
    await connection.dispose();
  });
});

describe('a detached peer', () => {
  test('that is closed waits for its client for drainTimeout, and hands over then', async () => {
    const { at, connection, peers, server } = await play({ handler: () => {}, client: { backoff: () => 1000 } });
    const got: string[] = [];
    connection.on('message', (message) => void got.push(`${message}`));
    const peer = peers[0] as Peer;
    at.network.resetAll();
    await at.clock.advance(10);
    peer.send('late');
    const closed = settled(peer.close());
    await at.clock.advance(10);
    expect([peer.state, peer.substate]).toEqual(['detached', 'draining']);
    await at.clock.advance(3000);
    expect([got, closed.is.includes('NINJA_DISPOSED')]).toEqual([['late'], true]);
    await server.dispose();
    await connection.dispose();
  });

  test('that is closed, and whose client stays away, ends by drainTimeout', async () => {
    const { at, connection, peers, server } = await play({
      handler: () => {},
      client: { backoff: () => 60_000 },
      server: { drainTimeout: 5000 },
    });
    const peer = peers[0] as Peer;
    at.network.resetAll();
    await at.clock.advance(10);
    const heard = peerSessionJournal(peer);
    void peer.close();
    await at.clock.advance(4900);
    expect(heard).toEqual([]);
    await at.clock.advance(200);
    expect(heard).toEqual(['disposed DRAIN_TIMEOUT']);
    await server.dispose();
    await connection.dispose();
  });

  test('is no hindrance for a server that closes', async () => {
    const { at, connection, journals, server } = await play({ handler: () => {}, client: { backoff: () => 60_000 } });
    at.network.resetAll();
    await at.clock.advance(10);
    const closed = settled(server.close());
    await at.clock.advance(10);
    expect(closed.is).toContain('NINJA_DISPOSED');
    expect(journals[0]).toEqual(['detached RESET', 'disposed DISPOSED']);
    await connection.dispose();
  });

  test('does not count as a socket: maxConnections and maxConnectionsPerAddress let others in', async () => {
    const { at, connection, server, refusals, peers } = await play({
      handler: () => {},
      client: { backoff: () => 60_000 },
      server: { maxConnections: 1, maxConnectionsPerAddress: 1 },
    });
    at.network.resetAll();
    await at.clock.advance(10);
    const other = at.dial({ session: true });
    await at.clock.advance(100);
    expect([other.state, refusals, peers.length]).toEqual(['connected', [], 2]);
    const third = at.dial({ session: true, backoff: () => false });
    await at.clock.advance(100);
    expect([third.state, refusals.length]).toEqual(['disconnected', 1]);
    for (const one of [connection, other, third]) await one.dispose();
    await server.dispose();
  });
});
