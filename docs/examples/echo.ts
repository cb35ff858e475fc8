// A server, a client, and what happens when the server goes away and comes back.
import { once } from 'node:events';
import { connect, listen, type Peer } from 'ninja-tcp';

async function echo(peer: Peer): Promise<void> {
  for await (const message of peer) {
    if (!peer.send(message)) await peer.drained();
  }
}

const server = await listen({ host: '127.0.0.1', port: 0 }, echo);
const port = server.address()?.port ?? 0;

const connection = connect({ host: '127.0.0.1', port, name: 'echo' });
connection.on('live', ({ epoch }) => console.log(`live, epoch ${epoch}`)); // → live, epoch 1
connection.on('disconnected', ({ reason }) => console.log(`lost: ${reason.code}`));
connection.on('message', (message) => console.log(`echo of ${message}`));

connection.send('one');
await once(connection, 'message'); // → echo of one

await server.dispose(); // the server is gone …
await once(connection, 'disconnected'); // → lost: NINJA_…
connection.send('two'); // … this is held …

const again = await listen({ host: '127.0.0.1', port }, echo); // … and it is back.
await once(connection, 'message');
// → lost: NINJA_CONNECT_FAILED (zero or more times)
// → live, epoch … (zero or more times)
// → echo of two

await connection.close();
await again.close();
