import { canonical, clientOf } from '../addresses.js';
import type { Clock, Timer, Transport } from '../environment.js';
import { messageOf, NinjaTcpError } from '../errors.js';
import { CREDENTIALS } from '../line/client-side.js';
import type { Arrival } from '../line/peer-side.js';
import { SocketLink } from '../line/session-link.js';
import { isPromise } from '../line/waiters.js';
import {
  type Admission,
  type FrameOf,
  NO_NONCE,
  type ServerSession,
  SessionRegistry,
  sessionCrypto,
} from '../protocol/session/index.js';
import { StoreAdmission } from '../sessions/admission.js';
import { DurableSessions, durableDefaults } from '../sessions/durable.js';
import type { ServerSessionSettings } from '../settings/session.js';
import type { ServerSettings } from '../settings.js';
import { HandedOn, handOn } from '../socket/read-ahead.js';
import type { Timers } from '../socket/timers.js';
import { Arrivals, type PeerMaker } from './arrivals.js';
import { HandshakeLink } from './bare-link.js';
import { FirstFrame, type Opening } from './first-frame.js';

type Handshake = FrameOf<'HELLO'> | FrameOf<'RESUME'>;

/** Who has the peers: the server. */
export interface SessionsOwner extends PeerMaker {
  plain(transport: Transport, left: (() => void) | undefined): void;
  refuse(remoteAddress: string | undefined, error: NinjaTcpError): void;
}

/** One socket whose first frame is waited for, or whose handshake is being looked at. */
interface Waiting {
  readonly reading: FirstFrame;
  readonly left: (() => void) | undefined;
  timer: Timer;
}

class Arriving implements Arrival {
  constructor(
    readonly transport: Transport,
    private readonly clock: Clock,
    /** Not kept beyond its end: this lives as long as its socket. */
    private reading: FirstFrame | undefined,
    readonly link: SocketLink,
    readonly left: (() => void) | undefined,
  ) {}

  handOn(): Transport {
    const { transport, reading } = this;
    this.reading = undefined;
    return reading ? handOn(transport, this.clock, reading) : transport;
  }
}

/** The sessions of a server: from an accepted socket to a session's peer. */
export class Sessions {
  private readonly registry: SessionRegistry;
  private readonly waiting = new Map<Transport, Waiting>();
  private readonly arrivals: Arrivals;
  /** Where there is a store. */
  private readonly admission: StoreAdmission | undefined;
  private readonly durable: DurableSessions | undefined;

  constructor(
    private readonly settings: ServerSettings,
    private readonly session: ServerSessionSettings,
    private readonly timers: Timers,
    private readonly owner: SessionsOwner,
  ) {
    const { environment, maxFrameLength, heartbeatInterval } = settings;
    const { clock, warn: report, randomBytes } = environment;
    const random = (length: number) => (randomBytes as (length: number) => Uint8Array)(length);
    const { store, storeTimeout: patience } = session;
    const durable = store && new DurableSessions(store, { clock, random, report }, { ...durableDefaults, patience });
    this.arrivals = new Arrivals(owner, clock, timers, store !== undefined, (transport) => this.leave(transport));
    this.registry = new SessionRegistry(
      {
        ...session,
        maxFrame: maxFrameLength,
        retain: session.window,
        heartbeatMs: heartbeatInterval,
        resumeMs: session.resumeWindow,
      },
      sessionCrypto(random),
      (core) => this.arrivals.owner(core),
      durable && ((core) => durable.keeperOf(core)),
    );
    this.durable = durable;
    if (durable) this.admission = new StoreAdmission(this.registry, durable);
  }

  /** Sockets that are not a peer's yet. */
  get underway(): number {
    return this.waiting.size;
  }

  /** Sessions that have no socket. */
  get detached(): number {
    return this.registry.detachedSessions - this.arrivals.strangers;
  }

  /** New sessions are told to go elsewhere. */
  drain(): void {
    this.registry.draining = true;
    this.arrivals.leave();
  }

  /** Drops those who are on the way. */
  close(): void {
    this.arrivals.leave();
    for (const transport of [...this.waiting.keys()]) {
      this.leave(transport)?.left?.();
      transport.destroy();
    }
  }

  /** Resolves when the store has all of them; undefined where there is none. */
  get kept(): Promise<void> | undefined {
    return this.durable?.idle();
  }

  refer(how: 'ref' | 'unref'): void {
    for (const transport of this.waiting.keys()) transport[how]();
  }

  /** A socket was accepted, and its guards have let it pass. */
  receive(transport: Transport, left: (() => void) | undefined): void {
    const reading = new FirstFrame(transport, this.settings, (opening) => this.read(transport, opening));
    const late = () => this.late(transport);
    this.waiting.set(transport, { reading, left, timer: this.timers.setTimeout(late, this.settings.handshakeTimeout) });
  }

  private late(transport: Transport): void {
    const one = this.waiting.get(transport);
    // Who listens only is a plain peer too.
    if (this.session.mode === 'accept' && one && !one.reading.decided) one.reading.giveUp();
    else {
      const rule = `handshakeTimeout, ${this.settings.handshakeTimeout} ms`;
      this.drop(transport, new NinjaTcpError('NINJA_HANDSHAKE_TIMEOUT', `no session within ${rule}`));
    }
  }

  private read(transport: Transport, opening: Opening): void {
    const one = this.waiting.get(transport);
    if (!one) return;
    if (opening.kind === 'failed') this.drop(transport, opening.error);
    else if (opening.kind === 'session') this.handshake(transport, opening.frame);
    else if (this.session.mode === 'accept') {
      this.leave(transport);
      // What it reads goes on through here: it may yet ask for a session.
      this.owner.plain(new HandedOn(transport, this.settings.environment.clock, one.reading), one.left);
    } else {
      const first = opening.first?.toString('hex', 0, 16).replace(/(..)(?=.)/g, '$1 ');
      const why = `the client speaks no sessions: its first frame begins with ${first}`;
      this.drop(transport, new NinjaTcpError('NINJA_NOT_A_PEER', why));
    }
  }

  private handshake(transport: Transport, bytes: Buffer): void {
    let frame: Handshake;
    try {
      frame = this.registry.read(bytes);
    } catch (error) {
      this.drop(transport, error as NinjaTcpError);
      return;
    }
    const { authenticate } = this.session;
    if (!authenticate) {
      const { remoteAddress } = transport;
      this.admit(transport, frame, bytes, remoteAddress === undefined ? 'path' : clientOf(canonical(remoteAddress)));
      return;
    }
    const { remoteAddress, remotePort, tls } = transport;
    const credentials = frame.tlvs.find(({ type }) => type === CREDENTIALS)?.value;
    const shown = credentials && Buffer.from(credentials.buffer, credentials.byteOffset, credentials.byteLength);
    try {
      const answer = authenticate(shown, { remoteAddress, remotePort, tls, resumes: frame.name === 'RESUME' });
      if (!isPromise(answer)) this.judge(transport, frame, bytes, answer);
      else {
        answer.then(
          (principal) => this.judge(transport, frame, bytes, principal),
          (cause: unknown) => this.authenticateThrew(transport, frame, bytes, cause),
        );
      }
    } catch (cause) {
      this.authenticateThrew(transport, frame, bytes, cause);
    }
  }

  private authenticateThrew(transport: Transport, frame: Handshake, bytes: Buffer, cause: unknown): void {
    const why = `session.authenticate threw: ${messageOf(cause)}`;
    this.settings.environment.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', why, cause));
    this.judge(transport, frame, bytes, undefined);
  }

  private judge(transport: Transport, frame: Handshake, bytes: Buffer, principal: unknown): void {
    // It may have gone while the program thought about it.
    if (!this.waiting.has(transport)) return;
    if (typeof principal === 'string') this.admit(transport, frame, bytes, principal);
    else {
      const nonce = frame.name === 'RESUME' ? frame.nonce : NO_NONCE;
      this.registry.refuse(this.linkTo(transport), 'PRINCIPAL', { nonce });
      this.tellRefused(transport, 'PRINCIPAL');
    }
  }

  private linkTo(transport: Transport): SocketLink {
    return new SocketLink(new HandshakeLink(transport, this.settings.framing, () => this.part(transport)));
  }

  private admit(transport: Transport, frame: Handshake, bytes: Buffer, principal: string): void {
    const one = this.waiting.get(transport);
    if (!one) return;
    const link = this.linkTo(transport);
    const arrival = new Arriving(transport, this.settings.environment.clock, one.reading, link, one.left);
    const opener = { principal, secure: transport.tls !== undefined };
    const during = <T>(act: () => T): T => this.arrivals.during(arrival, act);
    const admitted = (admission: Admission) => this.admitted(transport, arrival, admission);
    const isThere = () => this.waiting.get(transport) === one && !one.reading.refused;
    if (this.admission) void this.admission.admit({ link, frame, bytes, opener, isThere, during, admitted });
    else admitted(during(() => this.registry.admit(link, frame, bytes, opener)));
  }

  private admitted(transport: Transport, arrival: Arrival, admission: Admission): void {
    if ('refused' in admission) this.tellRefused(transport, admission.refused);
    else if (admission.session.state === 'establishing') this.arrivals.promise(admission.session, arrival, transport);
    else this.arrivals.settle(admission.session, transport);
  }

  /** A session is over. */
  forget(core: ServerSession): void {
    this.arrivals.forget(core);
  }

  private tellRefused(transport: Transport, code: string): void {
    const why = new NinjaTcpError('NINJA_SESSION_REFUSED', `a session was refused: ${code}`);
    this.owner.refuse(transport.remoteAddress, why);
  }

  /** The answer is written: the client closes when it has read it, or has to be closed. */
  private part(transport: Transport): void {
    const one = this.waiting.get(transport);
    if (!one) return;
    one.reading.refused = true;
    this.timers.clearTimeout(one.timer);
    one.timer = this.timers.setTimeout(() => {
      this.leave(transport)?.left?.();
      transport.destroy();
    }, this.settings.finTimeout);
  }

  private leave(transport: Transport): Waiting | undefined {
    const one = this.waiting.get(transport);
    if (one) this.timers.clearTimeout(one.timer);
    this.waiting.delete(transport);
    this.arrivals.broke(transport);
    return one;
  }

  private drop(transport: Transport, error: NinjaTcpError): void {
    const one = this.leave(transport);
    one?.left?.();
    if (!one?.reading.refused) this.owner.refuse(transport.remoteAddress, error);
    transport.destroy();
  }
}
