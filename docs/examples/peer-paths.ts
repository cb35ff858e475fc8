// Every path of a client's life, against a server of your own. Run it with `node --test`.
import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { type ListenOptions, listen, type Peer } from 'ninja-tcp';
import { peerPaths } from 'ninja-tcp/testing';

/** The server under test: a room that knows who is in it. */
async function startRoom(options: ListenOptions) {
  const guests = new Set<Peer>();
  const server = await listen(options, async (peer) => {
    guests.add(peer);
    try {
      for await (const message of peer) if (!peer.send(message)) await peer.drained();
    } finally {
      guests.delete(peer); // behind the loop it would be skipped where the line breaks: the loop throws then
    }
  });
  return { server, guests };
}

const paths = peerPaths({
  start: ({ port, environment }) => startRoom({ port, environment }),
  message: 'hello',
  check: { connected: (room) => equal(room.guests.size, 1), disposed: (room) => equal(room.guests.size, 0) },
});
for (const path of paths) test(path.title, () => path.run());
test('every check was called', () => equal(paths.checked.size, 2));
