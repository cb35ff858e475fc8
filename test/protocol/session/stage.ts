// A client's session and a server's registry, face to face: frames are kept, and go across when a test says so.
import { decode, readDataHead } from '../../../src/protocol/session/frames.js';
import {
  type Admission,
  ClientSession,
  DATA_HEAD,
  type RegistryOptions,
  SessionRegistry,
  sessionCrypto,
  writeDataHead,
} from '../../../src/protocol/session/index.js';
import { DATA } from '../../../src/protocol/session/layouts.js';
import type {
  Acknowledge,
  Attached,
  SessionEnd,
  SessionKeeper,
  SessionLink,
  SessionOwner,
  SessionRecord,
} from '../../../src/protocol/session/ports.js';
import type { ServerSession } from '../../../src/protocol/session/server.js';

let chance = 0;
export const crypto = sessionCrypto((length) => {
  chance += 1;
  return Buffer.alloc(length, chance.toString(16).padStart(8, '0'));
});

/** A frame in a word or two: `DATA 3 "c"`, `ACK 4`, `RESUMED`. */
export function wordsOf(frame: Buffer): string {
  if (frame[0] === DATA) return `DATA ${readDataHead(frame)} "${frame.toString('utf8', DATA_HEAD)}"`;
  const read = decode(frame);
  if (read.name === 'ACK') return `ACK ${read.next}`;
  if (read.name === 'BYE') return `BYE ${read.last}`;
  return read.name;
}

export function dataFrame(number: number, text: string): Buffer {
  const frame = Buffer.alloc(DATA_HEAD + Buffer.byteLength(text));
  writeDataHead(frame, 0, number);
  frame.write(text, DATA_HEAD);
  return frame;
}

/** A socket's end that keeps what is written. */
export class Wire implements SessionLink {
  readonly written: Buffer[] = [];
  /** How many messages it takes before it asks to wait. */
  room = Number.POSITIVE_INFINITY;
  over: string | undefined;

  data(number: number, payload: Uint8Array): boolean {
    this.written.push(dataFrame(number, Buffer.from(payload).toString()));
    this.room -= 1;
    return this.room > 0;
  }

  control(frame: Buffer): void {
    this.written.push(frame);
  }

  end(): void {
    this.over = 'ended';
  }

  drop(error: Error | undefined): void {
    this.over = error?.message ?? 'dropped';
  }

  /** What was written since last asked, in words. */
  take(): string[] {
    return this.written.splice(0).map(wordsOf);
  }
}

/** A program that notes what it hears. */
class Program implements SessionOwner {
  readonly heard: string[] = [];
  readonly acknowledgedUpTo: number[] = [];
  readonly woken: number[] = [];
  readonly told: string[] = [];
  over: SessionEnd | undefined;
  how: Attached | undefined;
  /** Whether it is done with a message when it has heard it. */
  quick = true;

  deliver(message: Buffer): boolean {
    this.heard.push(message.toString());
    return this.quick;
  }
  acknowledged(number: number): void {
    this.acknowledgedUpTo.push(number);
  }
  room(): void {
    this.told.push('room');
  }
  attached(how: Attached): void {
    this.how = how;
  }
  detached(): void {
    this.told.push('detached');
  }
  draining(): void {
    this.told.push('draining');
  }
  leaving(): void {
    this.told.push('leaving');
  }
  refused({ code }: { code: string }): void {
    this.told.push(`refused ${code}`);
  }
  ended(end: SessionEnd): void {
    this.over = end;
  }
  wake(at: number): void {
    this.woken.push(at);
  }
}

/** A store that is always about to be asked: a test says when. */
class Book implements SessionKeeper {
  changes = 0;
  asked = 0;
  over: SessionEnd | undefined;

  changed(): void {
    this.changes += 1;
  }
  overdue(): void {
    this.asked += 1;
  }
  ended(end: SessionEnd): void {
    this.over = end;
  }
}

export interface StageOptions {
  readonly acknowledge?: Acknowledge;
  readonly window?: { bytes: number; messages: number };
  readonly maxFrame?: number;
  readonly endpoints?: number;
  readonly secure?: boolean;
  readonly registry?: Partial<RegistryOptions>;
  /** What stores have of the two sides: both are kept then. */
  readonly near?: SessionRecord | undefined;
  readonly kept?: boolean;
}

export class Stage {
  readonly client: ClientSession;
  readonly nearStore = new Book();
  readonly farStore = new Book();
  readonly registry: SessionRegistry;
  readonly near = new Program();
  readonly far = new Program();
  /** The server's session, once there is one. */
  session!: ServerSession;
  private readonly secure: boolean;

  constructor(options: StageOptions = {}) {
    const { acknowledge = 'handled', window = { bytes: 4096, messages: 1024 }, maxFrame = 100 } = options;
    this.secure = options.secure ?? true;
    const common = { acknowledge, window, retain: window, maxFrame, heartbeatMs: 1000, resumeMs: 120_000 };
    const limits = { maxSessions: 10, maxSessionsPerPrincipal: 5, retainedBytes: 1e6, retainedBytesPerPrincipal: 1e6 };
    this.client = new ClientSession({ ...common, endpoints: options.endpoints ?? 1 }, crypto, this.near, options.near);
    if (options.kept) this.client.keep(this.nearStore);
    const opened = (session: ServerSession): Program => {
      this.session = session;
      return this.far;
    };
    const kept = options.kept ? (): Book => this.farStore : undefined;
    this.registry = new SessionRegistry({ ...common, ...limits, ...options.registry }, crypto, opened, kept);
  }

  /** A first frame comes to the server on a socket. */
  knock(wire: Wire, bytes: Buffer, principal = 'ann'): Admission {
    return this.registry.admit(wire, this.registry.read(bytes), bytes, { principal, secure: this.secure });
  }

  /** A new socket, with the handshake done on it; what was written behind it is still on the way. */
  dial(now = 0): { near: Wire; far: Wire } {
    const near = new Wire();
    const far = new Wire();
    this.client.open(near, [], now);
    this.knock(far, near.written.shift() as Buffer);
    const answer = far.written.shift();
    if (answer) this.client.receive(near, answer, now);
    return { near, far };
  }

  /** The socket breaks, for both. */
  cut({ near, far }: { near: Wire; far: Wire }, now = 0): void {
    this.client.lost(near, now);
    this.session.lost(far, now);
  }

  /** All that was written goes across, and what is written in answer, until nothing is. */
  flow({ near, far }: { near: Wire; far: Wire }, now = 0): void {
    while (near.written.length + far.written.length > 0) {
      for (const frame of near.written.splice(0)) this.session.receive(far, frame, now);
      for (const frame of far.written.splice(0)) this.client.receive(near, frame, now);
    }
  }
}

export const bytes = (text: string): Buffer => Buffer.from(text);
