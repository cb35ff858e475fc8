import { lengthPrefixed } from '../framing/length-prefixed.js';
import type { Peer } from '../peer.js';
import { listen, type Server } from '../server.js';
import { frame } from './bytes.js';
import { demand, PathChecks } from './path-checks.js';
import { titleOf } from './path-graph.js';
import { type PeerOrder, type PeerPlace, peerPlaces } from './peer-path-move.js';
import { PeerRun } from './peer-path-run.js';
import type { PeerWorld } from './peer-path-stage.js';
import type { PeerApp, PeerPath, PeerPaths, PeerPathsOptions, PeerPlaceName, PeerVisit } from './peer-path-types.js';
import { walkPeer } from './peer-path-walk.js';

/** Why no path comes by a place. */
const hints = {
  stale: ': `goesStale` is false',
  'detached.waiting': ': only a peer with a session comes by. Say `session: true`',
  'detached.draining': ': only a peer with a session comes by. Say `session: true`',
};
const name = 'peerPaths';

const allOrders: readonly PeerOrder[] = ['peer.close', 'peer.dispose', 'server.close', 'server.dispose'];
const notFrames = Buffer.from('GET / HTTP/1.1\r\n\r\n');

const echo = async (peer: Peer): Promise<void> => {
  for await (const message of peer) if (!peer.send(message)) await peer.drained();
};
const startEcho =
  (session: 'require' | undefined) =>
  ({ port, environment }: PeerWorld): Promise<Server> =>
    listen({ port, environment, session }, echo);

/**
 * Every path of a client's life as a server sees it, from the statechart of its peers: clients that speak, fall silent,
 * half-close, close in the middle of a frame, are killed or cut off, flood, or send garbage, in every state in which they
 * can; while the program closes or disposes the peer or the server. Then another client comes. Each path runs in a world
 * of its own, on virtual time, with any test runner.
 *
 * ```ts
 * const paths = peerPaths({
 *   start: ({ port, environment }) => startMyServer({ port, environment }),
 *   check: { disposed: (app) => equal(app.rooms.size, 0) },
 * });
 * for (const path of paths) test(path.title, () => path.run());
 * ```
 *
 * @throws TypeError for a check or an order of a name that there is not, or where no path comes by
 */
export function peerPaths<App extends PeerApp = Server>(options: PeerPathsOptions<App> = {}): PeerPaths<App> {
  const { check = {}, orders = allOrders, goesStale = true, flood = 200, heartbeat = '', seed = 1 } = options;
  const {
    framing = lengthPrefixed(),
    garbage = options.framing ? false : notFrames,
    frameTimeout = true,
    session = false,
    stop,
  } = options;
  const start =
    options.start ?? (startEcho(session ? 'require' : undefined) as unknown as (world: PeerWorld) => Promise<App>);
  const message = options.message ?? (options.start ? '' : 'hello');
  for (const order of orders)
    demand(name, allOrders.includes(order), `orders: there is no '${order}', but ${allOrders.join(', ')}`);
  demand(name, Number.isInteger(flood) && flood >= 1, `flood: a whole number from 1, not ${flood}`);

  const halves = frame(message, framing).length > 1;
  const means = { garbage: garbage !== false, halves, frameTimeout };
  const walked = walkPeer({ orders, goesStale, means, session });
  const placesOf = (steps: (typeof walked)[number]): readonly PeerPlace[] => [
    'connected.unproven',
    ...steps.map(({ place }) => place),
  ];
  const checks = new PathChecks<App, PeerVisit<App>>(check);
  checks.demand(name, peerPlaces, new Set(walked.flatMap(placesOf)), hints);

  const words = { framing, message, heartbeat, flood, garbage: garbage || undefined };
  const setUp = { start, stop, words, goesStale, session, seed };
  const paths = walked.map((steps): PeerPath<App> => {
    const title = titleOf(steps);
    const run = (visit?: unknown) => new PeerRun(setUp, title, steps, checks.and(visit)).walk();
    return { title, places: placesOf(steps), run };
  });
  return Object.assign(paths, { checked: checks.counted as ReadonlyMap<PeerPlaceName, number> });
}
