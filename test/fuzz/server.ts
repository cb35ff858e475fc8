/** A server on the simulated network, clients that send whatever they like, and handlers of the program that throw. */
import fc from 'fast-check';
import { type Connection, connect, listen, NinjaTcpError, type Server } from '../../src/index.js';
import { createNetwork, createVirtualClock, type Network, type VirtualClock } from '../../src/testing/index.js';
import { demand, meet, same } from './demand.js';
import { type HandlerKind, Handlers, handlerKinds, oops } from './server-handlers.js';
import { RawClient, type RawStep, rawSteps } from './server-raw.js';

const PORT = 65_432;

const limits = fc.record({
  maxFrameLength: fc.constantFrom(100, 5000, 5000),
  unfinishedBytes: fc.constantFrom(5000, 5000, 9000, 2 ** 23),
  frameTimeout: fc.constantFrom(0, 200, 30_000),
  staleAfter: fc.constantFrom(0, 300, 1000),
  heartbeatInterval: fc.constantFrom(25, 150),
  drainTimeout: fc.constantFrom(200, 1000),
  inboxMessages: fc.constantFrom(1, 4, 65_536),
  inboxBytes: fc.constantFrom(100, 2 ** 23),
  outboxMessages: fc.constantFrom(2, 1000),
  highWaterMark: fc.constantFrom(1, 500),
  writeStallTimeout: fc.constantFrom(0, 100, 30_000),
  finTimeout: fc.constantFrom(50, 2000),
  copy: fc.boolean(),
});

const world = fc.record({
  seed: fc.nat(),
  cut: fc.constantFrom('asWritten' as const, 'random' as const),
  windowBytes: fc.constantFrom(1000, 262_144),
  jitterMs: fc.constantFrom(0, 5),
});

/** A step of one of the clients, or something that concerns all. */
type Step = readonly [
  client: number,
  step: RawStep | 'time' | 'serverStops' | 'serverGoesOn' | 'resetAll',
  size: number,
];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.nat(3),
  fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...rawSteps) },
    { weight: 4, arbitrary: fc.constant('time' as const) },
    { weight: 1, arbitrary: fc.constantFrom('serverStops' as const, 'serverGoesOn' as const, 'resetAll' as const) },
  ),
  fc.nat(5100),
);

interface Plan {
  readonly limits: Parameters<typeof listen>[0] & { readonly staleAfter: number };
  readonly world: { seed: number; cut: 'asWritten' | 'random'; windowBytes: number; jitterMs: number };
  readonly steps: readonly Step[];
  readonly handlers: readonly HandlerKind[];
  readonly hangUp: boolean;
  readonly listens: boolean;
  readonly closes: boolean;
}

class World {
  readonly clock: VirtualClock = createVirtualClock({ start: 1000 });
  readonly network: Network;
  readonly handlers: Handlers;
  readonly clients: RawClient[] = [];
  /** Errors that `peerError` told, by peer. */
  readonly blamed = new Map<number, NinjaTcpError[]>();

  constructor(private readonly plan: Plan) {
    this.network = createNetwork({ ...plan.world, clock: this.clock });
    this.handlers = new Handlers(plan.handlers, this.network.host('honest').address);
  }

  async serve(): Promise<Server> {
    const { limits: given, hangUp, listens } = this.plan;
    const environment = this.network.environment('server');
    // Whoever may stay for ever must not be able to take all the places.
    const maxConnections = hangUp ? 3 : 1000;
    const server = await this.clock.runUntil(
      listen({ ...given, port: PORT, environment, maxConnections }, this.handlers.handle),
    );
    if (listens) {
      server.on('peerError', ({ peer, error }) =>
        this.blamed.set(peer.id, [...(this.blamed.get(peer.id) ?? []), error]),
      );
      server.on('refused', () => meet('server refused a client'));
    }
    return server;
  }

  async run(): Promise<void> {
    const server = this.network.host('server');
    for (const [index, does, size] of this.plan.steps) {
      if (does === 'time') await this.clock.advance(size % 400);
      else if (does === 'serverStops') server.freeze();
      else if (does === 'serverGoesOn') server.thaw();
      else if (does === 'resetAll') this.network.resetAll();
      else this.client(index, does).take(does, size);
      if (size % 3 === 0) await this.clock.advance(1);
    }
    server.thaw();
    await this.clock.advance(50);
  }

  /** The present one of this number: a new one is dialed when there is none, or it is to begin anew. */
  private client(index: number, does: RawStep): RawClient {
    const known = this.clients.findLast((one) => one.index === index);
    if (known && does !== 'dial') return known;
    const target = { host: 'server', port: PORT, noDelay: true };
    const fresh = new RawClient(index, this.network.environment('client').dial(target));
    this.clients.push(fresh);
    return fresh;
  }

  hangUp(): void {
    for (const client of this.clients) client.transport.reset();
  }

  /**
   * Whatever happened before: who behaves is served.
   *
   * @param size bytes of what it sends
   */
  async honest(size: number): Promise<void> {
    const environment = this.network.environment('honest');
    const connection: Connection = connect({ host: 'server', port: PORT, environment, backoff: () => 500 });
    const heard: string[] = [];
    connection.on('message', (message) => heard.push(`${message}`));
    // Once for each line: what is lost with one that a full server resets is not sent again by itself.
    connection.on('live', () => connection.send('?'.repeat(size)));
    await this.clock.runUntil(() => heard.length > 0);
    same(heard.join(), '?'.repeat(size), 'what the honest client hears');
    await this.clock.runUntil(connection.dispose());
  }

  /** Nothing was invented, nothing changed, nothing out of order; and the program's faults were told once. */
  check(): void {
    const { maxFrameLength = 0 } = this.plan.limits;
    for (const client of this.clients) {
      const port = client.transport.localPort as number;
      const { received = [], sent = [] } = this.handlers.of(port) ?? {};
      isPrefix(received, client.sentMessages(maxFrameLength), 'what a handler received');
      isPrefix(client.heardMessages(), sent, 'what a client received');
      if (received.length > 0) meet('server delivered messages');
    }
    for (const [peer, errors] of this.blamed) {
      same(errors.length, 1, `errors told of peer ${peer}`);
      demand(errors[0] instanceof NinjaTcpError, () => 'an error that is none of ours');
      meet(`server told ${errors[0]?.code}`);
    }
    const { threw } = this.handlers;
    if (this.plan.listens) {
      for (const peer of threw) {
        const told = this.blamed.get(peer)?.[0];
        demand(told?.code === 'NINJA_HANDLER_FAILED' && told.cause === oops, () => `peer ${peer} threw, told: ${told}`);
      }
    } else {
      const told = this.network.warnings.filter((warning) => warning.cause === oops);
      same(told.length, threw.size, 'handlers that threw, as told by warnings');
    }
    for (const warning of this.network.warnings) {
      const isTold = warning instanceof NinjaTcpError && warning.code === 'NINJA_HANDLER_FAILED';
      demand(isTold && !this.plan.listens, () => `a warning: ${warning.message}`);
    }
    for (const code of this.handlers.ends) meet(`server peer ended by ${code}`);
  }
}

function isPrefix(some: readonly Buffer[], all: readonly Buffer[], what: string): void {
  demand(some.length <= all.length, () => `${what}: ${some.length} messages, and ${all.length} were sent`);
  some.forEach((one, i) => {
    demand(one.equals(all[i] as Buffer), () => `${what}: message ${i} is another one`);
  });
}

async function play(plan: Plan): Promise<void> {
  const world = new World(plan);
  const server = await world.serve();
  await world.run();
  const alone = plan.hangUp || plan.limits.staleAfter === 0;
  if (alone) world.hangUp();
  // Who shares the budget with others may be the largest of all.
  await world.honest(alone ? (plan.limits.maxFrameLength ?? 1) : 10);
  world.check();
  const { clock, network } = world;
  await clock.runUntil(plan.closes ? server.close() : server.dispose());
  same(server.state, 'disposed', 'the state of the server');
  same(server.peers.size, 0, 'peers left');
  world.hangUp();
  await clock.advance(100);
  same(clock.pending, 0, 'timers left');
  same(network.openTransports, 0, 'transports left');
}

export const server = fc.asyncProperty(
  fc.record({
    limits,
    world,
    steps: fc.array(step, { maxLength: 40, size: 'max' }),
    handlers: fc.array(fc.constantFrom(...handlerKinds), { minLength: 1, maxLength: 4 }),
    hangUp: fc.boolean(),
    listens: fc.boolean(),
    closes: fc.boolean(),
  }),
  (plan) => play(plan),
);
