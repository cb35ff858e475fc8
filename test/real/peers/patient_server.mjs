// A live peer that speaks every so many milliseconds and forgives long silences: it echoes, and prints its port.
import { listen } from '../../../dist/index.js';

const heartbeatInterval = Number(process.argv[2]);
const server = await listen({ host: '127.0.0.1', port: 0, staleAfter: 60_000, heartbeatInterval }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
console.log(server.address().port);
