import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { ClientSide } from './client.js';
import { Faults, SERVICE } from './faults.js';
import { drawPlan, type Plan } from './plan.js';
import type { Promised } from './program.js';
import { ServerSide } from './server.js';
import type { Owner, Stage } from './stage.js';

export interface Result {
  readonly seed: number;
  /** What went wrong, in the order in which it was seen; empty when nothing did. */
  readonly problems: readonly string[];
  readonly trace: readonly string[];
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

const LOOK_EVERY = 400;
/** After one problem more of them follow; the first ones tell. */
const MOST_PROBLEMS = 5;

class Simulation {
  private readonly clock = createVirtualClock();
  private readonly problems: string[] = [];
  private readonly trace: string[] = [];
  private readonly waiting = new Map<object, { readonly what: string; readonly owner: Owner }>();
  private readonly stage: Stage;
  private readonly server: ServerSide;
  private readonly clients: ClientSide[] = [];
  private looking = true;

  constructor(
    private readonly plan: Plan,
    traced: boolean,
  ) {
    const { clock } = this;
    const trace = traced && ((line: string) => void this.trace.push(line));
    const network = createNetwork({ ...plan.network, clock, seed: plan.seed, trace });
    const note = (what: string) => {
      if (traced) this.trace.push(`${clock.now()} * ${what}`);
    };
    const { latencyMs = 1, jitterMs = 0, chunkSize = 65_536, bytesPerSecond = Number.POSITIVE_INFINITY } = plan.network;
    network.setName(SERVICE, 'server');
    for (const { name } of plan.clients) network.host(name);
    const faults = new Faults(
      clock,
      network,
      { crash: () => this.server.crash(), start: () => this.server.start() },
      note,
    );
    this.stage = {
      plan,
      clock,
      network,
      faults,
      traced,
      note,
      phase: { quiet: false, hurry: false },
      fail: (what) => this.fail(what),
      promisedBy: (owner) => this.promisedBy(owner),
      peers: new Map(),
      openDials: [],
      roundTrip: 2 * (latencyMs + jitterMs) + (2 * chunkSize * 1000) / bytesPerSecond,
    };
    this.server = new ServerSide(this.stage);
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
    const { plan, clock, stage, clients, server } = this;
    server.start();
    await clock.advance(1);
    for (const client of plan.clients) clients.push(new ClientSide(client, stage));
    for (const client of clients) client.begin();
    stage.faults.schedule(plan.faults);
    this.look();

    await this.pass(plan.chaosMs);
    if (this.problems.length > 0) return;
    stage.note('healed');
    // What a program wants is wanted now, by all who were not closed.
    const wanted = clients.filter(({ closing }) => !closing);
    for (const client of wanted) {
      client.persists = true;
      client.revive();
    }
    const bound = Math.max(...clients.map((client) => this.boundOf(client)));
    await this.pass(bound);
    for (const { connection, plan: own } of wanted) {
      if (connection.substate !== 'live') {
        this.fail(`${own.name} is not live ${bound} ms after the network was healed: ${connection.explain()}`);
      }
    }
    for (const client of wanted) client.mustStay = true;
    await this.pass(15_000);

    stage.note('quiet');
    stage.phase.quiet = true;
    stage.phase.hurry = true;
    const discards = plan.server.options.discardIncoming === true;
    await this.until(
      'everything that was held to be delivered',
      180_000,
      () =>
        wanted.every(
          ({ connection, account }) => connection.stats().pending.messages === 0 && (discards || account.settled),
        ) &&
        [...stage.peers.values()].every(
          (peer) => !peer.lives || peer.client.plan.options.discardIncoming || peer.account.settled,
        ),
    );
    await this.pass(2000 + 4 * stage.roundTrip);
    // What they waited for has come: all lines are live, and nothing is pending.
    const waits = this.unsettled.filter((what) => /(drained|connected)\(\)$/.test(what));
    if (waits.length > 0) this.fail(`still waiting, though all is well: ${waits.join(', ')}`);
    for (const { connection, plan: own } of wanted) {
      if (connection.substate !== 'live') this.fail(`${own.name} did not stay live: ${connection.explain()}`);
    }
    for (const client of clients) client.observer.compare();
    if (this.problems.length > 0) return;
    await this.end();
  }

  private async end(): Promise<void> {
    const { plan, clock, stage, clients, server } = this;
    stage.note('end');
    for (const client of clients) client.mustStay = false;
    if (plan.endsWith === 'server') server.end();
    if (plan.endsWith === 'server') await this.pass(200);
    for (const client of clients) client.end();
    if (plan.endsWith === 'clients') {
      await this.until('the clients to end', 60_000, () =>
        clients.every(({ connection }) => connection.state === 'disposed'),
      );
      server.end();
    }
    await this.until('every promise to settle', 120_000, () => this.unsettled.length === 0);
    this.looking = false;
    if (this.problems.length > 0) return;
    await clock.advance(5000);
    for (const client of clients) {
      const { connection, observer, plan: own } = client;
      if (connection.state !== 'disposed') this.fail(`${own.name} is ${connection.state} after the end`);
      observer.compare();
      client.settle();
    }
    for (const peer of stage.peers.values()) {
      if (peer.over) peer.account.settle('at the end');
    }
    if (clock.pending > 0) this.fail(`${clock.pending} timers were left behind`);
    if (stage.network.openTransports > 0) this.fail(`${stage.network.openTransports} transports were left open`);
    for (const warning of stage.network.warnings) this.fail(`a warning: ${warning.message}`);
  }

  /** Within so many milliseconds after the healing a line has to be back: every step of the worst way, added up. */
  private boundOf(client: ClientSide): number {
    const { options } = client.plan;
    const { connectTimeout = 5000, discardTimeout = 1000 } = options;
    const { staleAfter, heartbeat } = client.rule;
    const backoff = 10_050;
    // Without a silence rule a dead line is found out by the answer to the next heartbeat.
    const noticed = (staleAfter > 0 ? 3 * staleAfter : heartbeat) + 300;
    return Math.ceil(noticed + discardTimeout + 2 * connectTimeout + backoff + 6 * this.stage.roundTrip);
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

  private async until(what: string, limit: number, holds: () => boolean): Promise<void> {
    const target = this.clock.now() + limit;
    // Looked at seldom: the condition costs more than a step of the clock.
    while (this.problems.length === 0 && !holds()) {
      if (this.clock.now() > target) {
        this.fail(`waited for ${what} for ${limit} ms; pending: ${this.unsettled.slice(0, 8).join(', ')}`);
        return;
      }
      await this.pass(100);
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
    const counts: Record<string, number> = {
      peers: new Set(this.stage.peers.values()).size,
      peersStale: this.server.stale,
    };
    const add = (name: string, value: number) => {
      counts[name] = (counts[name] ?? 0) + value;
    };
    for (const { observer, account, received } of this.clients) {
      for (const [name, value] of Object.entries(observer.events)) add(name, value);
      add('unknown', observer.unknown);
      add('dropped', observer.dropped);
      add('accepted', account.accepted);
      add('arrived', account.delivered);
      add('received', received);
    }
    return counts;
  }
}

/** Runs one seed. The same seed gives the same result, traced or not. */
export function simulate(seed: number, traced = false): Promise<Result> {
  return new Simulation(drawPlan(seed), traced).run();
}
