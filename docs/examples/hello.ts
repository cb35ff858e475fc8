import { connect, listen } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 65432 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});

const connection = connect({ host: '127.0.0.1', port: 65432 });
connection.on('stale', ({ silentForMs }) => console.log(`silent for ${Math.round(silentForMs)} ms`));
connection.on('disconnected', ({ reason }) => console.log(`lost: ${reason.message}`));

connection.send('hello');
for await (const message of connection) {
  console.log(message.toString()); // → hello
  break;
}
console.log(connection.explain()); // → 127.0.0.1:65432 connected (live) since …, epoch 1; last byte …

await connection.close();
await server.close();
