import type { Clock, Transport } from '../environment.js';
import type { AcknowledgeMode } from '../options.js';
import type { Attached, ServerSession, SessionEnd } from '../protocol/session/index.js';
import type { Socket } from '../socket/socket.js';
import type { SessionHost } from './session-host.js';
import type { SocketLink } from './session-link.js';
import { SessionSide } from './session-side.js';

/** A socket on which a handshake was granted, or is just being. */
export interface Arrival {
  /** For its addresses. */
  readonly transport: Transport;
  /** Gives the transport to its peer's socket, which hears from then on. */
  handOn(): Transport;
  readonly link: SocketLink;
  /** To be called when the session has this socket no more. */
  readonly left: (() => void) | undefined;
}

/** Who lets sessions in. */
export interface Admitter {
  /** On which socket a session is being attached. */
  take(core: ServerSession): Arrival | undefined;
  /** Whether the server leaves, and the store is there for others. */
  readonly goesOnElsewhere: boolean;
}

/** A session as a server's peer has it. */
export class PeerSide extends SessionSide<ServerSession> {
  /** To be called when it has its present socket no more. */
  private letGo: (() => void) | undefined;
  private next: Arrival | undefined;
  /** Set by who admits. */
  admitter: Admitter | undefined;

  constructor(
    host: SessionHost,
    clock: Clock,
    acknowledge: AcknowledgeMode,
    warn: (error: Error) => void,
    readonly core: ServerSession,
  ) {
    super(host, clock, acknowledge, 'server', warn);
    if (!core.unused) this.goesOn();
  }

  get resumeWindow(): number {
    return this.core.granted;
  }

  expire(): void {
    const { core } = this;
    // Where there is a store, another server may have it by now.
    if (core.keeper) core.keeper.overdue();
    else core.expire();
  }

  /** The end has come, not by an order of the program for this session: with a store it may go on elsewhere. */
  giveUp(): void {
    if (this.admitter?.goesOnElsewhere) this.core.part();
    else this.core.abandon();
  }

  get arriving(): Arrival | undefined {
    return this.next;
  }

  /** The socket of the arrival is there. */
  arrived(socket: Socket): void {
    const { next } = this;
    if (!next) return;
    this.next = undefined;
    this.letGo = next.left;
    this.bind(next.link, socket);
  }

  override attached(how: Attached): void {
    // The socket before it may not have been missed yet.
    this.leave();
    this.next = this.admitter?.take(this.core);
    super.attached(how);
  }

  override detached(): void {
    this.leave();
    super.detached();
  }

  override ended(end: SessionEnd): void {
    this.leave();
    super.ended(end);
  }

  private leave(): void {
    const { letGo } = this;
    this.letGo = undefined;
    letGo?.();
  }
}
