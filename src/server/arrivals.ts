import type { Clock, Transport } from '../environment.js';
import type { Admitter, Arrival, PeerSide } from '../line/peer-side.js';
import type { ServerSession, SessionOwner } from '../protocol/session/index.js';
import type { Timers } from '../socket/timers.js';
import { LateOwner } from './late-owner.js';

/** Who makes peers: the server. */
export interface PeerMaker {
  /** A new session: makes its peer, which has no socket yet. */
  enter(core: ServerSession, transport: Transport): PeerSide;
  /** The peer of a new session has its socket. */
  entered(core: ServerSession): void;
}

/** A socket that a session will have when its store knows it. */
interface Promised {
  readonly arrival: Arrival;
  readonly transport: Transport;
}

/**
 * Which socket a session is attached to, and when it becomes a peer: with the first one. Without a store that is while it is
 * admitted; with one a new session waits until the store has it.
 */
export class Arrivals implements Admitter {
  /** Nobody can come back to this server any more. */
  leaving = false;
  /** On which a session is being admitted. */
  private present: Arrival | undefined;
  private readonly promised = new Map<ServerSession, Promised>();
  private readonly promises = new Map<Transport, ServerSession>();
  /** Sessions that have no peer yet. */
  private readonly late = new Set<ServerSession>();
  /** Their peers are made, and the server was not told. */
  private readonly unannounced = new Set<ServerSession>();

  constructor(
    private readonly maker: PeerMaker,
    private readonly clock: Clock,
    private readonly timers: Timers,
    /** There is a store. */
    private readonly kept: boolean,
    /** A socket is a peer's from now on. */
    private readonly settled: (transport: Transport) => void,
  ) {}

  /** Sessions without a peer that have no socket either. */
  get strangers(): number {
    return this.late.size;
  }

  /** Runs what may make a session, or attach it to this socket. */
  during<T>(arrival: Arrival, act: () => T): T {
    this.present = arrival;
    try {
      return act();
    } finally {
      this.present = undefined;
    }
  }

  /** For a registry: who owns a session that was made or restored. */
  owner(core: ServerSession): SessionOwner {
    if (!this.kept) return this.enter(core);
    this.late.add(core);
    const enter = (): SessionOwner => {
      this.late.delete(core);
      return this.enter(core);
    };
    return new LateOwner(
      core,
      this.timers,
      () => this.clock.now(),
      enter,
      () => this.forget(core),
    );
  }

  /** The session was let in on this socket, and waits for its store. */
  promise(core: ServerSession, arrival: Arrival, transport: Transport): void {
    this.fulfil(core);
    this.promised.set(core, { arrival, transport });
    this.promises.set(transport, core);
  }

  /** That socket is gone. */
  broke(transport: Transport): void {
    const core = this.promises.get(transport);
    const promised = core && this.fulfil(core);
    if (promised) core.lost(promised.arrival.link, this.clock.now());
  }

  /** The session has this socket. */
  settle(core: ServerSession, transport: Transport): void {
    this.settled(transport);
    if (this.unannounced.delete(core)) this.maker.entered(core);
  }

  forget(core: ServerSession): void {
    this.late.delete(core);
    this.fulfil(core);
    this.unannounced.delete(core);
  }

  /** The server leaves: sessions that have no peer stay in the store. */
  leave(): void {
    this.leaving = true;
    for (const core of this.late) core.part();
  }

  /** Nothing is promised to it any more. */
  private fulfil(core: ServerSession): Promised | undefined {
    const promised = this.promised.get(core);
    this.promised.delete(core);
    if (promised) this.promises.delete(promised.transport);
    return promised;
  }

  private enter(core: ServerSession): PeerSide {
    const arrival = this.present ?? this.promised.get(core)?.arrival;
    const side = this.maker.enter(core, (arrival as Arrival).transport);
    this.unannounced.add(core);
    side.admitter = this;
    return side;
  }

  get goesOnElsewhere(): boolean {
    return this.kept && this.leaving;
  }

  take(core: ServerSession): Arrival | undefined {
    const promised = this.fulfil(core);
    if (this.present || !promised) return this.present;
    // The rest when the session itself is through with it.
    this.clock.defer(() => this.settle(core, promised.transport));
    return promised.arrival;
  }
}
