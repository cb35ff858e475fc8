import type { Transport } from '../environment.js';
import type { NinjaTcpError } from '../errors.js';
import type { PeerSide } from '../line/peer-side.js';
import { Peer, type PeerOwner, sideOf } from '../peer.js';
import type { ServerSession } from '../protocol/session/index.js';
import { inSession, type ServerSettings } from '../settings.js';
import type { SessionsOwner } from './sessions.js';

/** Who hears of those who enter: the server. */
export interface EntranceOwner extends PeerOwner {
  /** A peer is there. */
  welcome(peer: Peer): void;
  refuse(remoteAddress: string | undefined, error: NinjaTcpError): void;
  /** A session has no peer any more. */
  forget(core: ServerSession): void;
}

/** Where sockets, and sessions, become peers. */
export class Entrance implements SessionsOwner {
  /** Peers from the first on. */
  count = 0;
  /** Those that were not welcomed yet. */
  private readonly peers = new Map<ServerSession, Peer>();
  /** Of peers that have a session. */
  private readonly sessionSettings: ServerSettings;
  private readonly sessionOwner: EntranceOwner;

  constructor(
    private readonly settings: ServerSettings,
    private readonly owner: EntranceOwner,
  ) {
    const { session } = settings;
    this.sessionSettings = session ? { ...settings, ...inSession(session) } : settings;
    const gone = (peer: Peer) => {
      const { core } = sideOf(peer);
      this.peers.delete(core);
      owner.forget(core);
      owner.gone(peer);
    };
    this.sessionOwner = { ...owner, gone };
  }

  /** A socket becomes a peer. @param left to be called when that is over */
  plain(transport: Transport, left: (() => void) | undefined): void {
    this.count += 1;
    const gone = (peer: Peer) => {
      left?.();
      this.owner.gone(peer);
    };
    // It may be gone before its constructor is through.
    const owner = left ? { ...this.owner, gone } : this.owner;
    this.owner.welcome(new Peer(this.count, this.settings, transport, owner));
  }

  enter(core: ServerSession, transport: Transport): PeerSide {
    this.count += 1;
    const peer = new Peer(this.count, this.sessionSettings, transport, this.sessionOwner, core);
    this.peers.set(core, peer);
    return sideOf(peer);
  }

  entered(core: ServerSession): void {
    const peer = this.peers.get(core);
    this.peers.delete(core);
    if (peer) this.owner.welcome(peer);
  }

  refuse(remoteAddress: string | undefined, error: NinjaTcpError): void {
    this.owner.refuse(remoteAddress, error);
  }
}
