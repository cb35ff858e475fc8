import type { LinePorts } from '../machines/line.setup.js';
import type { PeerAnnouncement } from '../machines/peer.machine.js';
import type { Loss } from './delivery/ledger.js';
import type { Dropped } from './delivery/outbox.js';
import type { Transport } from './environment.js';
import { messageOf, NinjaTcpError, type Reason } from './errors.js';
import { lineWords, timeOfDay } from './line/explain.js';
import { Face, type FaceEvents } from './line/face.js';
import { recordPeer } from './line/flight.js';
import type { FrameBudget } from './line/frame-budget.js';
import type { Step } from './line/line.js';
import { PeerLine, type PeerLineEvents } from './line/peer-line.js';
import type { PeerStatus } from './line/status.js';
import { peerStatus, peerTimers } from './line/statuses.js';
import { isPromise } from './line/waiters.js';
import { type PeerActor, PeerLife, type PeerLifeOwner, type PeerState, type PeerSubstate } from './peer-life.js';
import type { ServerSettings } from './settings.js';
import type { PeerSnapshot } from './snapshot.js';
import type { Crowd } from './socket/crowd.js';
import { hostPort } from './target.js';

export type { PeerState } from './peer-life.js';

export interface PeerDisposed extends Loss {
  readonly reason: Reason;
}

/** The events of a peer, with what their listeners are given. */
export interface PeerEvents extends FaceEvents {
  /** The end. */
  disposed: [event: PeerDisposed];
}

/**
 * What a server does with each peer. If it returns a promise, the peer is closed when the promise is fulfilled (unless
 * the peer has `message` listeners by then), and destroyed when it is rejected.
 */
export type PeerHandler = (peer: Peer) => unknown;

/** What a peer has of its server. */
export interface PeerOwner {
  /** Shared by all its peers. */
  readonly budget: FrameBudget;
  readonly crowd: Crowd;
  /** The handler or a listener threw. `told`: somebody heard of it, or it is the line's own error thrown on. */
  faulted(peer: Peer, error: NinjaTcpError, told: boolean): void;
  gone(peer: Peer): void;
}

/** Runs the program's handler with a peer. For servers only. */
export let serve: (peer: Peer, handler: PeerHandler) => void;
/** A listener that took the peer over threw. For servers only. */
export let handlerThrew: (peer: Peer, error: unknown) => void;

/** The hands of its statechart, without waking it. For `ninja-tcp/testing` only. */
export let handsOf: (peer: Peer) => LinePorts;

/** The server's side of one accepted connection. It sends and receives as a connection does, and never reconnects. */
export class Peer extends Face<PeerLine, PeerEvents, PeerStatus> {
  readonly kind = 'peer';
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Of the proxy, where the option `proxyProtocol` is on: then `remoteAddress` is the client's. */
  readonly proxyAddress: string | undefined;
  /** The program's own; ninja-tcp does not look at it. */
  data: unknown;
  protected readonly line: PeerLine;
  private readonly life: PeerLife;
  private readonly path: string | undefined;
  private readonly acceptedAt: number;
  /**
   * What a peer hears of its line and of its life. An object of its own, so that users do not see these methods; and one
   * for all of it, since a closure for each would weigh more than the peer itself.
   */
  private static readonly Ears = class implements PeerLineEvents, PeerLifeOwner {
    constructor(private readonly peer: Peer) {}

    get source(): Peer {
      return this.peer;
    }

    dropped(dropped: Dropped): void {
      this.peer.announce('dropped', dropped);
    }

    readingPaused(): void {
      this.peer.announce('warning', { message: 'reading paused: inbox full, nobody takes' });
    }

    inputEnded(): void {
      this.peer.endInput();
    }

    hear(announcement: PeerAnnouncement): void {
      this.peer.hear(announcement);
    }

    wreck(error: unknown): void {
      this.peer.wreck(error);
    }

    stopped(): void {
      this.peer.stopped();
    }
  };
  /** True while an async handler works with this peer: a FIN of the client does not end it then. */
  private handling = false;
  private inputOver = false;

  static {
    serve = (peer, handler) => peer.serve(handler);
    handlerThrew = (peer, error) => peer.handlerThrew(error);
    handsOf = (peer) => peer.line;
  }

  /** Made by a server. */
  constructor(
    /** From 1, in the order of acceptance. */
    readonly id: number,
    settings: ServerSettings,
    transport: Transport,
    private readonly owner: PeerOwner,
  ) {
    super();
    this.remoteAddress = transport.remoteAddress;
    this.remotePort = transport.remotePort;
    this.proxyAddress = transport.proxyAddress;
    this.path = settings.path;
    const ears = new Peer.Ears(this);
    this.line = new PeerLine(settings, transport, ears, owner.budget, owner.crowd.timers());
    this.acceptedAt = this.line.now();
    this.life = new PeerLife(this.line, settings, ears);
    const recorder = recordPeer(this.line, this.name, settings.tls !== undefined);
    this.life.start();
    // A framing that throws at once has ended it already.
    if (settings.inspect && !this.endReason) this.inspect(settings.inspect);
    // A chart that sleeps has nothing to record.
    if (recorder && !this.endReason) void this.life.actor;
  }

  /** The XState actor itself. It is made when it is first asked for: an idle crowd weighs a fourth without. */
  get actor(): PeerActor {
    return this.life.actor;
  }

  /** `peer 1 127.0.0.1:49152`, or the path of its server, for people. */
  get name(): string {
    const { remoteAddress, remotePort } = this;
    const where = remoteAddress === undefined ? this.path : hostPort(remoteAddress, remotePort);
    return `peer ${this.id}${where === undefined ? '' : ` ${where}`}`;
  }

  /** The name of its server. */
  get serverName(): string {
    return this.line.settings.name;
  }

  get state(): PeerState {
    // A chart that broke stands where it was.
    return this.endReason ? 'disposed' : this.life.state;
  }

  /** `unproven`, `live` or `draining`. */
  get substate(): PeerSubstate | undefined {
    return this.endReason ? undefined : this.life.substate;
  }

  /** Why it ended. */
  get reason(): Reason | undefined {
    return this.endReason;
  }

  /** All there is to see of it, as plain values. */
  get snapshot(): PeerSnapshot {
    const { id, remoteAddress, remotePort, line } = this;
    const timers = peerTimers(line, this.standing, this.life.closingAt);
    return { kind: 'peer', id, ...this.lineSnapshot(timers), remoteAddress, remotePort };
  }

  protected statusOf(step: Step): PeerStatus {
    return peerStatus(step);
  }

  /** One sentence on where it stands, and why. */
  explain(): string {
    const { line, state, substate } = this;
    const since = `since ${timeOfDay(line.history.since)}`;
    if (substate) return `${this.name} ${state} (${substate}) ${since}; ${lineWords(line)}`;
    const { reason } = this.life;
    return `${this.name} ${state} ${since}${reason ? `: ${reason.message}` : ''}`;
  }

  close(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called close()');
    this.life.order({ type: 'close' });
    return this.closed();
  }

  dispose(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called dispose()');
    this.life.order({ type: 'dispose' });
    return this.closed();
  }

  protected override onFault(error: NinjaTcpError, told: boolean): void {
    this.owner.faulted(this, error, told);
    void this.dispose();
  }

  private serve(handler: PeerHandler): void {
    const done = () => {
      this.handling = false;
      if (this.inputOver || this.listenerCount('message') === 0) this.finish('its handler is done');
    };
    try {
      const result = handler(this);
      if (!isPromise(result)) return;
      this.handling = true;
      result.then(done, (error: unknown) => this.handlerThrew(error));
    } catch (error) {
      this.handlerThrew(error);
    }
  }

  private handlerThrew(error: unknown): void {
    this.handling = false;
    if (!this.isOwnError(error)) this.fault(error, 'handler');
    // The line's own error, thrown on by the handler: nothing is wrong with the handler, nor with a peaceful end.
    else if (error.code !== 'NINJA_DISPOSED') this.owner.faulted(this, error, true);
  }

  private endInput(): void {
    this.inputOver = true;
    this.line.inbox.close();
    if (!this.handling) this.finish('its client has closed');
  }

  /** Closes, but not by an order of the program. */
  private finish(why: string): void {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', `the peer is over: ${why}`);
    void this.close();
  }

  private hear(announcement: PeerAnnouncement): void {
    switch (announcement.type) {
      case 'live':
        this.announce('live', { epoch: 1, afterMs: this.line.now() - this.acceptedAt });
        return;
      case 'stale': {
        const { silentForMs, lastHeardAt } = announcement;
        this.announce('stale', { epoch: 1, silentForMs, lastHeardAt });
        return;
      }
      case 'disposed':
        this.end(announcement.reason);
    }
  }

  /** The statechart itself broke: a bug, ours or of a framing. Nothing is left running. */
  private wreck(error: unknown): void {
    this.fault(error, 'the statechart');
    if (!this.endReason) this.end(this.line.wreck('NINJA_HANDLER_FAILED', messageOf(error)));
  }

  /** The chart has come to its end, or the program stopped its actor. */
  private stopped(): void {
    if (!this.endReason) this.end(this.line.wreck('NINJA_DISPOSED', 'the program stopped its actor'));
  }

  private end(reason: Reason): void {
    this.endReason = reason;
    this.line.inbox.listen(undefined);
    this.tellDropped();
    this.announce('disposed', { reason, ...this.line.takeLoss() } satisfies PeerDisposed);
    this.tellEnd(reason);
    this.ends.resolve(reason);
    this.owner.gone(this);
  }
}
