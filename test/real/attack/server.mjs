// The server under attack, in a process of its own, as users have it: what was built. Options come as JSON; it tells its
// parent its port, and then, whenever it is asked, what became of its peers.
import { listen } from '../../../dist/index.js';

/** Memory of its own for each, as programs have it: the library does not copy what is so long. */
const piece = (i) => Buffer.alloc(64 * 1024, i);
const ENOUGH = 1024;
const ends = {};
const count = (what) => {
  ends[what] = (ends[what] ?? 0) + 1;
};
let most = 0;

const server = await listen({ host: '127.0.0.1', port: 0, ...JSON.parse(process.argv[2]) }, async (peer) => {
  most = Math.max(most, server.peers.size);
  peer.on('disposed', ({ reason }) => count(reason.code));
  for await (const message of peer) {
    const wish = `${message.subarray(0, 20)}`;
    if (wish === 'much, politely') {
      for (let i = 0; i < ENOUGH; i += 1) if (!peer.send(piece(i))) await peer.drained();
    } else if (wish === 'much, rudely') {
      for (let i = 0; i < ENOUGH; i += 1) peer.send(piece(i));
    } else if (!peer.send(message)) await peer.drained();
  }
});
server.on('refused', ({ error }) => count(error.code));
// A line's own error, which its handler let pass, was counted above.
server.on('peerError', ({ error }) => {
  if (error.code === 'NINJA_HANDLER_FAILED') count(`${error.code} by ${error.cause?.code}`);
});
process.on('message', (what) => {
  if (what === 'collect') globalThis.gc();
  process.send({ peers: server.peers.size, most, ends, held: process.memoryUsage().arrayBuffers });
});
process.on('disconnect', () => process.exit());
process.send({ port: server.address().port });
