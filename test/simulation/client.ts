import { type Connection, type ConnectOptions, connect } from '../../src/index.js';
import { Account, type Stream } from './account.js';
import { Dice } from './dice.js';
import { SERVICE } from './faults.js';
import { TELLING, tellOf } from './messages.js';
import { Observer } from './observer.js';
import type { ClientPlan, Order } from './plan.js';
import { type Promised, read, SendingProgram } from './program.js';
import type { PeerSide } from './server.js';
import { falseAlarm, missedAlarm, type Rule } from './silence.js';
import type { Stage } from './stage.js';
import { type Tapped, tapEnvironment } from './tap.js';

export const PORT = 7000;
/** What a greeting says; it is no message of the books. */
export const HELLO = 'hello, this is a greeting';

/** One client: a connection, its programs, and what is known of it. */
export class ClientSide {
  readonly account: Account;
  readonly connection: Connection;
  readonly observer: Observer;
  readonly rule: Rule;
  /** Nothing is lost any more: the network is healthy. */
  mustStay = false;
  /** Wanted again whenever it gives up: what failed after the healing may have begun before. */
  persists = false;
  /** It closes a healthy line: both sides have to part in order, and all that was written has to arrive. */
  private mustPart = false;
  closing = false;
  received = 0;
  private tapped: Tapped | undefined;
  private greetedAt = 0;
  private incoming: { readonly peer: PeerSide; readonly stream: Stream } | undefined;
  private readonly sender: SendingProgram;
  private readonly timers: ReadonlySet<object>;
  private readonly dice: Dice;
  private readonly promised: Promised;

  constructor(
    readonly plan: ClientPlan,
    private readonly stage: Stage,
  ) {
    const { network, fail, note } = stage;
    const environment = tapEnvironment(network.environment(plan.name), (tapped) => this.dialed(tapped));
    this.timers = environment.timers;
    this.dice = new Dice(stage.plan.seed, plan.name);
    this.promised = stage.promisedBy({ dead: false });
    this.account = new Account(plan.name, this.dice.int(1, 2 ** 31), fail);
    const options: ConnectOptions = { host: SERVICE, port: PORT, name: plan.name, environment, ...plan.options };
    this.connection = connect(plan.greets ? { ...options, onConnect: (line) => this.greet(line) } : options);
    const { clock } = network.environment(plan.name);
    this.sender = new SendingProgram(
      this.connection,
      this.account,
      plan.traffic,
      clock,
      this.dice,
      stage.phase,
      this.promised,
      0,
    );
    this.observer = new Observer(plan.name, this.connection, this.account, fail, note);
    const { staleAfter = 3000 } = plan.options;
    const heartbeat = plan.options.heartbeatInterval ?? 1000;
    const otherHeartbeat = stage.plan.server.options.heartbeatInterval ?? 1000;
    this.rule = {
      hearer: plan.name,
      speaker: 'server',
      staleAfter,
      heartbeat,
      otherHeartbeat,
      roundTrip: stage.roundTrip,
    };
    this.connection
      .on('connected', () => {
        this.greetedAt = plan.greets ? stage.clock.now() : 0;
      })
      .on('stale', ({ silentForMs }) => this.heardStale(silentForMs))
      .on('failed', () => {
        if (this.persists) stage.clock.setTimeout(() => this.revive(), 50);
      })
      .on('disposed', ({ reason }) => {
        if (!this.mustPart || reason.code === 'NINJA_DISPOSED') return;
        fail(`${plan.name}: close() in a healthy network ended with ${reason.message}`);
      })
      .on('disconnected', ({ reason }) => {
        this.checkReason(reason.code);
        if (this.mustStay) fail(`${plan.name}: lost in a healthy network: ${reason.code} ${reason.message}`);
      });
  }

  begin(): void {
    const { connection, plan, stage, promised } = this;
    const { clock } = stage.network.environment(plan.name);
    void promised(`${plan.name} sends`, this.sender.run());
    const take = (message: Buffer) => this.take(message, plan.reader === 'listen');
    const reads = read(
      connection,
      plan.reader,
      clock,
      new Dice(stage.plan.seed, `${plan.name} reads`),
      stage.phase,
      take,
      promised,
    );
    void promised(`${plan.name} reads`, reads);
    const closed = connection.closed().then(() => {
      if (this.timers.size > 0) stage.fail(`${plan.name} is closed, and left ${this.timers.size} timers behind`);
    });
    void promised(`${plan.name} closed()`, closed);
    for (const order of plan.orders) {
      // One that a stopped host kept until after the healing is no order any more.
      clock.setTimeout(() => this.persists || this.obey(order), order.at);
    }
  }

  /** Wants the line again, if it may. */
  revive(): void {
    const { connection } = this;
    if (connection.state === 'disconnected' && connection.substate !== 'waiting') connection.connect();
  }

  end(): void {
    const { plan, stage, connection } = this;
    this.mustStay = false;
    this.persists = false;
    const { finTimeout = 2000, drainTimeout = 30_000 } = plan.options;
    const inTime = Math.min(finTimeout, drainTimeout) > 2 * stage.roundTrip + 50;
    // Where the server ends first, its own end may cut short what it reads.
    const first = stage.plan.endsWith === 'clients';
    if (plan.endsWith === 'dispose' && this.dice.chance(0.5)) {
      // What is held, and mortal, when the end comes must leave nothing behind.
      connection.disconnect();
      for (let left = this.dice.int(1, 5); left > 0; left -= 1) this.sender.send(60_000);
    }
    this.mustPart = first && connection.substate === 'live' && plan.endsWith === 'close' && inTime;
    this.obey({ at: 0, what: this.plan.endsWith });
  }

  /** Everything is over. */
  settle(): void {
    this.account.settle('at the end');
    if (this.mustPart && !this.stage.plan.server.options.discardIncoming) this.account.parted();
  }

  /** Looked at now and then. */
  look(): void {
    const { connection, stage, rule, tapped, plan } = this;
    this.observer.look();
    if (connection.state !== 'connected' || !tapped) return;
    const missed = missedAlarm(rule, tapped, stage.faults, stage.clock.now(), this.greetedAt);
    if (missed) stage.fail(missed);
    const { unprovenBytes = 65_536 } = plan.options;
    // One message may be larger than all that is allowed; headers and heartbeats come on top.
    const allowed = 1.25 * Math.max(unprovenBytes, plan.traffic.hugeSize, plan.traffic.largest) + 4000;
    if (rule.staleAfter > 0 && tapped.writtenUnheard > allowed * 4) {
      stage.fail(`${plan.name}: ${tapped.writtenUnheard} bytes were written to a line that was not proven`);
    }
  }

  /** The socket that is looked at by its port when the server accepts it. */
  private dialed(tapped: Tapped): void {
    const { account, plan, stage } = this;
    if (this.tapped && !this.tapped.over)
      stage.fail(`${plan.name} dialed ${tapped.epoch}, and the socket before lives`);
    this.tapped = tapped;
    const stream = account.begin(tapped.epoch);
    stage.openDials.push({ client: this, epoch: tapped.epoch, tapped, stream });
  }

  private async greet(line: { send(message: string): void; receive(): Promise<Buffer> }): Promise<void> {
    const { stage } = this;
    line.send(HELLO);
    // Another login fails now and then.
    if (this.dice.chance(0.05)) throw new Error('the greeting failed, as was drawn');
    const message = await line.receive();
    const peer = stage.peers.get(tellOf(message));
    if (peer?.client !== this) stage.fail(`${this.plan.name}: the greeting was given what is not its own`);
    // What older sockets brought may still lie in the inbox: they are read in their own order.
    else peer.stream.take(message);
  }

  private take(message: Buffer, atOnce: boolean): void {
    const { stage, plan } = this;
    this.received += 1;
    const peer = message.length >= TELLING ? stage.peers.get(tellOf(message)) : undefined;
    if (peer && peer !== this.incoming?.peer) {
      if (peer.client !== this) stage.fail(`${plan.name} was given a message of ${peer.account.name}`);
      if (peer.epoch <= (this.incoming?.peer.epoch ?? 0)) stage.fail(`${plan.name}: epoch ${peer.epoch} came back`);
      this.incoming = { peer, stream: peer.stream };
    }
    const { incoming } = this;
    if (!incoming) {
      stage.fail(`${plan.name} was given a message that nobody sent: ${message.subarray(0, 24).toString('hex')}`);
      return;
    }
    const number = incoming.stream.take(message);
    if (stage.traced) stage.note(`${plan.name} got ${incoming.peer.account.name} ${number} ${message.length} bytes`);
    if (atOnce && incoming.peer.epoch !== this.connection.epoch) {
      stage.fail(`${plan.name}: a message of epoch ${incoming.peer.epoch} was delivered in ${this.connection.epoch}`);
    }
  }

  private obey({ what }: Order): void {
    const { connection, plan, stage, promised, observer } = this;
    stage.note(`${plan.name} order ${what}`);
    switch (what) {
      case 'close':
      case 'dispose': {
        observer.close();
        this.closing = true;
        void promised(`${plan.name} ${what}()`, connection[what]());
        return;
      }
      case 'wait':
      case 'waitProven':
      case 'waitAborted': {
        const controller = new AbortController();
        const wait = connection.connected({ proven: what === 'waitProven', signal: controller.signal });
        promised(`${plan.name} connected()`, wait).catch(() => {});
        const { clock } = stage.network.environment(plan.name);
        if (what === 'waitAborted') clock.setTimeout(() => controller.abort(), this.dice.scale(1, 5000));
        return;
      }
      default:
        connection[what]();
    }
  }

  /** What is blamed has to be what this very socket met. */
  private checkReason(code: string): void {
    const { tapped, stage, plan } = this;
    if (!tapped) return;
    const wrong =
      (code === 'NINJA_RESET' && !tapped.broke) ||
      (code === 'NINJA_CONNECT_FAILED' && !tapped.broke && !plan.greets) ||
      (['NINJA_CLOSED_BY_PEER', 'NINJA_TRUNCATED'].includes(code) && !tapped.ended);
    if (wrong) stage.fail(`${plan.name}: epoch ${tapped.epoch} blames ${code}, and its socket met nothing like it`);
  }

  private heardStale(silentForMs: number): void {
    const { stage, tapped } = this;
    if (!tapped) return;
    const told = { now: stage.clock.now(), silentForMs, restartedAt: this.greetedAt };
    const wrong = falseAlarm(this.rule, tapped, stage.faults, told);
    if (wrong) stage.fail(wrong);
  }
}
