import { createNetwork, createVirtualClock } from '../../../src/testing/index.js';
import { Dice } from '../dice.js';
import type { Promised } from '../program.js';
import type { Owner } from '../stage.js';
import type { Result } from '../world.js';
import { Breaks } from './breaks.js';
import { drawBulkPlan } from './bulk.js';
import { ClientSide } from './client.js';
import { drawPlan, type Plan } from './plan.js';
import { keptOf } from './programs.js';
import { ServerSide } from './server.js';
import type { Stage } from './stage.js';

const LOOK_EVERY = 2000;
/** After one problem more of them follow; the first ones tell. */
const MOST_PROBLEMS = 5;

class Simulation {
  private readonly clock = createVirtualClock();
  private readonly problems: string[] = [];
  private readonly trace: string[] = [];
  private readonly waiting = new Map<object, { readonly what: string; readonly owner: Owner }>();
  private readonly stage: Stage;
  private readonly server: ServerSide;
  private readonly breaks: Breaks;
  private readonly clients: ClientSide[] = [];
  private looking = true;

  constructor(
    private readonly plan: Plan,
    traced: boolean,
  ) {
    const { clock } = this;
    const trace = traced && ((line: string) => void this.trace.push(line));
    const network = createNetwork({ ...plan.network, clock, seed: plan.seed, trace });
    for (const { name } of plan.clients) network.host(name);
    this.stage = {
      plan,
      clock,
      network,
      traced,
      note: (what) => {
        if (traced) this.trace.push(`${clock.now()} * ${what}`);
      },
      phase: { quiet: false, hurry: false },
      fail: (what) => this.fail(what),
      promisedBy: (owner) => this.promisedBy(owner),
      peers: new Map(),
      dials: [],
    };
    this.server = new ServerSide(this.stage);
    this.breaks = new Breaks(this.stage, new Dice(plan.seed, 'breaks'), this.server, this.clients);
  }

  async run(): Promise<Result> {
    try {
      await this.live();
    } catch (error) {
      this.fail(`the simulation stopped: ${error instanceof Error ? error.stack : String(error)}`);
    }
    const { seed } = this.plan;
    return { seed, problems: this.problems, trace: this.trace, virtualMs: this.clock.now(), counts: this.counts() };
  }

  private async live(): Promise<void> {
    const { plan, clock, stage, clients, server, breaks } = this;
    server.start();
    await clock.advance(1);
    for (const own of plan.clients) {
      const client = new ClientSide(own, stage);
      clients.push(client);
      client.connection.on('connecting', () => breaks.dialed(client));
    }
    for (const client of clients) client.begin();
    breaks.begin();
    server.begin(new Dice(plan.seed, 'ends'));
    this.look();

    await this.pass(plan.chaosMs);
    if (this.problems.length > 0) return;
    if (plan.endsInChaos) {
      stage.note('end in chaos');
      this.endAll();
      await this.pass(5000);
    }
    stage.note('healed');
    breaks.end();
    const wanted = clients.filter(({ closing }) => !closing);
    for (const client of wanted) {
      client.persists = true;
      client.revive();
    }
    if (!plan.endsInChaos) {
      // What was done last is felt a moment later.
      await this.pass(300);
      await this.until('everybody to be back', this.bound, () => this.areBack(wanted));
      const stay = this.problems.length > 0 || plan.crowded ? [] : wanted;
      for (const client of stay) client.mustStay = true;
      await this.pass(1000);
    }
    stage.note('quiet');
    stage.phase.quiet = true;
    stage.phase.hurry = true;
    if (!plan.endsInChaos) {
      const limit = 10_000 + this.resumeWindow;
      await this.until(
        'everything to be handled',
        limit,
        () => this.isHandled(),
        () => this.arrived,
      );
      for (const client of wanted) client.mustStay = false;
      if (this.problems.length > 0) return;
      stage.note('end');
      this.endAll();
    }
    await this.end();
  }

  private endAll(): void {
    const { plan, clients, server } = this;
    if (plan.endsWith !== 'clients') server.end('close');
    if (plan.endsWith !== 'server') for (const client of clients) client.obey({ what: 'close' });
  }

  private async end(): Promise<void> {
    const { plan, clock, stage, clients, server } = this;
    const limit = 60_000 + this.resumeWindow;
    if (plan.endsWith === 'server') {
      await this.until('the server to end', limit, () => server.server?.state === 'disposed');
      for (const client of clients) client.obey({ what: 'dispose' });
    }
    await this.until('the clients to end', limit, () =>
      clients.every(({ connection }) => connection.state === 'disposed'),
    );
    if (plan.endsWith === 'clients') server.end(plan.seed % 2 === 0 ? 'close' : 'dispose');
    await this.until('every promise to settle', limit, () => this.unsettled.length === 0);
    this.looking = false;
    if (this.problems.length > 0) return;
    await clock.advance(5000);
    for (const client of clients) {
      client.observer.compare();
      client.book.settle(
        'at the end',
        client.peers.some(({ dead }) => dead),
      );
    }
    for (const peer of stage.peers.values()) {
      if (!peer.dead) peer.book.settle('at the end', false);
    }
    if (clock.pending > 0) this.fail(`${clock.pending} timers were left behind`);
    if (stage.network.openTransports > 0) this.fail(`${stage.network.openTransports} transports were left open`);
    for (const warning of stage.network.warnings) this.fail(`a warning: ${warning.message}`);
  }

  private get resumeWindow(): number {
    const { session } = this.plan.server.options;
    return (session as { resumeWindow?: number }).resumeWindow ?? 30_000;
  }

  /** Within so many milliseconds after the healing all are back: every step of the worst way, added up. */
  private get bound(): number {
    const { clients, server, roundTrip, crowded } = this.plan;
    const worst = Math.max(
      ...clients.map(({ options }) => 3 * (options.staleAfter ?? 0) + 2 * (options.connectTimeout ?? 0)),
    );
    const { handshakeTimeout = 10_000 } = server.options;
    return Math.ceil(worst + handshakeTimeout + 12_000 + 10 * roundTrip + (crowded ? this.resumeWindow + 10_000 : 0));
  }

  private areBack(wanted: readonly ClientSide[]): boolean {
    const up = wanted.filter(({ connection }) => connection.substate === 'live').length;
    const { session } = this.plan.server.options;
    return up >= Math.min(wanted.length, (session as { maxSessions?: number }).maxSessions ?? wanted.length);
  }

  private get arrived(): number {
    const books = [...this.clients, ...this.stage.peers.values()].map(({ book }) => book.arrived);
    return books.reduce((sum, arrived) => sum + arrived, 0);
  }

  private isHandled(): boolean {
    const { clients, stage, plan } = this;
    const open = clients.filter(({ connection }) => connection.state === 'connected' || !plan.crowded);
    return (
      open.every(({ book, connection, closing }) => closing || (book.settled && keptOf(connection) === 0)) &&
      [...stage.peers.values()].every(
        ({ lives, book, peer, client }) => !lives || client.closing || (book.settled && keptOf(peer) === 0),
      )
    );
  }

  private look(): void {
    if (!this.looking) return;
    this.clock.setTimeout(() => {
      for (const client of this.clients) client.look();
      this.server.look();
      this.look();
    }, LOOK_EVERY);
  }

  /** Lets time go by, unless something went wrong. */
  private async pass(ms: number): Promise<void> {
    const target = this.clock.now() + ms;
    if (this.problems.length > 0) return;
    await this.clock.runUntil(() => this.problems.length > 0 || this.clock.now() >= target, { limit: ms + 60_000 });
  }

  /** @param progress a number; while it changes, the limit begins anew */
  private async until(what: string, limit: number, holds: () => boolean, progress = () => 0): Promise<void> {
    let target = this.clock.now() + limit;
    let seen = progress();
    // Looked at seldom: the condition costs more than a step of the clock.
    while (this.problems.length === 0 && !holds()) {
      const now = progress();
      if (now !== seen) target = this.clock.now() + limit;
      seen = now;
      if (this.clock.now() > target) {
        const states = this.clients.map(({ connection, book }) => `${connection.explain()} (${book.waits})`).join('; ');
        const peers = [...this.stage.peers.values()].filter(({ lives }) => lives).map(({ book }) => book.waits);
        this.fail(
          `waited for ${what} for ${limit} ms; ${states}; ${peers.join('; ')}; pending: ${this.unsettled.slice(0, 8).join(', ')}`,
        );
        return;
      }
      await this.pass(50);
    }
  }

  private fail(what: string): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    const line = `${this.clock.now()} PROBLEM ${what}`;
    this.problems.push(line);
    if (this.stage.traced) this.trace.push(line);
  }

  private promisedBy(owner: Owner): Promised {
    return <T>(what: string, promise: Promise<T>): Promise<T> => {
      this.waiting.set(promise, { what, owner });
      const settled = () => void this.waiting.delete(promise);
      promise.then(settled, settled);
      return promise;
    };
  }

  /** The promises that are waited for; a dead process keeps none. */
  private get unsettled(): string[] {
    const left: string[] = [];
    for (const [promise, { what, owner }] of this.waiting) {
      if (owner.dead) this.waiting.delete(promise);
      else left.push(what);
    }
    return left;
  }

  private counts(): Record<string, number> {
    const counts: Record<string, number> = { refused: this.server.refused };
    const add = (name: string, value: number) => {
      counts[name] = (counts[name] ?? 0) + value;
    };
    for (const client of this.clients) {
      const { book, observer } = client;
      add('breaks', client.breaks);
      add('resumed', client.resumed);
      add('sessionsLost', client.lost);
      add('attempts', observer.events.connecting);
      add('failed', observer.events.failed);
      add('arrived', book.arrived);
      for (const what of ['accepted', 'confirmed', 'dropped', 'lost'] as const) add(what, book[what]);
    }
    for (const { book, resumed, lost } of this.stage.peers.values()) {
      add('peers', 1);
      add('peersResumed', resumed);
      add('peersLost', lost);
      add('arrived', book.arrived);
      for (const what of ['accepted', 'confirmed', 'dropped', 'lost'] as const) add(what, book[what]);
    }
    return { ...counts, ...this.breaks.done };
  }
}

/** Runs one seed. The same seed gives the same result, traced or not. */
export function simulateSessions(seed: number, traced = false): Promise<Result> {
  return new Simulation(drawPlan(seed), traced).run();
}

/** The same with many more messages. */
export function simulateBulk(seed: number, traced = false): Promise<Result> {
  return new Simulation(drawBulkPlan(seed), traced).run();
}
