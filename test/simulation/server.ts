import { peerMachine } from '../../machines/peer.machine.js';
import { listen, type Peer, type Server } from '../../src/index.js';
import { Account, type Stream } from './account.js';
import { legalSteps } from './chart.js';
import { type ClientSide, HELLO, PORT } from './client.js';
import { Dice } from './dice.js';
import { tellFor } from './messages.js';
import { checkStep, lossWords } from './observer.js';
import { read, SendingProgram } from './program.js';
import { falseAlarm, missedAlarm, type Rule } from './silence.js';
import type { OpenDial, Owner, Stage } from './stage.js';
import { type Tapped, tapEnvironment } from './tap.js';

const legal = legalSteps(peerMachine);
/** A greeting takes the first, so that the second has to tell whose it is, too. */
const TELLING_MESSAGES = 2;

/** The server's program: it is crashed and started again, and serves every peer alike. */
export class ServerSide {
  server: Server | undefined;
  stale = 0;
  private process: Owner = { dead: true };
  private count = 0;
  private sides = new Set<PeerSide>();

  constructor(private readonly stage: Stage) {}

  start(): void {
    const { stage } = this;
    const owner: Owner = { dead: false };
    this.process = owner;
    let tapped: Tapped;
    const environment = tapEnvironment(stage.network.environment('server'), (one) => {
      tapped = one;
    });
    const options = { port: PORT, environment, ...stage.plan.server.options };
    const started = listen(options, (peer) => this.serve(peer, tapped, owner));
    void stage
      .promisedBy(owner)('listen()', started)
      .then((server) => {
        this.server = server;
        server.on('peerError', ({ error }) => stage.fail(`peerError: ${error.message}`));
        void stage.promisedBy(owner)('server closed()', server.closed());
      });
  }

  crash(): void {
    this.process.dead = true;
    this.server = undefined;
    this.sides.clear();
    this.stage.network.host('server').crash();
  }

  end(): void {
    const { server, stage } = this;
    if (!server) return;
    void stage.promisedBy(this.process)('server ends', server[stage.plan.serverEndsWith]());
  }

  look(): void {
    for (const side of this.sides) {
      if (side.over) this.sides.delete(side);
      else side.look();
    }
  }

  private serve(peer: Peer, tapped: Tapped, owner: Owner): Promise<void> | undefined {
    const { stage } = this;
    const dial = stage.openDials.find(
      ({ tapped: { transport } }) =>
        transport.localPort === peer.remotePort && transport.localAddress === peer.remoteAddress,
    );
    if (!dial) {
      stage.fail(`${peer.name} was accepted, and nobody dialed`);
      return undefined;
    }
    this.count += 1;
    const side = new PeerSide(this.count, peer, dial, tapped, stage, owner, () => {
      this.stale += 1;
    });
    this.sides.add(side);
    return side.run();
  }
}

/** One accepted peer and its programs. */
export class PeerSide {
  readonly account: Account;
  readonly stream: Stream;
  readonly client: ClientSide;
  readonly epoch: number;
  over = false;
  private readonly rule: Rule;

  /** Its process lives, and so does its line. */
  get lives(): boolean {
    return !this.over && !this.owner.dead;
  }

  constructor(
    private readonly id: number,
    private readonly peer: Peer,
    private readonly dial: OpenDial,
    private readonly tapped: Tapped,
    private readonly stage: Stage,
    private readonly owner: Owner,
    onStale: () => void,
  ) {
    const { fail, note, clock, faults, plan } = stage;
    const name = `peer ${id}`;
    this.client = dial.client;
    this.epoch = dial.epoch;
    this.account = new Account(name, new Dice(plan.seed, name).int(1, 2 ** 31), fail);
    this.stream = this.account.begin(1);
    for (let number = 1; number <= TELLING_MESSAGES; number += 1) {
      stage.peers.set(tellFor(this.account.tag, number), this);
    }
    note(`${name} is epoch ${dial.epoch} of ${dial.client.plan.name}`);
    const { client } = dial;
    this.rule = {
      ...client.rule,
      hearer: 'server',
      speaker: client.plan.name,
      staleAfter: plan.server.options.staleAfter ?? 3000,
      heartbeat: client.rule.otherHeartbeat,
      otherHeartbeat: client.rule.heartbeat,
    };
    peer
      .on('stale', ({ silentForMs }) => {
        note(`${name} stale, silent for ${silentForMs}`);
        onStale();
        const told = { now: clock.now(), silentForMs, restartedAt: 0 };
        const wrong = falseAlarm(this.rule, tapped, faults, told);
        if (wrong) fail(`${name}: ${wrong}`);
      })
      .on('dropped', (event) => this.account.drop(event))
      .on('error', (error) => fail(`${name}: the event error: ${error.message}`))
      .on('disposed', (event) => {
        note(`${name} disposed ${event.reason.code} ${lossWords(event)}`);
        this.over = true;
        this.account.lose(1, event);
        this.checkHistory();
      });
  }

  run(): Promise<void> | undefined {
    const { peer, stage, id } = this;
    const { plan, phase } = stage;
    const promised = stage.promisedBy(this.owner);
    const dice = new Dice(plan.seed, `peer ${id} programs`);
    const { clock } = stage.network.environment('server');
    const sender = new SendingProgram(
      peer,
      this.account,
      plan.server.traffic,
      clock,
      dice,
      phase,
      promised,
      TELLING_MESSAGES,
    );
    // A greeting waits for it.
    sender.send();
    void promised(`peer ${id} sends`, sender.run());
    const kind = plan.server.readers[id % 2] as 'iterate';
    const reading = read(peer, kind, clock, dice, phase, (message) => this.take(message), promised);
    void promised(`peer ${id} reads`, reading);
    // Whoever iterates is done when the client is; the others leave it to the library.
    return kind === 'iterate' || kind === ('slow' as string) ? reading : undefined;
  }

  look(): void {
    const { stage } = this;
    if (this.peer.state !== 'connected') return;
    const missed = missedAlarm(this.rule, this.tapped, stage.faults, stage.clock.now(), 0);
    if (missed) stage.fail(`peer ${this.id}: ${missed}`);
  }

  private take(message: Buffer): void {
    const { stage, dial } = this;
    if (dial.client.plan.greets && message.length === HELLO.length && message.toString() === HELLO) return;
    const number = dial.stream.take(message);
    if (stage.traced) stage.note(`peer ${this.id} got ${dial.client.plan.name} ${number} ${message.length} bytes`);
  }

  private checkHistory(): void {
    const { history } = this.peer;
    history.forEach((step, index) => {
      checkStep(step, history[index - 1], legal, (what) => this.stage.fail(`peer ${this.id}: ${what}`));
    });
  }
}
