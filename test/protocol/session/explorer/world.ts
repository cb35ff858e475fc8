// A world as small as can be around the real core: one client, one server, and the lines between them, on which every
// frame is a step of its own. A line has two ends that learn of a break separately: what is under way on an old one
// may still come.
import { ClientSession } from '../../../../src/protocol/session/client.js';
import { writeDataHead } from '../../../../src/protocol/session/frames.js';
import type { KeptSession } from '../../../../src/protocol/session/kept.js';
import type { SessionCrypto } from '../../../../src/protocol/session/keys.js';
import { DATA_HEAD } from '../../../../src/protocol/session/layouts.js';
import type {
  Attached,
  SessionEnd,
  SessionKeeper,
  SessionLink,
  SessionOptions,
  SessionOwner,
} from '../../../../src/protocol/session/ports.js';
import { SessionRegistry } from '../../../../src/protocol/session/registry.js';
import type { ServerSession } from '../../../../src/protocol/session/server.js';
import type { Session } from '../../../../src/protocol/session/session.js';
import { Keeper } from './kept.js';

export interface Setting {
  /** Messages from the client, and from the server. */
  readonly up: number;
  readonly down: number;
  readonly breaks: number;
  /** How many messages may be unacknowledged. */
  readonly window: number;
  /** The program takes a message some time after it came. */
  readonly slow: boolean;
  /** A socket takes one message, and wants to be asked before the next. */
  readonly narrow: boolean;
  /** The client closes when it has sent all, or the server does. */
  readonly closes?: 'client' | 'server';
  /** Both sides have a store, and so often a side is killed, with all that is not in it. */
  readonly crashes?: number;
}

/** What went wrong: the invariant that does not hold. */
export class Broken extends Error {}

type SideName = 'client' | 'server';

/** Arithmetic that is quick, and chance that counts. */
class Arithmetic implements SessionCrypto {
  spent = 0;

  hmac(secret: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    let hash = secret[0] as number;
    for (const part of parts) for (const byte of part) hash = (Math.imul(hash, 31) + byte) | 0;
    const mac = Buffer.alloc(32);
    mac.writeInt32BE(hash);
    return mac;
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return Buffer.compare(a, b) === 0;
  }

  random(length: number): Uint8Array {
    this.spent += 1;
    return new Uint8Array(length).fill(this.spent);
  }
}

/** One end of a line, as its session sees it. */
class End implements SessionLink {
  open = true;
  /** What comes here. */
  readonly coming: Buffer[] = [];
  /** It was closed in order: what it wrote comes before that is noticed. */
  parted = false;
  /** It waits to be told that there is room. */
  full = false;
  other!: End;
  session: Session | undefined;

  constructor(
    readonly name: SideName,
    readonly narrow: boolean,
  ) {}

  data(number: number, payload: Uint8Array): boolean {
    const frame = Buffer.alloc(DATA_HEAD + payload.length);
    writeDataHead(frame, 0, number);
    frame.set(payload, DATA_HEAD);
    this.control(frame);
    if (this.narrow && this.open) this.full = true;
    return !this.full;
  }

  control(frame: Buffer): void {
    if (!this.open) throw new Broken(`the ${this.name} wrote to a socket that it had closed`);
    if (this.other.open) this.other.coming.push(frame);
  }

  end(): void {
    this.parted = this.open;
    this.close();
  }

  close(): void {
    this.open = false;
    this.full = false;
    this.coming.length = 0;
  }

  drop(error: unknown): void {
    if (error) throw new Broken(`the ${this.name} dropped a socket: ${error}`);
    this.close();
  }
}

/** The program on one side. */
class Side implements SessionOwner {
  /** Sent, got, and done with. */
  sent = 0;
  got = 0;
  done = 0;
  acknowledgedUpTo = 0;
  finished = false;
  left = false;
  over: SessionEnd | undefined;
  session!: KeptSession;
  other!: Side;
  /** What its store has. */
  keeper: Keeper | undefined;
  /** How often it was killed. */
  life = 0;
  /** In which life each message was sent. */
  lives: number[] = [];

  constructor(
    readonly name: SideName,
    readonly most: number,
    readonly slow: boolean,
  ) {}

  /** Only the record is left. What was not in it was lost with the program that sent it. */
  die(): void {
    const keeper = this.keeper as Keeper;
    this.life += 1;
    this.sent = keeper.next - 1;
    this.lives = this.lives.slice(0, this.sent);
    this.got = keeper.handled - 1;
    this.done = this.got;
    this.acknowledgedUpTo = keeper.record ? keeper.record.first - 1 : 0;
    this.finished = false;
    this.left = false;
    this.over = undefined;
    keeper.answer = undefined;
    keeper.due = false;
    keeper.over = false;
  }

  deliver(message: Buffer, number: number): boolean {
    const value = message[0] as number;
    if (value !== this.got + 1 || number !== value) {
      throw new Broken(`the ${this.name} got message ${value} as number ${number}, behind ${this.got}`);
    }
    if (value > this.other.sent) throw new Broken(`the ${this.name} got message ${value}, which was never sent`);
    if (message[1] !== this.other.lives[value - 1]) {
      throw new Broken(`the ${this.name} got a message ${value} that died with its sender`);
    }
    if (this.other.keeper && value >= this.other.keeper.next) {
      throw new Broken(`the ${this.name} got message ${value}, which the store of its sender has not`);
    }
    this.got += 1;
    if (!this.slow) this.done += 1;
    return !this.slow;
  }

  acknowledged(number: number): void {
    if (number > this.other.done) {
      throw new Broken(`${number} was told as handled to the ${this.name}, with ${this.other.done} handled`);
    }
    if (this.other.keeper && number >= this.other.keeper.handled) {
      throw new Broken(`${number} was told as handled to the ${this.name}, and the store does not know it`);
    }
    this.acknowledgedUpTo = number;
  }

  ended(end: SessionEnd): void {
    this.over = end;
    // Killed in the moment of goodbye: it was all over, but for its record.
    const late = this.keeper && end.how === 'lost' && !end.unknown && !end.notSent;
    if (end.how === 'lost' && !late) throw new Broken(`the session of the ${this.name} is lost: ${end.code}`);
    if (this.acknowledgedUpTo !== this.most || this.got !== this.other.most) {
      throw new Broken(`the ${this.name} ended with ${this.acknowledgedUpTo} handled and ${this.got} got`);
    }
  }

  leaving(): void {
    this.left = true;
  }

  room(): void {}
  attached(_how: Attached): void {}
  detached(): void {}
  draining(): void {}
  refused(): void {}
  wake(): void {}
}

/** What may happen next, and what then happens. */
export interface Step {
  readonly name: string;
  /** It costs one of the breaks. */
  readonly breaks?: boolean;
  /** False where it turned out that it cannot happen. */
  run(world: World): unknown;
}

export class World {
  broken = 0;
  crashed = 0;
  readonly client: Side;
  readonly server: Side;
  session: ClientSession;
  registry: SessionRegistry;
  /** The client's ends, oldest first; a line with both ends closed is gone. */
  lines: End[] = [];
  private readonly crypto = new Arithmetic();
  private readonly options: SessionOptions;

  constructor(readonly setting: Setting) {
    const { up, down, slow, window: messages } = setting;
    this.client = new Side('client', up, slow);
    this.server = new Side('server', down, slow);
    this.client.other = this.server;
    this.server.other = this.client;
    const window = { bytes: 1000, messages };
    this.options = { acknowledge: 'handled', maxFrame: 10, window, retain: window, heartbeatMs: 0, resumeMs: 1e6 };
    if (setting.crashes) {
      this.client.keeper = new Keeper();
      this.server.keeper = new Keeper();
    }
    this.session = this.newClient();
    this.registry = this.newRegistry();
  }

  private newClient(): ClientSession {
    const { client } = this;
    const session = new ClientSession({ ...this.options, endpoints: 1 }, this.crypto, client, client.keeper?.record);
    if (client.keeper) session.keep(client.keeper);
    client.session = session;
    return session;
  }

  private newRegistry(): SessionRegistry {
    const limits = { maxSessions: 2, maxSessionsPerPrincipal: 2, retainedBytes: 1e6, retainedBytesPerPrincipal: 1e6 };
    return new SessionRegistry({ ...this.options, ...limits }, this.crypto, () => {
      throw new Broken('a session was opened outside of admit');
    });
  }

  get done(): boolean {
    const { client, server, setting } = this;
    if (setting.closes) {
      // Killed in the moment of goodbye, with nobody to come back: the record is left to its resume window.
      const over = ({ over, keeper, session }: Side): boolean =>
        keeper ? over !== undefined || session === undefined : over?.how === 'closed';
      return over(client) && over(server) && server.got === client.most;
    }
    const all = (side: Side): boolean => side.acknowledgedUpTo === side.most && side.other.got === side.most;
    return all(client) && all(server) && this.session.state === 'attached';
  }

  /** All that may happen now. */
  steps(): Step[] {
    const steps: Step[] = [];
    const { setting } = this;
    for (const name of ['client', 'server'] as const) {
      this.stepsOf(name, steps);
      this.stepsOfStore(name, steps);
    }
    this.lines.forEach((end, place) => {
      this.stepsOfEnd(end, `line ${place}`, (world) => world.lines[place] as End, steps);
      this.stepsOfEnd(end.other, `line ${place}`, (world) => (world.lines[place] as End).other, steps);
    });
    const closing = setting.closes !== undefined && this.client.over !== undefined;
    if (!this.lines.some(({ open }) => open) && !closing) {
      steps.push({ name: 'the client dials', run: (world) => world.dial() });
    }
    return steps;
  }

  private stepsOf(name: SideName, steps: Step[]): void {
    const side = this[name];
    if (!side.session || side.over) return;
    if (side.sent < side.most) steps.push({ name: `the ${name} sends`, run: (world) => world.send(world[name]) });
    if (side.done < side.got)
      steps.push({ name: `the ${name} is done with one`, run: (world) => world.settle(world[name]) });
    if (side.session.receiver.dueAt < 1e6) {
      steps.push({ name: `the ${name} acknowledges`, run: (world) => world[name].session.tick(25) });
    }
    if (name === 'server' && this.client.over && side.session.state === 'detached') {
      // Its goodbye was not answered: the client was gone by then.
      steps.push({ name: 'the resume window is over', run: (world) => world.server.session.tick(1e9) });
    }
    const closes = this.setting.closes === name || side.left;
    if (closes && side.sent === side.most && !side.finished) {
      steps.push({ name: `the ${name} finishes`, run: (world) => world.finish(world[name]) });
    }
  }

  private stepsOfStore(name: SideName, steps: Step[]): void {
    const { session, keeper } = this[name];
    if (!keeper) return;
    if (keeper.due && !keeper.answer && session && !keeper.over) {
      steps.push({
        name: `the store takes what the ${name} has`,
        run: (world) => (world[name].keeper as Keeper).take(world[name].session),
      });
    }
    if (keeper.answer) steps.push({ name: `the store answers the ${name}`, run: (world) => world.answer(world[name]) });
    if (this.crashed < (this.setting.crashes ?? 0)) {
      steps.push({ name: `the ${name} is killed`, breaks: true, run: (world) => world.crash(name) });
    }
  }

  private answer(side: Side): void {
    const keeper = side.keeper as Keeper;
    const { answer } = keeper;
    keeper.answer = undefined;
    if (answer) side.session.stored(answer, 0);
  }

  private crash(name: SideName): void {
    this.crashed += 1;
    for (const end of this.lines) {
      const own = name === 'client' ? end : end.other;
      own.close();
      own.session = undefined;
    }
    this[name].die();
    if (name === 'client') this.session = this.newClient();
    else {
      this.registry = this.newRegistry();
      (this.server as { session: unknown }).session = undefined;
    }
  }

  private stepsOfEnd(end: End, line: string, endOf: (world: World) => End, steps: Step[]): void {
    if (!end.open) return;
    const { name } = end;
    if (end.coming.length > 0)
      steps.push({ name: `${line} brings a frame to the ${name}`, run: (world) => world.hear(endOf(world)) });
    if (end.full) {
      steps.push({ name: `${line} takes more of the ${name}`, run: (world) => world.writable(endOf(world)) });
    }
    const { other } = end;
    if (!other.open && !(other.parted && end.coming.length > 0)) {
      steps.push({ name: `the ${name} notes the end of ${line}`, run: (world) => world.lose(endOf(world)) });
    }
    if ((other.open || other.parted) && this.broken < this.setting.breaks) {
      steps.push({ name: `${line} breaks for the ${name}`, breaks: true, run: (world) => world.cut(endOf(world)) });
    }
  }

  private dial(): void {
    const { narrow } = this.setting;
    const end = new End('client', narrow);
    const other = new End('server', narrow);
    end.other = other;
    other.other = end;
    end.session = this.session;
    this.lines.push(end);
    this.session.open(end, [], 0);
  }

  private send(side: Side): boolean {
    side.sent += 1;
    side.lives.push(side.life);
    return side.session.send(Uint8Array.of(side.sent, side.life)) > 0;
  }

  private settle(side: Side): void {
    side.done += 1;
    side.session.settle(side.done, 0);
  }

  private finish(side: Side): void {
    side.finished = true;
    side.session.finish();
  }

  private hear(end: End): void {
    const frame = end.coming.shift() as Buffer;
    if (end.session) end.session.receive(end, frame, 0);
    else this.admit(end, frame);
  }

  private admit(end: End, bytes: Buffer): void {
    // Of this copy of the world: a function remembers the one it was made in.
    const registry = this.registry as unknown as {
      opened(session: ServerSession): Side;
      kept?: ((session: ServerSession) => SessionKeeper) | undefined;
    };
    const before = registry.opened;
    const { keeper } = this.server;
    if (keeper) registry.kept = () => keeper;
    registry.opened = (session) => {
      if (this.server.session) throw new Broken('the server opened a second session');
      this.server.session = session;
      return this.server;
    };
    const frame = this.registry.read(bytes);
    if (keeper?.record && !this.server.session) this.restore(keeper, frame);
    const admission = this.registry.admit(end, frame, bytes, { principal: 'p', secure: true });
    registry.opened = before;
    registry.kept = undefined;
    if (keeper?.record && frame.name === 'RESUME' && 'session' in admission) keeper.claim(frame.epoch);
    if ('session' in admission) end.session = admission.session;
  }

  /** As a server does that is asked for a session which only its store knows. */
  private restore({ record }: Keeper, frame: ReturnType<SessionRegistry['read']>): void {
    if (!record) return;
    const { sessionId, clientInstance } = record.head;
    const same = frame.name === 'RESUME' ? [frame.sessionId, sessionId] : [frame.clientInstance, clientInstance];
    if (Buffer.compare(same[0] as Uint8Array, same[1] as Uint8Array) === 0) this.registry.restore(record, 0);
  }

  private writable(end: End): void {
    end.full = false;
    end.session?.writable(end);
  }

  private cut(end: End): void {
    this.broken += 1;
    this.lose(end);
  }

  private lose(end: End): void {
    end.close();
    end.session?.lost(end, 0);
  }

  /** Forgets lines of which nothing comes any more. */
  tidy(): void {
    this.lines = this.lines.filter((end) => end.open || end.other.open);
  }
}
