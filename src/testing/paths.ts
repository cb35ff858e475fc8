import { type Connection, connect } from '../connection.js';
import { listen } from '../server.js';
import { demand, PathChecks } from './path-checks.js';
import { titleOf } from './path-graph.js';
import { type ConnectionPlace, type PathOrder, places } from './path-moves.js';
import { PathRun } from './path-run.js';
import type {
  ConnectionPath,
  ConnectionPaths,
  ConnectionPathsOptions,
  PathApp,
  PathPlaceName,
  PathVisit,
} from './path-types.js';
import { walk } from './path-walk.js';
import type { PathServer, PathWorld } from './path-world.js';

/** Why no path comes by a place. */
const hints = {
  'connecting.greeting':
    ': does the onConnect hook wait for an answer? Say `greets: true`; a session has its own option',
  'disconnected.failed': ': does the program give maxAttempts? Say so here too',
  stale: ': `goesStale` is false',
};
const name = 'connectionPaths';

const allOrders: readonly PathOrder[] = ['connect', 'disconnect', 'reconnectNow', 'close', 'dispose'];

/** Tells nothing, takes everything, and speaks heartbeats, often enough for nearly any `staleAfter`. */
const takeEverything =
  (session: 'require' | undefined) =>
  ({ environment, port }: PathServer): Promise<unknown> =>
    listen({ environment, port, discardIncoming: true, staleAfter: 0, heartbeatInterval: 100, session });

/**
 * Every path of a connection's life, from the statechart itself: each move of the world and of the program, in every
 * state in which it can be made, and then the way back. Each path runs in a world of its own, on virtual time, with any
 * test runner.
 *
 * ```ts
 * const paths = connectionPaths({
 *   start: (world) => startMyApp({ host: world.host, port: world.port, environment: world.environment }),
 *   check: { 'connected.live': (app) => equal(app.light, 'green'), stale: (app) => equal(app.light, 'red') },
 * });
 * for (const path of paths) test(path.title, () => path.run());
 * ```
 *
 * @throws TypeError for a check or an order of a name that there is not, or where no path comes by
 */
export function connectionPaths<App extends PathApp = Connection>(
  options: ConnectionPathsOptions<App> = {},
): ConnectionPaths<App> {
  const {
    check = {},
    orders = allOrders,
    greets = false,
    goesStale = true,
    session,
    maxAttempts = Number.POSITIVE_INFINITY,
  } = options;
  const start =
    options.start ??
    ((world: PathWorld) =>
      connect({ ...whereOf(world), maxAttempts, session: session && { onSessionLost: session } }) as PathApp as App);
  const message = options.message ?? (options.start ? undefined : 'held');
  for (const order of orders)
    demand(name, allOrders.includes(order), `orders: there is no '${order}', but ${allOrders.join(', ')}`);
  demand(
    name,
    maxAttempts === Number.POSITIVE_INFINITY || isFew(maxAttempts),
    `maxAttempts: 1 … 10 or Infinity, not ${maxAttempts}`,
  );
  demand(
    name,
    !greets || (options.serve && options.start),
    'greets: needs `start`, with the onConnect hook, and `serve`, which answers it',
  );

  demand(name, session === undefined || ['fail', 'new'].includes(session), `session: 'fail' or 'new', not ${session}`);
  demand(
    name,
    session !== 'fail' || options.start,
    "session: 'fail' needs `start`, with a program that sends something",
  );
  demand(name, !(greets && session), 'greets: a line with a session has no onConnect hook');

  const walked = walk({ orders, greets, goesStale, maxAttempts, session, sends: message !== undefined });
  const placesOf = (steps: (typeof walked)[number]): readonly ConnectionPlace[] => [
    'connecting.dialing',
    ...steps.map(({ place }) => place),
  ];
  const checks = new PathChecks<App, PathVisit<App>>(check);
  checks.demand(name, places, new Set(walked.flatMap(placesOf)), hints);

  const { stop, serve = takeEverything(session && 'require'), seed = 1 } = options;
  const setUp = { start, stop, serve, message, greets: greets || session !== undefined, goesStale, seed };
  const paths = walked.map((steps): ConnectionPath<App> => {
    const title = titleOf(steps);
    const run = (visit?: unknown) => new PathRun(setUp, title, steps, checks.and(visit)).walk();
    return { title, places: placesOf(steps), run };
  });
  return Object.assign(paths, { checked: checks.counted as ReadonlyMap<PathPlaceName, number> });
}

function whereOf({ host, port, environment }: PathWorld) {
  return { host, port, environment };
}

function isFew(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 10;
}
