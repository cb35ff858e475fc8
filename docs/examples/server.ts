// A server whose peers come and go: a small chat.
import { connect, listen, type Peer } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) {
    for (const other of server.peers) if (other !== peer) tell(other, `${peer.id}: ${message}`);
  } // Here the client has closed. When this function returns, the peer is flushed and closed.
});

/** send() throws for a peer that is closing, or does not read and is full: the others are not to suffer from it. */
function tell(peer: Peer, text: string): void {
  try {
    peer.send(text);
  } catch {
    void peer.dispose();
  }
}

server.on('peerError', ({ peer, error }) => console.error(`${peer.name}: ${error.message}`));
server.on('refused', ({ remoteAddress, error }) => console.error(`${remoteAddress}: ${error.message}`));

const port = server.address()?.port ?? 0;
const [alice, bob] = [connect({ host: '127.0.0.1', port }), connect({ host: '127.0.0.1', port })];
await Promise.all([alice.connected({ proven: true }), bob.connected({ proven: true })]);
alice.send('good morning');
for await (const message of bob) {
  console.log(message.toString()); // → …: good morning
  break;
}
console.log(server.peers.size, server.state); // → 2 listening
await Promise.all([alice.close(), bob.close()]);
await server.close();
console.log(server.explain()); // → 127.0.0.1:0 disposed on 127.0.0.1:… since …: the program called close()
