import { type Connection, connect } from '../connection.js';
import { listen } from '../server.js';
import { type ConnectionPlace, type PathOrder, places } from './path-moves.js';
import { PathRun } from './path-run.js';
import type {
  ConnectionPath,
  ConnectionPaths,
  ConnectionPathsOptions,
  PathApp,
  PathCheck,
  PathPlaceName,
} from './path-types.js';
import { walk } from './path-walk.js';
import type { PathServer, PathWorld } from './path-world.js';

const allOrders: readonly PathOrder[] = ['connect', 'disconnect', 'reconnectNow', 'close', 'dispose'];

/** Tells nothing, takes everything, and speaks heartbeats. */
const takeEverything = ({ environment, port }: PathServer): Promise<unknown> =>
  listen({ environment, port, discardIncoming: true, staleAfter: 0, heartbeatInterval: 1000 });

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
    maxAttempts = Number.POSITIVE_INFINITY,
  } = options;
  const start = options.start ?? ((world: PathWorld) => connect({ ...whereOf(world), maxAttempts }) as PathApp as App);
  const message = options.message ?? (options.start ? undefined : 'held');
  for (const order of orders)
    demand(allOrders.includes(order), `orders: there is no '${order}', but ${allOrders.join(', ')}`);
  demand(
    maxAttempts === Number.POSITIVE_INFINITY || isFew(maxAttempts),
    `maxAttempts: 1 … 10 or Infinity, not ${maxAttempts}`,
  );
  demand(
    !greets || (options.serve && options.start),
    'greets: needs `start`, with the onConnect hook, and `serve`, which answers it',
  );

  const steps = walk({ orders, greets, goesStale, maxAttempts, sends: message !== undefined });
  const reached = new Set<string>(
    steps
      .flat()
      .map(({ place }) => place)
      .concat('connecting.dialing'),
  );
  for (const name of Object.keys(check)) demandPlace(name, reached);

  const checked = new Map<PathPlaceName, number>();
  const setUp = {
    start,
    stop: options.stop,
    serve: options.serve ?? takeEverything,
    check: check as Readonly<Record<string, PathCheck<App> | undefined>>,
    message,
    greets,
    goesStale,
    seed: options.seed ?? 1,
    count: (name: PathPlaceName) => void checked.set(name, (checked.get(name) ?? 0) + 1),
  };
  const paths = steps.map((path): ConnectionPath<App> => {
    const places: readonly ConnectionPlace[] = ['connecting.dialing', ...path.map(({ place }) => place)];
    const title = `${path.map(({ move }) => move.words).join(', ')} → ${places.at(-1)}`;
    return {
      title,
      places,
      // Runners that are given the bare method hand over a context of their own.
      run: (visit) => new PathRun(setUp, title, path).walk(typeof visit === 'function' ? visit : undefined),
    };
  });
  return Object.assign(paths, { checked });
}

function whereOf({ host, port, environment }: PathWorld) {
  return { host, port, environment };
}

function isFew(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 10;
}

function demand(holds: unknown, message: string): void {
  if (!holds) throw new TypeError(`connectionPaths: ${message}`);
}

function demandPlace(name: string, reached: ReadonlySet<string>): void {
  const isParent = places.some((place) => place.startsWith(`${name}.`));
  demand(
    isParent || places.includes(name as ConnectionPlace),
    `check: there is no '${name}', but ${places.join(', ')}`,
  );
  const hints: Readonly<Record<string, string>> = {
    'connecting.greeting': ': does the onConnect hook wait for an answer? Say `greets: true`',
    'disconnected.failed': ': does the program give maxAttempts? Say so here too',
    stale: ': `goesStale` is false',
  };
  demand(isParent || reached.has(name), `check: no path comes by '${name}'${hints[name] ?? ''}`);
}
