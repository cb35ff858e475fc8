// Three ways to read. A message goes to exactly one place.
import { once } from 'node:events';
import { connect, listen, type NinjaTcpError } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0 });
for (const word of ['one', 'two', 'three', 'four']) connection.send(word);

// 1. for await: reads at the pace of the loop; `break` ends the loop, not the connection.
for await (const message of connection) {
  console.log(`iterated ${message}`); // → iterated one
  break;
}

// 2. receive(): what is there, without waiting; undefined when there is nothing.
const next = connection.receive();
console.log(`received ${next}`); // → received two

// 3. on('message'): everything, as it comes. What waited in the inbox comes first.
connection.on('message', (message) => console.log(`heard ${message}`)); // → heard three
await once(connection, 'message'); // → heard four

// A listener and an iterator at once would take each other's messages: the second is refused.
try {
  connection.messages();
} catch (error) {
  console.log((error as NinjaTcpError).code); // → NINJA_INVALID_OPTION
}
await connection.close();
await server.close();
