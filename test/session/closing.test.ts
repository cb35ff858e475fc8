import { expect, test } from 'vitest';
import type { Peer } from '../../src/index.js';
import { collect, journal, type Stage, stage } from '../connection/stage.js';
import { play, settled } from './stage.js';

test('close() while it waits for the next attempt does not wait for it: drainTimeout bounds it, however long the backoff', async () => {
  const at = stage();
  const got: string[] = [];
  const server = await at.serve(collect(got), { session: 'require' });
  const connection = at.dial({ session: true, backoff: () => 3_600_000, drainTimeout: 4000 });
  await at.clock.runUntil(connection.connected());
  at.network.cut();
  connection.send('late');
  await at.clock.runUntil(() => connection.substate === 'waiting');
  at.network.heal();
  const heard = journal(connection);
  const from = at.clock.now();
  const reason = await at.clock.runUntil(connection.close());
  expect(at.clock.now() - from).toBeLessThan(4000);
  expect([reason.code, got]).toEqual(['NINJA_DISPOSED', ['late']]);
  expect(heard).toEqual(['connecting 2 attempt 2', 'connected 2', 'disposed DISPOSED']);
  await server.dispose();
});

const lost = async (at: Stage, more: object = {}) => {
  const got: string[] = [];
  const server = await at.serve(collect(got), { session: 'require' });
  const connection = at.dial({ session: true, ...more });
  await at.clock.runUntil(connection.connected());
  at.network.cut();
  await at.clock.runUntil(() => connection.substate === 'waiting');
  return { server, connection, got };
};

test('close() hands over what was accepted while the session had no socket, as what it had numbered before', async () => {
  const at = stage();
  const { server, connection, got } = await lost(at);
  connection.send('kept');
  at.network.heal();
  const reason = await at.clock.runUntil(connection.close());
  expect([reason.code, got]).toEqual(['NINJA_DISPOSED', ['kept']]);
  await server.dispose();
});

test('close() of a session with nothing left ends at once, as one without', async () => {
  const at = stage();
  const { server, connection } = await lost(at);
  const from = at.clock.now();
  await at.clock.runUntil(connection.close());
  expect(at.clock.now()).toBe(from);
  await server.dispose();
});

test('close() before there is a session does not wait for one', async () => {
  const at = stage();
  const connection = at.dial({ session: true });
  connection.send('held');
  await at.clock.runUntil(() => connection.substate === 'waiting');
  const heard = journal(connection);
  await at.clock.runUntil(connection.close());
  expect(heard).toEqual(['dropped DISPOSED 1-1', 'disposed DISPOSED']);
});

test.each([
  [
    'the answer to a goodbye: the client is told by the refusal of its resume',
    'client',
    ['connected 1', 'disconnected RESET', 'disposed DISPOSED'],
    ['disposed CLOSED_BY_PEER'],
  ],
  [
    'the goodbye: the server says it again',
    'server',
    ['connected 1', 'disconnected RESET', 'connected 2', 'resumed 0 again, 0 twice', 'disconnected CLOSED_BY_PEER'],
    ['detached RESET', 'resumed 0 again', 'disposed DISPOSED'],
  ],
] as const)('a socket breaks with %s', async (_, who, near, far) => {
  const { at, connection, server, heard, peers, journals } = await play();
  const ended = settled(who === 'client' ? connection.close() : (peers[0] as Peer).close());
  at.network.cut({ from: 'server' });
  await at.clock.advance(20);
  at.network.resetAll();
  at.network.heal();
  await at.clock.advance(180);
  expect([ended.is, heard, journals[0]]).toEqual([expect.stringContaining('DISPOSED'), near, far]);
  await server.dispose();
  await connection.dispose();
});

test('a client that has answered the goodbye is told of it, not of the reset behind', async () => {
  const { at, connection, server, heard, peers, journals } = await play();
  void (peers[0] as Peer).close();
  at.network.cut({ from: 'client' });
  await at.clock.advance(20);
  at.network.resetAll();
  at.network.heal();
  await at.clock.advance(10);
  expect([heard.slice(0, 2), journals[0]]).toEqual([
    ['connected 1', 'disconnected CLOSED_BY_PEER'],
    ['detached RESET'],
  ]);
  await server.dispose();
  await connection.dispose();
});
