import { type Connection, type ConnectOptions, connect } from '../../../src/index.js';
import { Dice } from '../dice.js';
import { Observer } from '../observer.js';
import type { Promised } from '../program.js';
import { Book, Reception } from './book.js';
import { tellOf } from './payload.js';
import type { ClientPlan, Order } from './plan.js';
import { compareKept, Reading, Sending } from './programs.js';
import type { PeerSide } from './server.js';
import type { Stage } from './stage.js';
import { type Wire, wired } from './wire.js';

export const PORT = 7000;

/** One client: a connection with a session, its programs, and what is known of it. */
export class ClientSide {
  readonly book: Book;
  readonly connection: Connection;
  readonly observer: Observer;
  readonly name: string;
  closing = false;
  /** Wanted again whenever it gives up. */
  persists = false;
  /** The network is healthy: nothing is lost any more. */
  mustStay = false;
  received = 0;
  breaks = 0;
  resumed = 0;
  lost = 0;
  /** Its present socket. */
  wire: Wire | undefined;
  /** Peers that this client's sessions came to, in order. */
  readonly peers: PeerSide[] = [];
  private incoming: { readonly peer: PeerSide; readonly reception: Reception } | undefined;
  /** The program was told of the end of the session before: another one may begin. */
  private mayBegin = true;
  private readonly promised: Promised;
  private readonly dice: Dice;

  constructor(
    readonly plan: ClientPlan,
    private readonly stage: Stage,
  ) {
    const { network, fail, note, clock } = stage;
    const { name, credentialsAfter } = plan;
    this.name = name;
    this.dice = new Dice(stage.plan.seed, name);
    this.promised = stage.promisedBy({ dead: false });
    this.book = new Book(name, this.dice.int(1, 2 ** 31), stage.plan.server.acknowledge === 'received', fail);
    const own = network.environment(name);
    const environment = wired(own, stage.plan.secure, (wire) => {
      this.wire = wire;
      stage.dials.push({ client: this, wire });
    });
    const credentials = (): string | Promise<string> =>
      credentialsAfter ? new Promise((resolve) => own.clock.setTimeout(() => resolve(name), credentialsAfter)) : name;
    const options: ConnectOptions = { host: 'server', port: PORT, name, environment, ...plan.options };
    const session = { ...(options.session as object), ...(credentialsAfter !== undefined && { credentials }) };
    this.connection = connect({ ...options, session });
    this.observer = new Observer(name, this.connection, this.book, fail, note, true);
    this.connection
      .on('connected', () => note(`${name} has port ${this.wire?.localPort}`))
      .on('resumed', ({ replayed, deduplicated, afterMs }) => {
        note(`${name} resumed, replayed ${replayed}, deduplicated ${deduplicated}, after ${afterMs} ms`);
        this.resumed += 1;
        this.check(replayed, deduplicated, afterMs);
      })
      .on('sessionLost', (lost) => {
        note(`${name} sessionLost ${JSON.stringify(lost)}`);
        this.lost += 1;
        this.mayBegin = true;
        this.book.lostSession(lost);
        if (this.peers.at(-1)?.dead) this.book.bury();
        if (this.mustStay && !this.peers.at(-1)?.ending)
          fail(`${name}: its session was lost in a healthy network: ${lost.code}`);
      })
      .on('disconnected', ({ reason }) => {
        if (this.wire?.isOpen) this.breaks += 1;
        if (reason.code === 'NINJA_CLOSED_BY_PEER') this.mayBegin = true;
        // Both sides are ours: nobody breaks a rule, whatever happens in between.
        if (reason.code === 'NINJA_PROTOCOL') fail(`${name}: ${reason.message}`);
        if (reason.code === 'NINJA_DISPOSED' && !this.closing)
          fail(`${name} did not close, and is told ${reason.message}`);
        if (this.mustStay && !this.peers.at(-1)?.ending)
          fail(`${name}: lost in a healthy network: ${reason.code} ${reason.message}`);
      })
      .on('failed', () => {
        this.mayBegin = true;
        if (this.persists) clock.setTimeout(() => this.revive(), 50);
      });
  }

  look(): void {
    this.observer.look();
    compareKept(this.connection, this.book);
  }

  begin(): void {
    const { connection, plan, stage, promised, name } = this;
    const { clock } = stage.network.environment(name);
    const dice = new Dice(stage.plan.seed, `${name} programs`);
    const sending = new Sending(connection, this.book, plan.traffic, clock, dice, stage.phase, promised);
    void promised(`${name} sends`, sending.run());
    const take = (message: Buffer) => this.take(message);
    const reading = new Reading(connection, plan.reader, plan.acknowledge, clock, dice, stage.phase, take, promised);
    const reads = reading.run();
    if (reads) void promised(`${name} reads`, reads);
    void promised(`${name} closed()`, connection.closed());
    for (const order of plan.orders) clock.setTimeout(() => this.persists || this.obey(order), order.at);
  }

  /** Wants the line again, if it may. */
  revive(): void {
    const { connection } = this;
    if (connection.state === 'disconnected' && connection.substate !== 'waiting') connection.connect();
  }

  obey({ what }: Pick<Order, 'what'>): void {
    const { connection, stage, promised, observer, name } = this;
    stage.note(`${name} order ${what}`);
    if (what === 'close' || what === 'dispose') {
      observer.close();
      this.closing = true;
      void promised(`${name} ${what}()`, connection[what]());
    } else {
      connection[what]();
    }
  }

  /** A resume is exact: nothing is ever written twice for nothing. */
  private check(replayed: number, deduplicated: number, afterMs: number): void {
    if (replayed >= 0 && deduplicated === 0 && afterMs >= 0) return;
    this.stage.fail(`${this.name}: resumed ${replayed} again, ${deduplicated} twice, after ${afterMs} ms`);
  }

  /** The server made a peer for it: another session. */
  joins(peer: PeerSide): void {
    const before = this.peers.at(-1);
    this.peers.push(peer);
    if (before?.carried && before.lives && !this.mayBegin) {
      this.stage.fail(`${this.name} began another session without a word, and ${before.book.name} lives`);
    }
    this.mayBegin = false;
  }

  private take(message: Buffer): () => void {
    const { stage, name } = this;
    this.received += 1;
    const told = tellOf(message);
    const peer = told && stage.peers.get(told.tag);
    if (!told || !peer) {
      stage.fail(`${name} was given a message that nobody sent: ${message.subarray(0, 24).toString('hex')}`);
      return () => {};
    }
    if (peer !== this.incoming?.peer) {
      if (peer.client !== this) stage.fail(`${name} was given a message of ${peer.book.name}`);
      if (peer.place <= (this.incoming?.peer.place ?? 0)) stage.fail(`${name}: ${peer.book.name} came back`);
      this.incoming = { peer, reception: new Reception(peer.book) };
    }
    if (stage.traced) stage.note(`${name} got ${peer.book.name} ${told.number}`);
    this.incoming.reception.take(told.number, message.length);
    return () => peer.book.handle(told.number);
  }
}
