import type { Connection } from '../connection.js';
import type { ConnectionPlace, PathOrder } from './path-moves.js';
import type { PathServer, PathWorld } from './path-world.js';

/** A program with a connection; or the connection itself. */
export type PathApp = Connection | { readonly connection: Connection };

/** What a check is given beside the program: the world, and where in the path it is. */
export interface PathVisit<App> extends PathWorld {
  readonly app: App;
  readonly connection: Connection;
  readonly place: ConnectionPlace;
  /** What happened last: `the cable is pulled`. */
  readonly words: string;
}

/** Looks at the program at one place. What it throws fails the path. */
export type PathCheck<App> = (app: App, visit: PathVisit<App>) => unknown;

/** The names under which a check can stand: those of `places`, and `disconnected`, `connecting`, `connected` for all of theirs. */
export type PathPlaceName = ConnectionPlace | 'disconnected' | 'connecting' | 'connected';

/** Options of {@link connectionPaths}. */
export interface ConnectionPathsOptions<App extends PathApp = Connection> {
  /**
   * Starts the program under test: it has to call `connect({ host, port, environment })`, and must not wait for the line.
   * Default: a bare connection.
   */
  readonly start?: (world: PathWorld) => App | Promise<App>;
  /** Takes the program down at the end of a path; its connection is disposed in any case. */
  readonly stop?: (app: App) => unknown;
  /**
   * Starts the server, and starts it again after it was killed. Default: one that takes everything and speaks heartbeats.
   */
  readonly serve?: (server: PathServer) => unknown;
  /** Checks by place. Each is called whenever a path comes to that place. */
  readonly check?: Partial<Record<PathPlaceName, PathCheck<App>>>;
  /** What paths may call on the connection. Default: all of them. */
  readonly orders?: readonly PathOrder[];
  /** Whether the program's `onConnect` hook waits for an answer of the server. Needs `serve`. Default false. */
  readonly greets?: boolean;
  /**
   * The program has a session. Where the server was started anew, and has forgotten it, the connection gives up (`'fail'`),
   * as it does by default once anything was carried; or it goes on with another session (`'new'`). A `serve` of your own has
   * to take sessions. Default: it has none.
   */
  readonly session?: 'fail' | 'new';
  /** False for a program that gives `staleAfter: 0`. Default true. */
  readonly goesStale?: boolean;
  /** As the program gives it to `connect()`. At most 10. Default `Infinity`. */
  readonly maxAttempts?: number;
  /** Sent by paths that close while a message is held. Default: none, and no such paths, for a program of your own; else `'held'`. */
  readonly message?: Uint8Array | string;
  /** Of the network. Default 1. */
  readonly seed?: number;
}

/** One path of a connection's life. */
export interface ConnectionPath<App> {
  /** `TCP opens, the server speaks, the cable is pulled, all heals → connected.live` */
  readonly title: string;
  /** The places that it comes by, in order. */
  readonly places: readonly ConnectionPlace[];
  /**
   * Walks it, in a world of its own.
   *
   * @param visit called at every place, after its check
   * @throws Error (as a rejection) what a check threw, with the place; or where the connection went another way
   */
  run(visit?: (visit: PathVisit<App>) => unknown): Promise<void>;
}

/** All paths, and what came of those that were walked. */
export interface ConnectionPaths<App> extends ReadonlyArray<ConnectionPath<App>> {
  /** How often each check was called: for a last test that nothing was left out. */
  readonly checked: ReadonlyMap<PathPlaceName, number>;
}
