import type { PathChecks } from './path-checks.js';
import type { Named, PathStep } from './path-graph.js';
import type { Stage } from './path-stage.js';

/** A start that has not given its program within so much virtual time waits for the line, milliseconds. */
const startLimit = 1000;
/** So long the last packets may take, milliseconds. */
export const farewell = 10_000;

/** Walks one path once, in a world of its own. */
export abstract class PathWalker<App, Place extends string, Move extends Named, Visit> {
  protected abstract readonly stage: Stage;
  /** Where the path begins. */
  protected abstract readonly first: Place;
  protected abstract readonly firstWords: string;

  constructor(
    protected readonly title: string,
    private readonly steps: readonly PathStep<Move, Place>[],
    private readonly checks: PathChecks<App, Visit>,
    private readonly goesStale: boolean,
  ) {}

  /** Starts the program under test. */
  protected abstract start(): Promise<App>;
  /** Brings the line to where the path begins. */
  protected abstract enter(): Promise<void>;
  /** Where the line stands. */
  protected abstract get place(): Place;
  /** The line in words. */
  protected abstract explain(): string;
  protected abstract make(step: PathStep<Move, Place>): Promise<void>;
  protected abstract visitAt(app: App, place: Place, words: string): Visit;
  protected abstract end(app: App): Promise<void>;

  async walk(): Promise<void> {
    const app = await this.start();
    try {
      await this.enter();
      await this.look(app, this.first, this.firstWords);
      for (const step of this.steps) {
        await this.make(step);
        await this.look(app, step.place, step.move.words);
      }
    } catch (error) {
      // What goes wrong in taking it down is but a consequence.
      await this.end(app).catch(() => {});
      throw error;
    }
    await this.end(app);
    const { openTransports } = this.stage.network;
    if (openTransports > 0) throw new Error(`${this.title}: at the end ${openTransports} transports were left open`);
  }

  /** What `start` gives, which has to come at once. */
  protected async started(app: App | Promise<App>, waitsFor: string): Promise<App> {
    return this.stage.clock.runUntil(Promise.resolve(app), { limit: startLimit }).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('The promise did not settle')) throw error;
      throw new Error(`start: must give the program at once; it waits, perhaps for ${waitsFor}`, { cause: error });
    });
  }

  /** @throws Error where the line went another way; what the other side's code threw */
  protected async arrive(place: Place, words: string, hint: () => string): Promise<void> {
    const { stage } = this;
    try {
      await stage.until(() => this.place === place);
    } catch (error) {
      if (stage.failure) throw stage.failure.error;
      const came = `${this.title}: expected ${place} after '${words}', but: ${this.explain()}`;
      throw new Error(came + hint(), { cause: error });
    }
  }

  private async look(app: App, place: Place, words: string): Promise<void> {
    if (place.startsWith('connected')) {
      this.stage.noteOpen();
      if (this.goesStale) this.stage.demandStale();
    }
    await this.checks.look(app, place, words, this.visitAt(app, place, words));
    if (this.place === place) return;
    throw new Error(`the check of ${place} let time pass, and the line is ${this.place} now: it lasts not so long`);
  }
}
