import type { Connection } from '../connection.js';
import type { ConnectionPlace } from './path-moves.js';
import type { PathApp, PathCheck, PathPlaceName, PathVisit } from './path-types.js';
import { placeOf, type WalkStep } from './path-walk.js';
import { type PathServer, PathStage, type PathWorld } from './path-world.js';

/** What all paths of one set-up have in common. */
export interface PathSetUp<App extends PathApp> {
  readonly start: (world: PathWorld) => App | Promise<App>;
  readonly stop: ((app: App) => unknown) | undefined;
  readonly serve: (server: PathServer) => unknown;
  readonly check: Readonly<Record<string, PathCheck<App> | undefined>>;
  readonly message: Uint8Array | string | undefined;
  readonly greets: boolean;
  readonly goesStale: boolean;
  readonly seed: number;
  readonly count: (name: PathPlaceName) => void;
}

type Visitor<App> = (visit: PathVisit<App>) => unknown;

/** A start that has not given its program within so much virtual time waits for the line, milliseconds. */
const startLimit = 1000;
/** So long the last packets may take, milliseconds. */
const farewell = 10_000;

/** One path, walked once, in a world of its own. */
export class PathRun<App extends PathApp> {
  private readonly stage: PathStage;

  constructor(
    private readonly setUp: PathSetUp<App>,
    private readonly title: string,
    private readonly steps: readonly WalkStep[],
  ) {
    this.stage = new PathStage(setUp.seed, setUp.serve);
  }

  async walk(visit: Visitor<App> | undefined): Promise<void> {
    const { stage } = this;
    // Nothing gets through yet: so the first attempt rests in `dialing`.
    stage.network.cut();
    stage.startServer();
    const app = await this.start();
    try {
      await this.look(app, visit, 'connecting.dialing', 'the program connects');
      for (const step of this.steps) {
        await this.make(step);
        await this.look(app, visit, step.place, step.move.words);
      }
    } catch (error) {
      // What goes wrong in taking it down is but a consequence.
      await this.end(app).catch(() => {});
      throw error;
    }
    await this.end(app);
    if (stage.network.openTransports > 0) {
      throw new Error(`${this.title}: at the end ${stage.network.openTransports} transports were left open`);
    }
  }

  private async start(): Promise<App> {
    const { stage, setUp } = this;
    const started = Promise.resolve(setUp.start(stage));
    const app = await stage.clock.runUntil(started, { limit: startLimit }).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('The promise did not settle')) throw error;
      throw new Error('start: must give the program at once; it waits, perhaps for the line', { cause: error });
    });
    const connection = connectionOf(app);
    if (!connection) throw new TypeError('start: must give a connection, or a program with a `connection`');
    stage.connection = connection;
    const { greets } = connection.actor.getSnapshot().context;
    if (setUp.greets && !greets) throw new TypeError('greets: the connection of the program has no onConnect hook');
    return app;
  }

  private async make({ move, place }: WalkStep): Promise<void> {
    const { stage } = this;
    const { user } = stage;
    if (move.sends && user.stats().outbox.messages === 0) user.send(this.setUp.message as string);
    await move.act(stage);
    // What the program itself holds goes first; and there is nothing in its way.
    if (move.order === 'close' && this.place !== place) stage.heal();
    try {
      await stage.until(() => this.place === place);
    } catch (error) {
      if (stage.failure) throw stage.failure.error;
      const came = `${this.title}: expected ${place} after '${move.words}', but: ${user.explain()}`;
      const hint = this.place === 'connecting.greeting' && !this.setUp.greets ? '; say `greets: true`' : '';
      throw new Error(came + hint, { cause: error });
    }
    // What was wrong for this one move alone is over.
    stage.server.refuse(false);
    // The FIN may not come before the next move.
    if (move.pose === 'dropped') stage.network.cut();
    else stage.server.acceptAndDrop(false);
  }

  private async look(app: App, visit: Visitor<App> | undefined, place: ConnectionPlace, words: string): Promise<void> {
    const { stage } = this;
    const { clock, network, server, environment, host, port } = stage;
    if (place.startsWith('connected')) {
      stage.noteOpen();
      if (this.setUp.goesStale && stage.staleAfter > 2 ** 30)
        throw new TypeError('staleAfter is 0: say `goesStale: false`');
    }
    const facts = { app, connection: stage.user, clock, network, server, environment, host, port, place, words };
    const names = [place.split('.')[0] as PathPlaceName, place].filter((name, at, all) => all.indexOf(name) === at);
    try {
      for (const name of names) {
        const check = this.setUp.check[name];
        if (!check) continue;
        await check(app, facts);
        this.setUp.count(name);
      }
      await visit?.(facts);
    } catch (error) {
      if (error instanceof Error) error.message = `${place}, after '${words}': ${error.message}`;
      throw error;
    }
    if (this.place === place) return;
    throw new Error(
      `the check of ${place} let time pass, and the connection is ${this.place} now: it lasts not so long`,
    );
  }

  private async end(app: App): Promise<void> {
    const { stage, setUp } = this;
    stage.heal();
    const stopped = Promise.resolve(setUp.stop?.(app));
    await stage.clock.runUntil(stopped, { limit: farewell });
    await stage.clock.runUntil(stage.user.dispose(), { limit: farewell });
    stage.server.crash();
    await stage.clock.advance(farewell);
  }

  private get place(): ConnectionPlace {
    return placeOf(this.stage.user.actor.getSnapshot().value);
  }
}

function connectionOf(app: PathApp): Connection | undefined {
  const found = 'connection' in app ? app.connection : app;
  return typeof found?.explain === 'function' ? found : undefined;
}
