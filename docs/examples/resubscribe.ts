// The test of a program of your own: it has to subscribe again on every fresh line. Run it with `node --test`.
import { test } from 'node:test';
import { type Connection, connect } from 'ninja-tcp';
import { createNetwork, createScript, createVirtualClock, frame } from 'ninja-tcp/testing';

/** The program under test. */
const subscribe = (connection: Connection, topic: string) =>
  connection.on('connected', () => connection.send(`subscribe ${topic}`));

test('it subscribes again after the line was reset', async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock });
  const wanted = frame('subscribe prices');
  const script = createScript().expect(wanted).wait(50).reset().nextConnection().expect(wanted);
  const server = script.listen({ environment: network.environment('server'), port: 7 });
  const connection = connect({ host: 'server', port: 7, environment: network.environment('client') });
  subscribe(connection, 'prices');
  await clock.runUntil(server.done());
  await connection.dispose();
});
