import type { Loss } from './delivery/ledger.js';
import type { Transport } from './environment.js';
import type { Reason } from './errors.js';
import type { FaceEvents } from './line/events.js';
import { peerWords } from './line/explain.js';
import { Face } from './line/face.js';
import type { Step } from './line/line.js';
import type { PeerLine } from './line/peer-line.js';
import type { PeerStatus } from './line/status.js';
import { peerStatus, peerTimers } from './line/statuses.js';
import type { PeerActor, PeerLife, PeerState, PeerSubstate } from './peer-life.js';
import type { PeerSnapshot } from './snapshot.js';
import { hostPort } from './target.js';

export interface PeerDisposed extends Loss {
  readonly reason: Reason;
}

/** The events of a peer, with what their listeners are given. */
export interface PeerEvents extends FaceEvents {
  /** Its session has lost its socket, for this reason; what is sent meanwhile is kept. */
  detached: [event: { readonly reason: Reason }];
  /** The end. */
  disposed: [event: PeerDisposed];
}

function addressesOf({ remoteAddress, remotePort, proxyAddress }: Transport) {
  return { remoteAddress, remotePort, proxyAddress };
}

/** What can be seen of a peer. */
export abstract class PeerView extends Face<PeerLine, PeerEvents, PeerStatus> {
  readonly kind = 'peer';
  /** The program's own; ninja-tcp does not look at it. */
  data: unknown;
  protected abstract readonly life: PeerLife;
  private from: Pick<Transport, 'remoteAddress' | 'remotePort' | 'proxyAddress'>;

  constructor(
    /** From 1, in the order of acceptance. */
    readonly id: number,
    private readonly path: string | undefined,
    transport: Transport,
  ) {
    super();
    this.from = addressesOf(transport);
  }

  /** It has another socket. */
  protected moved(transport: Transport): void {
    this.from = addressesOf(transport);
  }

  /** Of the present or last socket. */
  get remoteAddress(): string | undefined {
    return this.from.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.from.remotePort;
  }

  /** Of the proxy, where the option `proxyProtocol` is on: then `remoteAddress` is the client's. */
  get proxyAddress(): string | undefined {
    return this.from.proxyAddress;
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

  /** `unproven`, `live` or `draining`; detached: `waiting` or `draining`. */
  get substate(): PeerSubstate | undefined {
    return this.endReason ? undefined : this.life.substate;
  }

  /** Why it ended; of one that is detached, why it has no socket. */
  get reason(): Reason | undefined {
    return this.endReason ?? (this.state === 'detached' ? this.life.reason : undefined);
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
    return peerWords(this.name, this.line, this.standing, this.life.reason);
  }
}
