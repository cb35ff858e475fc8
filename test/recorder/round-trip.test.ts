import { describe, expect, test } from 'vitest';
import { type Connection, connect, type FlightDump, listen, type Peer } from '../../src/index.js';
import { discreet } from '../../src/recorder/plain.js';
import { connectionPaths, type PathWorld, peerPaths, replay } from '../../src/testing/index.js';

/** Through text and back, as a bug report goes. */
const posted = (dump: FlightDump | undefined): unknown => JSON.parse(JSON.stringify(dump));

/** Replays a dump, and compares with what the line itself remembers. */
function demandSame(one: Connection | Peer): void {
  const { steps, difference } = replay(posted(one.flightRecorder?.dump()));
  expect(difference).toBeUndefined();
  const told = one.history.map(({ to, cause, reason }) => ({
    to,
    cause,
    ...(reason && { reason: { ...reason, message: discreet(reason.message) } }),
  }));
  const seen = steps.flatMap(({ entered }) => entered);
  expect(seen.slice(-told.length)).toEqual(seen.length === 0 ? [] : told.slice(-seen.length));
}

const greeted = async (peer: Peer): Promise<void> => {
  for await (const _ of peer) peer.send('welcome');
};
const echo = async (peer: Peer): Promise<void> => {
  for await (const message of peer) if (!peer.send(message)) await peer.drained();
};

// All that is kept; and so little that the recorder overflows on each path.
describe.each([500, 1])('with %d entries', (entries) => {
  const flightRecorder = { entries, payloads: 20 };
  const dial = ({ host, port, environment }: PathWorld, more: object = {}): Connection =>
    connect({ host, port, environment, flightRecorder, ...more });
  const sets = {
    'a connection': connectionPaths({ start: (world) => dial(world), message: 'held' }),
    'a connection with a session': connectionPaths({
      start: (world) => dial(world, { session: { onSessionLost: 'new' } }),
      session: 'new',
      message: 'held',
    }),
    'a connection of two attempts': connectionPaths({
      start: (world) => dial(world, { maxAttempts: 2 }),
      maxAttempts: 2,
      orders: ['connect', 'close'],
    }),
    'a connection with a login': connectionPaths({
      start: (world) =>
        dial(world, {
          onConnect: async (line: { send(message: string): void; receive(): Promise<Buffer> }) => {
            line.send('login');
            if (`${await line.receive()}` !== 'welcome') throw new Error('no welcome');
          },
        }),
      greets: true,
      serve: ({ environment, port }) => listen({ environment, port, staleAfter: 0, heartbeatInterval: 100 }, greeted),
    }),
  };

  const walked = Object.entries(sets).slice(0, entries === 1 ? 2 : undefined);
  describe.each(walked)('%s', (_name, paths) => {
    test.each(paths.map((path) => [path.title, path] as const))('is replayed as it was: %s', async (_title, path) => {
      let last: Connection | undefined;
      await path.run(({ connection }: { connection: Connection }) => {
        last = connection;
        demandSame(connection);
      });
      demandSame(last as Connection);
    });
  });

  const ofPeers = [undefined, 'require' as const].flatMap((session) => [
    ...peerPaths({
      start: ({ port, environment }) => listen({ port, environment, flightRecorder, session }, echo),
      session: session !== undefined,
      message: 'hello',
    }).map((path) => [session ? 'with a session ' : '', path.title, path] as const),
  ]);
  test.each(ofPeers)('a peer %sis replayed as it was: %s', async (_, __, path) => {
    let last: Peer | undefined;
    await path.run(({ peer }: { peer: Peer }) => {
      last = peer;
      demandSame(peer);
    });
    demandSame(last as Peer);
  });
});
