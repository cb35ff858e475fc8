// A server that echoes, and tells what happens to its peers. Its argument: the options of `listen` as JSON.
//   {"pulse": true}    tells `pulse`: by how many milliseconds this process was late at most since that was last asked
//   {"memory": true}   tells `memory`: the resident bytes of this process, garbage collected where --expose-gc allows it
import { listen, nodeEnvironment } from '../../../dist/index.js';
import { controlled, now, obey, tell } from './telling.mjs';

const PULSE = 10;
const { environment, lateness } = controlled(nodeEnvironment);
const server = await listen({ port: 0, ...JSON.parse(process.argv[2]), environment }, async (peer) => {
  const { id } = peer;
  const facts = () => ({ id, peers: server.peers.size });
  tell('peer', facts());
  peer.on('live', () => tell('peer live', facts()));
  peer.on('stale', ({ silentForMs }) => tell('peer stale', { ...facts(), silentForMs, late: lateness() }));
  peer.on('disposed', ({ reason }) => tell('peer disposed', { id, peers: server.peers.size - 1, code: reason.code }));
  for await (const message of peer) peer.send(message);
});
// A line that is lost ends its handler with an error: no news here.
server.on('peerError', () => {});
tell('listening', { port: server.address().port });

let late = 0;
let ranAt = now();
setInterval(() => {
  late = Math.max(late, now() - ranAt - PULSE);
  ranAt = now();
}, PULSE);

obey((order) => {
  if (order.pulse) {
    tell('pulse', { late });
    late = 0;
  }
  if (order.memory) {
    globalThis.gc?.();
    tell('memory', { bytes: process.memoryUsage.rss(), peers: server.peers.size });
  }
});
