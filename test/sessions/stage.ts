// Clients and servers around one store, each a process that can be killed: frames go across when time is moved.

import type { Clock } from '../../src/environment.js';
import { ClientSession, SessionRegistry, sessionCrypto, writeDataHead } from '../../src/protocol/session/index.js';
import { DATA_HEAD } from '../../src/protocol/session/layouts.js';
import type { Attached, SessionEnd, SessionLink, SessionOwner } from '../../src/protocol/session/ports.js';
import type { Admission } from '../../src/protocol/session/registry.js';
import type { ServerSession } from '../../src/protocol/session/server.js';
import type { Session } from '../../src/protocol/session/session.js';
import { StoreAdmission } from '../../src/sessions/admission.js';
import { type ClientPlace, DurableSessions, durableDefaults } from '../../src/sessions/durable.js';
import { memoryStore } from '../../src/sessions/memory-store.js';
import type { SessionStore } from '../../src/store/contract.js';
import { createVirtualClock, type VirtualClock } from '../../src/testing/index.js';

let chance = 0;
export const random = (length: number): Uint8Array => {
  chance += 1;
  return Buffer.alloc(length, chance.toString(16).padStart(8, '0'));
};
const crypto = sessionCrypto(random);

/** A store whose calls fail, wait, or are counted. */
export class TriedStore implements SessionStore {
  /** Calls of `write`, with the number of changes of each. */
  readonly writes: number[] = [];
  fails: string | undefined;
  /** What was done is done, but its answer is lost. */
  deaf = false;
  /** Calls wait until this is over. */
  gate: Promise<void> | undefined;

  constructor(readonly inner: SessionStore) {}

  find = (alias: string) => this.pass(() => this.inner.find(alias));
  load = (id: string) => this.pass(() => this.inner.load(id));
  claim: SessionStore['claim'] = (id, claim) => this.pass(() => this.inner.claim(id, claim));
  write: SessionStore['write'] = (changes) => {
    this.writes.push(changes.length);
    return this.pass(() => this.inner.write(changes));
  };
  close = () => this.inner.close();

  /** Calls wait from now on, until the function that it gives is called. */
  hold(): () => void {
    let open = (): void => {};
    this.gate = new Promise((resolve) => {
      open = () => {
        this.gate = undefined;
        resolve();
      };
    });
    return open;
  }

  private async pass<T>(call: () => Promise<T>): Promise<T> {
    await this.gate;
    if (this.fails !== undefined && !this.deaf) throw new Error(this.fails);
    const answer = await call();
    if (this.fails !== undefined) throw new Error(this.fails);
    return answer;
  }
}

/** One end of a line. */
class End implements SessionLink {
  other!: End;
  session: Session | undefined;
  open = true;
  over: string | undefined;
  /** Its process is gone. */
  killed = false;

  constructor(
    private readonly clock: Clock,
    /** Who hears the first frame, where it is a server's. */
    private readonly door?: (end: End, frame: Buffer) => void,
  ) {}

  data(number: number, payload: Uint8Array): boolean {
    const frame = Buffer.alloc(DATA_HEAD + payload.length);
    writeDataHead(frame, 0, number);
    frame.set(payload, DATA_HEAD);
    this.control(frame);
    return true;
  }

  control(frame: Buffer): void {
    if (this.killed) return;
    if (!this.open) throw new Error('a socket that is closed was written to');
    const { other } = this;
    this.clock.defer(() => other.hear(frame));
  }

  private hear(frame: Buffer): void {
    if (!this.open) return;
    if (this.session) this.session.receive(this, frame, this.clock.now());
    else this.door?.(this, frame);
  }

  end(): void {
    this.clock.defer(() => this.close());
  }

  drop(error: Error | undefined): void {
    this.over = error?.message ?? 'dropped';
    this.close();
  }

  /** It is gone, for both. */
  close(): void {
    for (const end of [this, this.other]) {
      if (!end.open) continue;
      end.open = false;
      end.session?.lost(end, this.clock.now());
    }
  }
}

/** A program that notes what it hears. */
export class Program implements SessionOwner {
  readonly heard: string[] = [];
  acknowledgedUpTo = 0;
  attachments = 0;
  over: SessionEnd | undefined;
  how: Attached | undefined;
  refusal: string | undefined;
  /** Whether it is done with a message when it has heard it. */
  quick = true;

  constructor(
    private readonly clock: Clock,
    private readonly session: () => Session,
  ) {}

  deliver(message: Buffer): boolean {
    this.heard.push(message.toString());
    return this.quick;
  }
  acknowledged(number: number): void {
    this.acknowledgedUpTo = number;
  }
  attached(how: Attached): void {
    this.how = how;
    this.attachments += 1;
  }
  refused({ code }: { code: string }): void {
    this.refusal = code;
  }
  ended(end: SessionEnd): void {
    this.over = end;
  }
  leaving(): void {
    this.session().finish();
  }
  wake(at: number): void {
    this.clock.setTimeout(() => this.session().tick(this.clock.now()), Math.max(0, at - this.clock.now()));
  }
  room(): void {}
  detached(): void {}
  draining(): void {}
}

const window = { bytes: 64 * 1024, messages: 1024 };
const common = { acknowledge: 'handled', maxFrame: 10_000, window, retain: window, heartbeatMs: 0 } as const;
const limits = { maxSessions: 100, maxSessionsPerPrincipal: 100, retainedBytes: 1e7, retainedBytesPerPrincipal: 1e7 };

/** A server's process. */
export class ServerProcess {
  readonly durable: DurableSessions;
  readonly registry: SessionRegistry;
  readonly admission: StoreAdmission;
  /** Sessions that are held, or were, with their programs; oldest first. */
  readonly sessions: ServerSession[] = [];
  readonly programs: Program[] = [];
  readonly reports: string[] = [];
  readonly admissions: Admission[] = [];
  readonly ends: End[] = [];
  alive = true;

  constructor(
    private readonly clock: Clock,
    store: SessionStore,
    readonly principal = 'ann',
  ) {
    const report = (error: Error): void => void this.reports.push(error.message);
    this.durable = new DurableSessions(store, { clock, random, report });
    this.registry = new SessionRegistry(
      { ...common, ...limits, resumeMs: 120_000 },
      crypto,
      (session) => {
        const program = new Program(clock, () => session);
        this.sessions.push(session);
        this.programs.push(program);
        return program;
      },
      (session) => this.durable.keeperOf(session),
    );
    this.admission = new StoreAdmission(this.registry, this.durable);
  }

  get session(): ServerSession {
    return this.sessions.at(-1) as ServerSession;
  }
  get program(): Program {
    return this.programs.at(-1) as Program;
  }

  /** A socket comes in. */
  accept(): End {
    const end = new End(this.clock, (at, frame) => void this.greet(at, frame));
    this.ends.push(end);
    return end;
  }

  private async greet(end: End, bytes: Buffer): Promise<void> {
    const frame = this.registry.read(bytes);
    const opener = { principal: this.principal, secure: true };
    await this.admission.admit({
      link: end,
      frame,
      bytes,
      opener,
      isThere: () => end.open && this.alive,
      during: (act) => act(),
      admitted: (admission) => {
        this.admissions.push(admission);
        if ('session' in admission) end.session = admission.session;
      },
    });
  }

  kill(): void {
    this.alive = false;
    this.durable.close();
    for (const end of this.ends) {
      end.killed = true;
      end.session = undefined;
      end.close();
    }
  }
}

/** A client's process. */
export class ClientProcess {
  readonly durable: DurableSessions;
  readonly reports: string[] = [];
  place!: ClientPlace;
  session!: ClientSession;
  program!: Program;
  end: End | undefined;

  constructor(
    private readonly clock: Clock,
    store: SessionStore,
  ) {
    const report = (error: Error): void => void this.reports.push(error.message);
    this.durable = new DurableSessions(store, { clock, random, report }, durableDefaults);
  }

  async start(name = 'client'): Promise<this> {
    this.place = await this.durable.placeOf(name);
    this.begin(this.place.record);
    return this;
  }

  /** Another session. */
  begin(record: ClientPlace['record'] = undefined): void {
    this.program = new Program(this.clock, () => this.session);
    this.session = new ClientSession({ ...common, resumeMs: 120_000, endpoints: 1 }, crypto, this.program, record);
    this.place.keep(this.session);
  }

  dial(server: ServerProcess): End {
    const end = new End(this.clock);
    const other = server.accept();
    end.other = other;
    other.other = end;
    end.session = this.session;
    this.end = end;
    this.session.open(end, [], this.clock.now());
    return end;
  }

  send(text: string): number {
    return this.session.send(Buffer.from(text));
  }

  kill(): void {
    this.durable.close();
    if (!this.end) return;
    this.end.killed = true;
    this.end.session = undefined;
    this.end.close();
  }
}

/** A clock and a store, and a client that has a session on a server. */
export async function stage(): Promise<{
  clock: VirtualClock;
  store: TriedStore;
  near: TriedStore;
  server: ServerProcess;
  client: ClientProcess;
}> {
  const clock = createVirtualClock();
  const store = new TriedStore(memoryStore({ now: () => clock.now() }));
  const near = new TriedStore(memoryStore({ now: () => clock.now() }));
  const server = new ServerProcess(clock, store);
  const client = await new ClientProcess(clock, near).start();
  client.dial(server);
  await clock.settle();
  return { clock, store, near, server, client };
}
