import type { Framing } from '../framing/framing.js';
import type { Peer } from '../peer.js';
import type { Server } from '../server.js';
import type { PeerOrder, PeerPlace } from './peer-path-move.js';
import type { PeerWorld } from './peer-path-stage.js';

/** A program with a server; or the server itself. */
export type PeerApp = Server | { readonly server: Server };

/** What a check is given beside the program: the world, and where in the path it is. */
export interface PeerVisit<App> extends PeerWorld {
  readonly app: App;
  /** The server's side of the line that the path is about. */
  readonly peer: Peer;
  /** The messages that its client got, heartbeats left out. */
  readonly replies: readonly Buffer[];
  readonly place: PeerPlace;
  /** What happened last: `the client half-closes`. */
  readonly words: string;
}

/** Looks at the program at one place. What it throws fails the path. */
export type PeerCheck<App> = (app: App, visit: PeerVisit<App>) => unknown;

/** The names under which a check can stand: those of the places, and `connected`, `detached` for all of theirs. */
export type PeerPlaceName = PeerPlace | 'connected' | 'detached';

/** Options of {@link peerPaths}. */
export interface PeerPathsOptions<App extends PeerApp = Server> {
  /**
   * Starts the program under test: it has to call `listen({ port, environment }, …)`. Default: an echo server.
   */
  readonly start?: (world: PeerWorld) => App | Promise<App>;
  /** Takes the program down at the end of a path; its server is disposed in any case. */
  readonly stop?: (app: App) => unknown;
  /** Checks by place. Each is called whenever a path comes to that place, when all that follows at once has been done. */
  readonly check?: Partial<Record<PeerPlaceName, PeerCheck<App>>>;
  /** What paths may call on the peer and on the server. Default: all of them. */
  readonly orders?: readonly PeerOrder[];
  /** What a client says when it first speaks, and floods with. Default: `'hello'` to the echo server, else an empty frame. */
  readonly message?: Uint8Array | string;
  /** What a client says while it is idle. Default: an empty frame. */
  readonly heartbeat?: Uint8Array | string;
  /** Bytes that are no frame, or `false` where all are. Default: `GET / HTTP/1.1…` where `framing` is absent, else none. */
  readonly garbage?: Uint8Array | false;
  /** How many messages are a flood; more where limits of the program are to be met. Default 200. */
  readonly flood?: number;
  /** As the server listens. Default `lengthPrefixed()`. */
  readonly framing?: Framing;
  /** Whether the server takes sessions, and the clients have one. Default false. */
  readonly session?: boolean;
  /** False for a server with `staleAfter: 0`. Default true. */
  readonly goesStale?: boolean;
  /** False for a server with `frameTimeout: 0`. Default true. */
  readonly frameTimeout?: boolean;
  /** Of the network. Default 1. */
  readonly seed?: number;
}

/** One path of a peer's life. */
export interface PeerPath<App> {
  /** `the client speaks, the client half-closes, another client connects and speaks → connected.live` */
  readonly title: string;
  /** The places that it comes by, in order. */
  readonly places: readonly PeerPlace[];
  /**
   * Walks it, in a world of its own.
   *
   * @param visit called at every place, after its check
   * @throws Error (as a rejection) what a check threw, with the place; where the peer went another way; or where the
   *   program's code threw and nobody heard of it
   */
  run(visit?: (visit: PeerVisit<App>) => unknown): Promise<void>;
}

/** All paths, and what came of those that were walked. */
export interface PeerPaths<App> extends ReadonlyArray<PeerPath<App>> {
  /** How often each check was called: for a last test that nothing was left out. */
  readonly checked: ReadonlyMap<PeerPlaceName, number>;
}
