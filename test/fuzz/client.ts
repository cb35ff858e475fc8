/** A connection on the simulated network, and a server that answers whatever it likes. */
import fc from 'fast-check';
import { type Connection, connect, type NinjaTcpError, type Transport } from '../../src/index.js';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { demand, meet, same } from './demand.js';
import { RawClient, type RawStep, rawSteps } from './server-raw.js';

const PORT = 65_432;
const orders = ['send', 'send', 'connect', 'disconnect', 'reconnectNow'] as const;
const faults = ['refuse', 'accept', 'resetAll', 'serverStops', 'serverGoesOn'] as const;
type Step = readonly [does: RawStep | (typeof orders)[number] | (typeof faults)[number] | 'time', size: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...rawSteps) },
    { weight: 4, arbitrary: fc.constantFrom(...orders) },
    { weight: 5, arbitrary: fc.constant('time' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...faults) },
  ),
  fc.nat(5100),
);

const limits = fc.record({
  maxFrameLength: fc.constantFrom(100, 5000, 5000),
  frameTimeout: fc.constantFrom(0, 200, 30_000),
  staleAfter: fc.constantFrom(300, 1000),
  heartbeatInterval: fc.constantFrom(25, 150),
  connectTimeout: fc.constantFrom(100, 5000),
  writeStallTimeout: fc.constantFrom(0, 100),
  outboxMessages: fc.constantFrom(4, 1000),
  highWaterMark: fc.constantFrom(1, 500),
  ttl: fc.constantFrom(0, 50),
  copy: fc.boolean(),
});

interface Plan {
  readonly limits: object & { readonly maxFrameLength: number };
  readonly world: { seed: number; cut: 'asWritten' | 'random'; windowBytes: number };
  readonly steps: readonly Step[];
  /** A listener of the program throws at the message of this number. */
  readonly throwsAt: number;
}

class World {
  readonly clock = createVirtualClock({ start: 1000 });
  readonly network;
  /** One for each epoch. */
  private readonly dialed: Transport[] = [];
  private readonly accepted: RawClient[] = [];
  private readonly heard: { readonly epoch: number; readonly message: Buffer }[] = [];
  private readonly errors: NinjaTcpError[] = [];
  readonly connection: Connection;
  private sent = 0;

  constructor(private readonly plan: Plan) {
    this.network = createNetwork({ ...plan.world, clock: this.clock });
    const server = this.network.environment('server');
    server.listen(
      { port: PORT, noDelay: true },
      { listening() {}, failed() {}, accepted: (transport) => this.accepted.push(new RawClient(0, transport)) },
    );
    const client = this.network.environment('client');
    const environment: typeof client = {
      ...client,
      dial: (target) => {
        const transport = client.dial(target);
        this.dialed.push(transport);
        return transport;
      },
    };
    this.connection = connect({ host: 'server', port: PORT, environment, backoff: () => 100, ...plan.limits });
    this.connection.on('error', (error) => this.errors.push(error));
    this.connection.on('message', (message) => {
      this.heard.push({ epoch: this.connection.epoch, message: Buffer.from(message) });
      if (this.heard.length === plan.throwsAt) throw new TypeError('oops');
    });
    this.connection.on('disconnected', ({ reason }) => meet(`client lost by ${reason.code}`));
  }

  async run(): Promise<void> {
    for (const [does, size] of this.plan.steps) {
      this.take(does, size);
      if (does === 'time') await this.clock.advance(size % 400);
      else if (size % 3 === 0) await this.clock.advance(1);
    }
  }

  private take(does: Step[0], size: number): void {
    const { connection, network } = this;
    const server = network.host('server');
    if (does === 'send') this.send();
    else if (does === 'connect' || does === 'disconnect' || does === 'reconnectNow') connection[does]();
    else if (does === 'refuse' || does === 'accept') server.refuse(does === 'refuse');
    else if (does === 'resetAll') network.resetAll();
    else if (does === 'serverStops') server.freeze();
    else if (does === 'serverGoesOn') server.thaw();
    else if (does !== 'time') this.accepted.at(-1)?.take(does, size);
  }

  private send(): void {
    try {
      this.connection.send(`${this.sent + 1}`);
      this.sent += 1;
    } catch (error) {
      const { code } = error as NinjaTcpError;
      demand(['NINJA_OUTBOX_FULL', 'NINJA_DISPOSED'].includes(code), () => `send() threw ${String(error)}`);
    }
  }

  /** Whatever happened before: a server that behaves again is heard, unless the program's own fault closed the line. */
  async heals(): Promise<void> {
    const { connection, clock, network } = this;
    const server = network.host('server');
    server.refuse(false);
    server.thaw();
    if (this.errors.length > 0) {
      await clock.runUntil(connection.closed());
      return;
    }
    connection.connect();
    // Those that were accepted late, too: what a dead one hears has nobody to answer.
    await clock.advance(5);
    for (const { transport } of this.accepted) transport.reset();
    const known = this.accepted.length;
    const heard = this.heard.length;
    const port = (transport: Transport | undefined) => transport?.localPort;
    for (let tries = 0; this.heard.length === heard && this.errors.length === 0; tries += 1) {
      demand(tries < 200, () => `not healed: ${connection.explain()}`);
      const fresh = this.accepted.slice(known);
      fresh.find(({ transport }) => transport.remotePort === port(this.dialed.at(-1)))?.take('message', 3);
      await clock.advance(100);
    }
  }

  /** Nothing was invented, in neither direction; and the program's fault was told once. */
  check(): void {
    const { maxFrameLength } = this.plan.limits;
    this.dialed.forEach(({ localPort }, index) => {
      const there = this.accepted.find(({ transport }) => transport.remotePort === localPort);
      const said = there?.sentMessages(maxFrameLength) ?? [];
      const here = this.heard.filter(({ epoch }) => epoch === index + 1);
      demand(here.length <= said.length, () => `epoch ${index + 1}: ${here.length} messages of ${said.length}`);
      here.forEach(({ message }, i) => {
        demand(message.equals(said[i] as Buffer), () => `epoch ${index + 1}: message ${i} is another one`);
      });
    });
    const arrived = this.accepted.flatMap((one) => one.heardMessages().map((message) => Number(`${message}`)));
    arrived.forEach((number, i) => {
      demand(number > (arrived[i - 1] ?? 0) && number <= this.sent, () => `arrived ${arrived.join(' ')}`);
    });
    demand(this.errors.length <= 1, () => `${this.errors.length} errors told`);
    same(this.errors.length, this.heard.length >= this.plan.throwsAt ? 1 : 0, 'errors told');
    same(this.network.warnings.length, 0, 'warnings');
    if (this.errors.length > 0) meet('client whose listener threw');
    if (arrived.length > 0) meet('client sent messages');
  }

  async end(): Promise<void> {
    await this.clock.runUntil(this.connection.dispose());
    for (const { transport } of this.accepted) transport.reset();
    await this.clock.advance(100);
    same(this.clock.pending, 0, 'timers left');
    same(this.network.openTransports, 0, 'transports left');
  }
}

export const client = fc.asyncProperty(
  fc.record({
    limits,
    world: fc.record({
      seed: fc.nat(),
      cut: fc.constantFrom('asWritten' as const, 'random' as const),
      windowBytes: fc.constantFrom(1000, 262_144),
    }),
    steps: fc.array(step, { maxLength: 40, size: 'max' }),
    throwsAt: fc.constantFrom(1, 3, 1000, 1000, 1000),
  }),
  async (plan) => {
    const world = new World(plan);
    await world.run();
    await world.heals();
    world.check();
    await world.end();
  },
);
