import { peerMachine } from '../../../machines/peer.machine.js';
import { type ListenOptions, listen, type Peer, type Server, type Transition } from '../../../src/index.js';
import { legalSteps } from '../chart.js';
import { Dice } from '../dice.js';
import { checkStep, lossWords } from '../observer.js';
import type { Owner } from '../stage.js';
import { Book, Reception } from './book.js';
import { type ClientSide, PORT } from './client.js';
import { tellOf } from './payload.js';
import { compareKept, Reading, Sending } from './programs.js';
import type { Stage } from './stage.js';
import { type Wire, wired } from './wire.js';

const legal = legalSteps(peerMachine);

/** A server that is frozen or blocked notices late that a window is over, ms. */
const LATE = 15_000;

/** The server's program: it is crashed and started again, and serves every session alike. */
export class ServerSide {
  server: Server | undefined;
  refused = 0;
  readonly sides = new Set<PeerSide>();
  private readonly wires = new Map<string, Wire>();
  private process: Owner = { dead: true };
  private count = 0;

  constructor(private readonly stage: Stage) {}

  start(): void {
    const { stage } = this;
    const owner: Owner = { dead: false };
    this.process = owner;
    const own = stage.network.environment('server');
    const environment = wired(own, stage.plan.secure, (wire) => {
      this.wires.set(`${wire.remoteAddress}:${wire.remotePort}`, wire);
    });
    const { options: given, authenticatesAfter } = stage.plan.server;
    const name = (credentials: Buffer | undefined) => credentials?.toString();
    const authenticate = (credentials: Buffer | undefined): string | undefined | Promise<string | undefined> =>
      authenticatesAfter
        ? new Promise((resolve) => own.clock.setTimeout(() => resolve(name(credentials)), authenticatesAfter))
        : name(credentials);
    const session = { ...(given.session as object), ...(authenticatesAfter !== undefined && { authenticate }) };
    const options: ListenOptions = { port: PORT, environment, ...given, session };
    const started = listen(options, (peer) => this.serve(peer, owner));
    void stage
      .promisedBy(owner)('listen()', started)
      .then((server) => {
        this.server = server;
        server
          .on('refused', ({ error }) => {
            this.refused += 1;
            stage.note(`server refused: ${error.message}`);
          })
          .on('peerError', ({ error }) => stage.fail(`peerError: ${error.message}`));
        void stage.promisedBy(owner)('server closed()', server.closed());
      });
  }

  /** The other end of a client's socket, where it was accepted. */
  otherEndOf({ localAddress, localPort }: Wire): Wire | undefined {
    return this.wires.get(`${localAddress}:${localPort}`);
  }

  crash(): void {
    this.process.dead = true;
    this.server = undefined;
    this.sides.clear();
    for (const { client } of this.stage.peers.values()) client.book.bury();
    this.stage.network.host('server').crash();
  }

  /** Its program ends sessions now and then. */
  begin(dice: Dice): void {
    const { clock, plan } = this.stage;
    for (let left = plan.server.ends; left > 0; left -= 1) {
      clock.setTimeout(() => this.endOne(dice), dice.int(0, plan.chaosMs));
    }
  }

  private endOne(dice: Dice): void {
    const { stage } = this;
    const lives = [...this.sides].filter((side) => side.lives);
    if (lives.length === 0) return;
    const side = dice.pick(lives);
    const { peer, book } = side;
    const how = dice.chance(0.7) ? 'close' : 'dispose';
    side.ending = true;
    stage.note(`${book.name} order ${how}`);
    void stage.promisedBy(this.process)(`${book.name} ${how}()`, peer[how]());
  }

  end(how: 'close' | 'dispose'): void {
    const { server, stage } = this;
    if (server) void stage.promisedBy(this.process)(`server ${how}()`, server[how]());
  }

  look(): void {
    for (const side of this.sides) {
      if (side.lives) side.look();
      else this.sides.delete(side);
    }
  }

  private serve(peer: Peer, owner: Owner): Promise<void> | undefined {
    const { stage } = this;
    const dial = stage.dials.findLast(
      ({ wire }) => wire.localPort === peer.remotePort && wire.localAddress === peer.remoteAddress,
    );
    if (!dial) {
      stage.fail(`${peer.name} was accepted, and nobody dialed`);
      return undefined;
    }
    if (!peer.session) {
      // In 'accept' a client that is late is taken for a plain one, and parted from when it asks for its session.
      peer.on('message', () => stage.fail(`${peer.name}, taken for a plain one, was given a message`));
      return undefined;
    }
    this.count += 1;
    const side = new PeerSide(this.count, peer, dial.client, stage, owner);
    this.sides.add(side);
    dial.client.joins(side);
    return side.run();
  }
}

/** One session at the server, and its programs. */
export class PeerSide {
  readonly book: Book;
  readonly place: number;
  resumed = 0;
  lost = 0;
  /** Its program has ended it. */
  ending = false;
  private readonly reception: Reception;
  private over = false;
  private last: Transition | undefined;
  private received = 0;
  private detachedAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly id: number,
    readonly peer: Peer,
    readonly client: ClientSide,
    private readonly stage: Stage,
    private readonly owner: Owner,
  ) {
    const { fail, note, plan } = stage;
    const name = `peer ${id}`;
    this.place = client.peers.length + 1;
    const early = client.plan.acknowledge === 'received';
    this.book = new Book(name, new Dice(plan.seed, name).int(1, 2 ** 31), early, fail);
    this.reception = new Reception(client.book);
    stage.peers.set(this.book.tag, this);
    note(`${name} is session ${this.place} of ${client.name}`);
    peer
      .on('detached', ({ reason }) => {
        note(`${name} detached ${reason.code}`);
        this.detachedAt = stage.clock.now();
        if (reason.code === 'NINJA_PROTOCOL') fail(`${name}: ${reason.message}`);
        this.look();
      })
      .on('resumed', ({ replayed, deduplicated, afterMs }) => {
        this.resumed += 1;
        this.detachedAt = Number.POSITIVE_INFINITY;
        note(`${name} resumed, replayed ${replayed}, deduplicated ${deduplicated}, after ${afterMs} ms`);
        if (this.over || deduplicated > 0) fail(`${name} resumed, ${deduplicated} twice, and over: ${this.over}`);
      })
      .on('dropped', (event) => this.book.drop(event))
      .on('error', (error) => fail(`${name}: the event error: ${error.message}`))
      .on('disposed', (event) => {
        note(`${name} disposed ${event.reason.code} ${lossWords(event)}`);
        if (this.over) fail(`${name} is disposed twice`);
        this.over = true;
        if (event.reason.code === 'NINJA_SESSION_LOST') this.lost += 1;
        this.book.lose(1, event);
        if (!this.book.early) this.book.settle(`when it was disposed, ${event.reason.code}`, false);
        this.look();
      });
  }

  /** Its process lives, and so does its session. */
  get lives(): boolean {
    return !this.over && !this.owner.dead;
  }

  get dead(): boolean {
    return this.owner.dead;
  }

  /** Something came over it, either way. */
  get carried(): boolean {
    return this.received > 0 || this.book.arrived > 0;
  }

  run(): Promise<void> | undefined {
    const { peer, stage, id } = this;
    const { plan, phase } = stage;
    const promised = stage.promisedBy(this.owner);
    const dice = new Dice(plan.seed, `peer ${id} programs`);
    const { clock } = stage.network.environment('server');
    const sending = new Sending(peer, this.book, plan.server.traffic, clock, dice, phase, promised);
    void promised(`peer ${id} sends`, sending.run());
    const take = (message: Buffer) => this.take(message);
    const { reader, acknowledge } = plan.server;
    const reads = new Reading(peer, reader, acknowledge, clock, dice, phase, take, promised).run();
    if (reads) void promised(`peer ${id} reads`, reads);
    // Whoever asks for messages is done when the client is; the others leave it to the library.
    return reads;
  }

  look(): void {
    const { history } = this.peer;
    const fresh = history.slice(this.last === undefined ? 0 : history.indexOf(this.last) + 1);
    for (const step of fresh) {
      checkStep(step, this.last, legal, (what) => this.stage.fail(`peer ${this.id}: ${what}`));
      this.last = step;
    }
    if (!this.lives) return;
    compareKept(this.peer, this.book);
    const { clock, plan } = this.stage;
    const { resumeWindow = 30_000 } = plan.server.options.session as { resumeWindow?: number };
    const away = clock.now() - this.detachedAt;
    if (away > resumeWindow + LATE) this.book.fail(`it is detached for ${away} ms, its window is ${resumeWindow} ms`);
  }

  private take(message: Buffer): () => void {
    const { stage, client, id } = this;
    const { book } = client;
    this.received += 1;
    const told = tellOf(message);
    if (!told || told.tag !== book.tag) {
      stage.fail(`peer ${id} was given what ${client.name} did not send: ${message.subarray(0, 24).toString('hex')}`);
      return () => {};
    }
    if (stage.traced) stage.note(`peer ${id} got ${client.name} ${told.number}`);
    this.reception.take(told.number, message.length);
    return () => book.handle(told.number);
  }
}
