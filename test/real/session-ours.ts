/** Our side of a session, for tests that let it talk to a peer in another language: the pure core, and the library. */
import { randomBytes } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { connect, listen, type Peer } from '../../src/index.js';
import {
  ClientSession,
  DATA_HEAD,
  opensSession,
  SessionRegistry,
  sessionCrypto,
  writeDataHead,
} from '../../src/protocol/session/index.js';
import type { Attached, SessionEnd, SessionLink, SessionOwner } from '../../src/protocol/session/ports.js';
import type { Session } from '../../src/protocol/session/session.js';
import type { Later } from './support-program.js';

/** What our side does: it says `ours 1`, `ours 2` … as fast as it may, and hears what comes. */
export interface Task {
  readonly messages: number;
  /** A client leaves when it has heard so many, and all of its own is handled. A server leaves when its client does. */
  readonly expect?: number;
  readonly window?: { readonly bytes: number; readonly messages: number };
  /** What a client shows; a server lets nobody in who shows anything else. */
  readonly token?: string;
}

export interface Ours {
  readonly heard: readonly string[];
  /** Sessions that were made. */
  readonly sessions: number;
  readonly resumes: number;
  /** Messages of ours that were written again. */
  readonly replayed: number;
  /** `closed`, or why it is lost. */
  readonly over: Promise<string>;
  /** Ends the session, whatever is under way. */
  giveUp(): void;
}

/** A way to have our side. */
export interface Way {
  serve(task: Task, later: Later): Promise<Ours & { readonly port: number }>;
  dial(port: number, task: Task, later: Later): Ours;
}

const WINDOW = { bytes: 65_536, messages: 256 };
const MAX_MESSAGE = 65_536;
const TOKEN = 0x8000;
/** A silent socket is given up after so long, ms; the other side says something much more often. */
const SILENCE = 2000;
const EMPTY_FRAME = Buffer.alloc(4);

const shownAs = (credentials: Uint8Array | undefined): string => Buffer.from(credentials ?? '').toString();

function promised<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

// --- the pure core, on bare sockets

const now = () => performance.now();
const crypto = sessionCrypto((length) => randomBytes(length));

/** Whole frames out of a socket; the first says nothing where it is empty. */
function framesOf(socket: Socket, take: (frame: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE()) {
      const end = 4 + pending.readUInt32BE();
      const frame = pending.subarray(4, end);
      pending = pending.subarray(end);
      if (!socket.destroyed) take(frame);
    }
  });
}

function linkOn(socket: Socket): SessionLink {
  const write = (head: Buffer, rest: Uint8Array): boolean => {
    if (socket.destroyed) return false;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length + rest.length);
    return socket.write(Buffer.concat([length, head, rest]));
  };
  return {
    data(number, payload) {
      const head = Buffer.alloc(DATA_HEAD);
      writeDataHead(head, 0, number);
      return write(head, payload);
    },
    control: (frame) => void write(frame, Buffer.alloc(0)),
    end: () => void socket.end(),
    drop: () => void socket.destroy(),
  };
}

class CoreSide implements SessionOwner, Ours {
  readonly heard: string[] = [];
  sessions = 0;
  resumes = 0;
  replayed = 0;
  session: Session | undefined;
  private sent = 0;
  private leaves = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly end = promised<string>();
  readonly over = this.end.promise;

  constructor(private readonly task: Task) {}

  /** What both roles give to the core. */
  options() {
    const { window = WINDOW } = this.task;
    const patience = { heartbeatMs: 200, resumeMs: 60_000 };
    return { acknowledge: 'handled' as const, maxFrame: MAX_MESSAGE, window, retain: WINDOW, ...patience };
  }

  giveUp(): void {
    this.session?.abandon();
  }

  /** A socket of this session: what it brings, and that it is gone. */
  follow(socket: Socket, link: SessionLink): void {
    socket.setTimeout(SILENCE, () => socket.destroy());
    socket.on('drain', () => this.session?.writable(link));
    socket.on('close', () => this.session?.lost(link, now()));
  }

  deliver(message: Buffer): boolean {
    this.heard.push(message.toString());
    if (this.heard.length === this.task.expect) queueMicrotask(() => this.leaving());
    return true;
  }

  room(): void {
    const { session, task } = this;
    while (session && this.sent < task.messages && session.send(Buffer.from(`ours ${this.sent + 1}`)) > 0)
      this.sent += 1;
    if (this.leaves && this.sent === task.messages) session?.finish();
  }

  attached({ resumed, replayed }: Attached): void {
    if (resumed) this.resumes += 1;
    this.replayed += replayed;
  }

  leaving(): void {
    this.leaves = true;
    this.room();
  }

  ended(end: SessionEnd): void {
    clearTimeout(this.timer);
    this.end.resolve(end.how === 'closed' ? 'closed' : end.code);
  }

  wake(at: number): void {
    clearTimeout(this.timer);
    // Timers of Node may fire a little early.
    this.timer = setTimeout(() => this.tick(), Math.max(0, at - now()) + 1);
  }

  private tick(): void {
    this.session?.tick(now());
    const next = this.session?.deadline ?? Number.POSITIVE_INFINITY;
    if (Number.isFinite(next)) this.wake(next);
  }

  acknowledged(): void {}
  detached(): void {}
  draining(): void {}
  refused(): void {}
}

const core: Way = {
  async serve(task, later) {
    const side = new CoreSide(task);
    const limits = {
      maxSessions: 10,
      maxSessionsPerPrincipal: 10,
      retainedBytes: 2 ** 24,
      retainedBytesPerPrincipal: 2 ** 24,
    };
    const registry = new SessionRegistry({ ...side.options(), ...limits }, crypto, (session) => {
      side.session = session;
      side.sessions += 1;
      return side;
    });
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      const link = linkOn(socket);
      let admitted: Session | undefined;
      // Empty frames are legal before the session too.
      socket.on('error', () => {}).write(EMPTY_FRAME);
      framesOf(socket, (frame) => {
        if (admitted) admitted.receive(link, frame, now());
        else if (frame.length > 0) admitted = admit(socket, link, frame);
      });
    });
    const admit = (socket: Socket, link: SessionLink, bytes: Buffer): Session | undefined => {
      if (!opensSession(bytes)) return void socket.destroy();
      const frame = registry.read(bytes);
      const principal = shownAs(frame.tlvs.find(({ type }) => type === TOKEN)?.value);
      if (principal !== (task.token ?? '')) return void socket.destroy();
      // As over TLS: MACs are made with a true secret.
      const admission = registry.admit(link, frame, bytes, { principal, secure: true });
      if (!('session' in admission)) return undefined;
      side.follow(socket, link);
      return admission.session;
    };
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => {
      for (const socket of sockets) socket.destroy();
      side.giveUp();
      return new Promise((resolve) => server.close(() => resolve()));
    });
    return Object.assign(side, { port: (server.address() as { port: number }).port });
  },

  dial(port, task, later) {
    const side = new CoreSide(task);
    const session = new ClientSession({ ...side.options(), endpoints: 1 }, crypto, side);
    side.session = session;
    side.sessions = 1;
    const tlvs = task.token === undefined ? [] : [{ type: TOKEN, value: Buffer.from(task.token) }];
    let present: Socket | undefined;
    const open = (): void => {
      if (session.state === 'ended') return;
      const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
      present = socket;
      const link = linkOn(socket);
      side.follow(socket, link);
      socket
        .on('error', () => {})
        .on('connect', () => {
          socket.write(EMPTY_FRAME);
          session.open(link, tlvs, now());
        });
      framesOf(socket, (frame) => session.receive(link, frame, now()));
      socket.on('close', () => setTimeout(open, 10));
    };
    open();
    later(() => {
      side.giveUp();
      present?.destroy();
    });
    return side;
  },
};

// --- the library

class LibrarySide implements Ours {
  readonly heard: string[] = [];
  sessions = 0;
  resumes = 0;
  replayed = 0;
  line: { dispose(): unknown } | undefined;
  private given = false;
  private readonly end = promised<string>();
  readonly over = this.end.promise;

  constructor(private readonly task: Task) {}

  settings() {
    const { window = WINDOW } = this.task;
    return { window, resumeWindow: 60_000 };
  }

  giveUp(): void {
    this.given = true;
    void this.line?.dispose();
  }

  lineOptions() {
    return { maxFrameLength: MAX_MESSAGE, staleAfter: SILENCE, heartbeatInterval: 200 };
  }

  resumed({ replayed }: { readonly replayed: number }): void {
    this.resumes += 1;
    this.replayed += replayed;
  }

  async talk(line: Pick<Peer, 'send' | 'drained'>): Promise<void> {
    for (let n = 1; n <= this.task.messages; n += 1) if (!line.send(`ours ${n}`)) await line.drained();
  }

  /** @param code why its line is at its end */
  ended(code: string): void {
    const lost = this.given ? 'ABANDONED' : code === 'NINJA_SESSION_LOST' ? code : undefined;
    this.end.resolve(lost ?? 'closed');
  }
}

const library: Way = {
  async serve(task, later) {
    const side = new LibrarySide(task);
    const authenticate = (credentials: Uint8Array | undefined): string | undefined =>
      shownAs(credentials) === (task.token ?? '') ? 'the one who knows' : undefined;
    const handler = async (peer: Peer): Promise<void> => {
      side.sessions += 1;
      side.line = peer;
      peer.on('resumed', (how) => side.resumed(how));
      peer.on('disposed', ({ reason }) => side.ended(reason.code));
      const talking = side.talk(peer);
      for await (const message of peer) side.heard.push(message.toString());
      await talking;
    };
    const session = { mode: 'require' as const, ...side.settings(), authenticate };
    const server = await listen({ host: '127.0.0.1', port: 0, ...side.lineOptions(), session }, (peer) =>
      // That a test ends it in the middle is no fault of the handler.
      handler(peer).catch(() => {}),
    );
    later(() => void server.dispose());
    return Object.assign(side, { port: (server.address() as { port: number }).port });
  },

  dial(port, task, later) {
    const side = new LibrarySide(task);
    const session = { ...side.settings(), ...(task.token !== undefined && { credentials: task.token }) };
    const connection = connect({ host: '127.0.0.1', port, ...side.lineOptions(), backoff: () => 10, session });
    side.sessions = 1;
    side.line = connection;
    connection.on('resumed', (how) => side.resumed(how));
    connection.on('failed', ({ reason }) => side.ended(reason.code));
    connection.on('disposed', ({ reason }) => side.ended(reason.code));
    connection.on('message', (message) => {
      side.heard.push(message.toString());
      // It hands over what it has accepted, and says goodbye.
      if (side.heard.length === task.expect) void connection.close();
    });
    side.talk(connection).catch(() => {});
    later(() => void connection.dispose());
    return side;
  },
};

export const ways: readonly (readonly [string, Way])[] = [
  ['the pure core', core],
  ['ninja-tcp', library],
];
