// What becomes of messages that are sent while the line is down, and of those that were under way when it broke.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect, listen } from 'ninja-tcp';

// A server that hangs up as soon as it has heard something.
const rude = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
await once(rude, 'listening');
const address = rude.address();
const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

const connection = connect({ host: '127.0.0.1', port, backoff: () => 100, heartbeatInterval: 0 });
await connection.connected();
connection.send('one');
connection.send('two');
const [lost] = await once(connection, 'disconnected');
console.log(`written, and perhaps lost: ${lost.unknown.from} to ${lost.unknown.to}`); // → written, and perhaps lost: 1 to 2

connection.send('three');
connection.send('four', { ttl: 1 });
console.log(`held: ${connection.stats().outbox.messages} of ${connection.accepted}`); // → held: 2 of 4

connection.on('dropped', ({ code, from, to }) => console.log(`${code}: ${from} to ${to}`)); // → NINJA_EXPIRED: 4 to 4
rude.close();
const server = await listen({ host: '127.0.0.1', port }, (peer) => {
  peer.on('message', (message) => console.log(`received: ${message}`)); // → received: three
});
await connection.connected({ proven: true });
await connection.close();
await server.close();
