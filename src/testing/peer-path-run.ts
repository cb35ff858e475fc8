import type { Server } from '../server.js';
import type { PathChecks } from './path-checks.js';
import { farewell, PathWalker } from './path-walker.js';
import type { ClientWords } from './peer-path-client.js';
import type { PeerMove, PeerPlace } from './peer-path-move.js';
import { PeerStage, type PeerWorld } from './peer-path-stage.js';
import type { PeerApp, PeerVisit } from './peer-path-types.js';
import type { PeerStep } from './peer-path-walk.js';

/** What all paths of one set-up have in common. */
export interface PeerSetUp<App extends PeerApp> {
  readonly start: (world: PeerWorld) => App | Promise<App>;
  readonly stop: ((app: App) => unknown) | undefined;
  readonly words: ClientWords;
  readonly goesStale: boolean;
  readonly session: boolean;
  readonly seed: number;
}

/** One path of a server's peer. */
export class PeerRun<App extends PeerApp> extends PathWalker<App, PeerPlace, PeerMove, PeerVisit<App>> {
  protected readonly stage: PeerStage;
  protected readonly first = 'connected.unproven';
  protected readonly firstWords = 'a client connects';

  constructor(
    private readonly setUp: PeerSetUp<App>,
    title: string,
    steps: readonly PeerStep[],
    checks: PathChecks<App, PeerVisit<App>>,
  ) {
    super(title, steps, checks, setUp.goesStale);
    this.stage = new PeerStage(setUp.seed, setUp.words, setUp.session);
  }

  protected async start(): Promise<App> {
    const app = await this.started(this.setUp.start(this.stage), 'a client');
    const server = serverOf(app);
    if (!server) throw new TypeError('start: must give a server, or a program with a `server`');
    this.stage.begin(server);
    return app;
  }

  protected async enter(): Promise<void> {
    await this.stage.connect();
  }

  protected async make({ move, place }: PeerStep): Promise<void> {
    const { stage } = this;
    await move.act(stage);
    await this.arrive(place, move.words, () => {
      const [first] = stage.network.warnings;
      return first ? `; ${first.message}` : '';
    });
  }

  protected visitAt(app: App, place: PeerPlace, words: string): PeerVisit<App> {
    const { clock, network, client, environment, host, port, peer, line } = this.stage;
    const { replies } = line;
    return { app, peer, replies, clock, network, client, environment, host, port, place, words };
  }

  protected async end(app: App): Promise<void> {
    const { stage, setUp } = this;
    const { clock, listener, network } = stage;
    stage.heal();
    await clock.runUntil(Promise.resolve(setUp.stop?.(app)), { limit: farewell });
    await clock.runUntil((listener as Server).dispose(), { limit: farewell });
    stage.client.crash();
    await clock.advance(farewell);
    const [first] = network.warnings;
    if (first) throw new Error(`${this.title}: nobody listened, but ${first.message}`, { cause: first });
  }

  protected get place(): PeerPlace {
    const { state, substate } = this.stage.peer;
    return (substate ? `${state}.${substate}` : state) as PeerPlace;
  }

  protected explain(): string {
    return this.stage.peer.explain();
  }
}

function serverOf(app: PeerApp): Server | undefined {
  const found = 'server' in app ? app.server : app;
  return typeof found?.listening === 'function' ? found : undefined;
}
