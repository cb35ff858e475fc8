// An echo server that prints its port; it is started with very few file descriptors.
import { listen } from '../../../dist/index.js';

const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
console.log(server.address().port);
