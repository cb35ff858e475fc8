// The test of a program of your own: it has to subscribe again on every fresh line. Run it with `node --test`.
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, connect, listen, type Peer } from 'ninja-tcp';
import { createNetwork, createVirtualClock } from 'ninja-tcp/testing';

/** The program under test. */
const subscribe = (connection: Connection, topic: string) =>
  connection.on('connected', () => connection.send(`subscribe ${topic}`));

test('it subscribes again after the server was killed', async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock });
  const host = network.host('server');
  const heard: string[] = [];
  const hear = (peer: Peer) => void peer.on('message', (message) => heard.push(`${message}`));
  const start = () => clock.runUntil(listen({ port: 7, environment: host.environment() }, hear));
  await start();
  const connection = connect({ host: 'server', port: 7, environment: network.environment('client') });
  subscribe(connection, 'prices');
  await clock.runUntil(() => heard.length === 1);
  host.crash();
  await start();
  await clock.runUntil(() => heard.length === 2);
  deepEqual(heard, ['subscribe prices', 'subscribe prices']);
  await connection.dispose();
});
