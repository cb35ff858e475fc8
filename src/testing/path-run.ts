import { type Connection, portsOf } from '../connection.js';
import type { PathChecks } from './path-checks.js';
import type { ConnectionPlace, Move } from './path-moves.js';
import type { PathApp, PathVisit } from './path-types.js';
import type { WalkStep } from './path-walk.js';
import { farewell, PathWalker } from './path-walker.js';
import { type PathServer, PathStage, type PathWorld } from './path-world.js';

/** What all paths of one set-up have in common. */
export interface PathSetUp<App extends PathApp> {
  readonly start: (world: PathWorld) => App | Promise<App>;
  readonly stop: ((app: App) => unknown) | undefined;
  readonly serve: (server: PathServer) => unknown;
  readonly message: Uint8Array | string | undefined;
  readonly greets: boolean;
  readonly goesStale: boolean;
  readonly seed: number;
}

/** One path of a connection. */
export class PathRun<App extends PathApp> extends PathWalker<App, ConnectionPlace, Move, PathVisit<App>> {
  protected readonly stage: PathStage;
  protected readonly first = 'connecting.dialing';
  protected readonly firstWords = 'the program connects';

  constructor(
    private readonly setUp: PathSetUp<App>,
    title: string,
    steps: readonly WalkStep[],
    checks: PathChecks<App, PathVisit<App>>,
  ) {
    super(title, steps, checks, setUp.goesStale);
    this.stage = new PathStage(setUp.seed, setUp.serve);
  }

  protected async start(): Promise<App> {
    const { stage, setUp } = this;
    // Nothing gets through yet: so the first attempt rests in `dialing`.
    stage.network.cut();
    stage.startServer();
    const app = await this.started(setUp.start(stage), 'the line');
    const connection = connectionOf(app);
    if (!connection) throw new TypeError('start: must give a connection, or a program with a `connection`');
    stage.connection = connection;
    if (setUp.greets && !portsOf(connection).greets)
      throw new TypeError('greets: the connection of the program has no onConnect hook, and no session');
    return app;
  }

  protected async enter(): Promise<void> {}

  protected async make({ move, place }: WalkStep): Promise<void> {
    const { stage } = this;
    const { user } = stage;
    const { epoch } = user;
    const stays = this.place === place;
    if (move.sends && user.stats().outbox.messages === 0) user.send(this.setUp.message as string);
    await move.act(stage);
    // What the program itself holds goes first; and there is nothing in its way.
    if (move.order === 'close' && this.place !== place) stage.heal();
    await this.arrive(place, move.words, () =>
      this.place === 'connecting.greeting' && !this.setUp.greets
        ? '; say `greets: true`, or what its `session` does'
        : '',
    );
    // Lost and found again is not where it was.
    if (stays && user.epoch !== epoch) {
      const lost = `${this.title}: the line was lost after '${move.words}'`;
      throw new Error(`${lost}: does the server speak often enough for staleAfter, ${stage.staleAfter} ms?`);
    }
    // What was wrong for this one move alone is over.
    stage.server.refuse(false);
    // The FIN may not come before the next move.
    if (move.pose === 'dropped') stage.network.cut();
    else stage.server.acceptAndDrop(false);
  }

  protected visitAt(app: App, place: ConnectionPlace, words: string): PathVisit<App> {
    const { clock, network, server, environment, host, port, user } = this.stage;
    return { app, connection: user, clock, network, server, environment, host, port, place, words };
  }

  protected async end(app: App): Promise<void> {
    const { stage, setUp } = this;
    stage.heal();
    const stopped = Promise.resolve(setUp.stop?.(app));
    await stage.clock.runUntil(stopped, { limit: farewell });
    await stage.clock.runUntil(stage.user.dispose(), { limit: farewell });
    stage.server.crash();
    await stage.clock.advance(farewell);
  }

  protected get place(): ConnectionPlace {
    const { state, substate } = this.stage.user;
    return (substate ? `${state}.${substate}` : state) as ConnectionPlace;
  }

  protected explain(): string {
    return this.stage.user.explain();
  }
}

function connectionOf(app: PathApp): Connection | undefined {
  const found = 'connection' in app ? app.connection : app;
  return typeof found?.explain === 'function' ? found : undefined;
}
