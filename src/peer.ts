import type { LinePorts } from '../machines/line.setup.js';
import type { PeerAnnouncement } from '../machines/peer.machine.js';
import type { Dropped } from './delivery/outbox.js';
import type { Transport } from './environment.js';
import { messageOf, NinjaTcpError, type Reason } from './errors.js';
import type { Resumed } from './line/events.js';
import { recordPeer } from './line/flight.js';
import type { FrameBudget } from './line/frame-budget.js';
import { PeerLine, type PeerLineEvents } from './line/peer-line.js';
import type { PeerSide } from './line/peer-side.js';
import { isPromise } from './line/waiters.js';
import { PeerLife, type PeerLifeOwner } from './peer-life.js';
import { type PeerDisposed, PeerView } from './peer-view.js';
import type { Attached, ServerSession } from './protocol/session/index.js';
import type { ServerSettings } from './settings.js';
import type { Crowd } from './socket/crowd.js';

export type { PeerState } from './peer-life.js';
export type { PeerDisposed, PeerEvents } from './peer-view.js';

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
  /** Its session has no socket. */
  detached(peer: Peer): void;
  gone(peer: Peer): void;
}

/** Runs the program's handler with a peer. For servers only. */
export let serve: (peer: Peer, handler: PeerHandler) => void;
/** A server that closes lets the peer go: who is detached cannot come back. For servers only. */
export let part: (peer: Peer) => void;
/** A listener that took the peer over threw. For servers only. */
export let handlerThrew: (peer: Peer, error: unknown) => void;

/** The session of a peer that has one. For servers only. */
export let sideOf: (peer: Peer) => PeerSide;

/** The hands of its statechart, without waking it. For `ninja-tcp/testing` only. */
export let handsOf: (peer: Peer) => LinePorts;

/** The server's side of one accepted connection, or of one session. It sends and receives as a connection does, and never reconnects. */
export class Peer extends PeerView {
  protected readonly line: PeerLine;
  protected readonly life: PeerLife;
  /** Monotonic milliseconds at which its present or last socket came. */
  private acceptedAt: number;
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

    sessionAttached(): void {
      this.peer.attached();
    }

    sessionResumed({ replayed, deduplicated }: Attached, afterMs: number): void {
      this.peer.announce('resumed', { replayed, deduplicated, afterMs } satisfies Resumed);
    }

    sessionEnded(reason: Pick<Reason, 'code' | 'message'> | undefined): void {
      this.peer.life.order({ type: 'session.ended', reason });
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
  /** Of its session, so far; one without has one. */
  private sockets = 1;

  static {
    serve = (peer, handler) => peer.serve(handler);
    part = (peer) => peer.part();
    handlerThrew = (peer, error) => peer.handlerThrew(error);
    sideOf = (peer) => peer.line.side as PeerSide;
    handsOf = (peer) => peer.line;
  }

  /** Made by a server. */
  constructor(
    id: number,
    settings: ServerSettings,
    transport: Transport,
    private readonly owner: PeerOwner,
    /** Its session, which begins its life when it has a socket. */
    core?: ServerSession,
  ) {
    super(id, settings.path, transport);
    const ears = new Peer.Ears(this);
    this.line = new PeerLine(settings, transport, ears, owner.budget, owner.crowd.timers(), core);
    this.acceptedAt = this.line.now();
    this.life = new PeerLife(this.line, settings, ears, core !== undefined);
    recordPeer(this.line, this.name, settings.tls !== undefined);
    if (core) this.sockets = 0;
    else this.begin();
  }

  private begin(): void {
    const { inspect } = this.line.settings;
    this.life.start();
    // A framing that throws at once has ended it already.
    if (inspect && !this.endReason) this.inspect(inspect);
    // A chart that sleeps has nothing to record.
    if (this.line.recorder && !this.endReason) void this.life.actor;
  }

  /** Its session has a socket. */
  private attached(): void {
    this.sockets += 1;
    if (this.sockets === 1) {
      this.begin();
      return;
    }
    this.acceptedAt = this.line.now();
    this.moved(this.line.transport as Transport);
    this.life.order({ type: 'session.attached', epoch: this.sockets });
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

  private part(): void {
    if (this.state !== 'detached') {
      void this.close();
      return;
    }
    const reason = { code: 'NINJA_DISPOSED', message: 'the server is closing, and its client was away' } as const;
    this.line.refusal ??= new NinjaTcpError(reason.code, reason.message);
    this.life.order({ type: 'session.ended', reason });
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
        this.announce('live', { epoch: this.sockets, afterMs: this.line.now() - this.acceptedAt });
        return;
      case 'detached':
        this.announce('detached', { reason: announcement.reason });
        this.owner.detached(this);
        return;
      case 'stale': {
        const { silentForMs, lastHeardAt } = announcement;
        this.announce('stale', { epoch: this.sockets, silentForMs, lastHeardAt });
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
