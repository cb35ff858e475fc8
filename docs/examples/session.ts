// Nothing is lost, whatever becomes of the socket: a session on both sides.
import { once } from 'node:events';
import { connect, listen } from 'ninja-tcp';
import { createFaultProxy } from 'ninja-tcp/testing';

const server = await listen({ host: '127.0.0.1', port: 0, session: 'require' }, async (peer) => {
  // The peer is the session: this loop goes on over any number of sockets.
  for await (const message of peer) peer.send(`got ${message}`);
});
const proxy = await createFaultProxy({ target: { port: server.address()?.port ?? 0 } });

const connection = connect({ host: proxy.host, port: proxy.port, session: true, backoff: () => 50 });
let answers = 0;
connection.on('message', (message) => {
  answers += 1;
  if (`${message}` !== `got ${answers}`) console.log(`out of order: ${message}`);
});
connection.on('resumed', ({ replayed }) => console.log(replayed > 0 ? 'resumed, with a replay' : 'resumed')); // → resumed, with a replay
await connection.connected();

for (let n = 1; n <= 1000; n += 1) connection.send(`${n}`);
const resumed = once(connection, 'resumed');
proxy.resetAll(); // the cable, a balancer, a phone in a tunnel
await resumed;

const { outcome } = await connection.deliver('1001'); // the server's loop has asked for the next one
console.log(outcome); // → handled
await connection.flush(); // and all before it
await connection.close(); // both sides have handled everything
await server.close();
await proxy.close();
console.log(`${answers} answers, in order`); // → 1001 answers, in order
