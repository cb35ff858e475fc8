import type { LinePorts } from '../../machines/line.setup.js';
import type { Environment } from '../environment.js';
import { handsOf, type Peer } from '../peer.js';
import type { Server } from '../server.js';
import type { VirtualClock } from './clock.js';
import type { NetworkHost } from './host.js';
import type { Network } from './network.js';
import { Stage } from './path-stage.js';
import { type ClientWords, PathClient } from './peer-path-client.js';
import { PathSession, SessionLine } from './peer-path-session.js';

/** What a server under test is given, and what its checks look at. */
export interface PeerWorld {
  readonly clock: VirtualClock;
  readonly network: Network;
  /** The host that the clients run on. */
  readonly client: NetworkHost;
  /** The environment of the server under test: give it to `listen()`. */
  readonly environment: Environment;
  /** Where it has to listen. */
  readonly host: string;
  readonly port: number;
}

/** A client, and what the server has of it. */
interface Guest {
  readonly peer: Peer;
  readonly line: PathClient;
  readonly session: PathSession | undefined;
}

/** One server under test, its clients, and what lies between them: the faults that the moves of a path are made of. */
export class PeerStage extends Stage implements PeerWorld {
  readonly client: NetworkHost;
  readonly environment: Environment;
  /** The server under test, once it was started. */
  listener: Server | undefined;
  private guest: Guest | undefined;
  private newest: Peer | undefined;

  constructor(
    seed: number,
    private readonly words: ClientWords,
    /** Clients have one. */
    private readonly hasSession: boolean,
  ) {
    super(seed);
    this.client = this.network.host('client');
    this.environment = this.server.environment();
  }

  /** The server's side of the line that this path is about. */
  get peer(): Peer {
    return this.present.peer;
  }

  /** The client's side of it. */
  get line(): PathClient {
    return this.present.line;
  }

  private get present() {
    if (!this.guest) throw new Error('no client has come yet');
    return this.guest;
  }

  protected get hands(): LinePorts {
    return handsOf(this.peer);
  }

  begin(listener: Server): void {
    this.listener = listener;
    listener.on('peer', (peer) => {
      this.newest = peer;
    });
  }

  /** A client connects: from now on the path is about this one. */
  async connect(): Promise<void> {
    const { line, session } = this.newClient();
    const peer = await this.accepted(line);
    if (!peer) throw new Error(`no client is let in: ${this.listener?.explain()}`);
    this.guest = { peer, line, session };
  }

  /** The client comes back with its session, over another line. */
  async comeBack(): Promise<void> {
    const { peer, line: old, session } = this.present;
    if (old instanceof SessionLine) old.abandon();
    this.heal();
    const line = new SessionLine(this.client.environment(), this.address, this.words, session as PathSession);
    await this.until(() => line.ready || line.closed);
    this.guest = { peer, line, session };
  }

  /** The client leaves, as its session knows to do. */
  goodbye(): void {
    (this.line as SessionLine).goodbye();
  }

  /** One more client connects, speaks, and closes; the path goes on with the one that was there. */
  async comeAndGo(): Promise<void> {
    const { line } = this.newClient();
    const peer = await this.accepted(line);
    // A server that is full may refuse it.
    if (!peer) return;
    line.speak(this.beat);
    await this.clock.advance(5);
    if (line instanceof SessionLine) line.goodbye();
    else line.end();
    await this.until(() => peer.state === 'disposed' && line.closed);
  }

  /** So often a client is heard that is alive, milliseconds. */
  get beat(): number {
    return Math.min(1000, this.staleAfter / 3);
  }

  /** So long somebody may be silent, milliseconds. */
  get patience(): number {
    return Math.min(this.staleAfter, 10_000);
  }

  /** What the client has said arrives; of a flood, as much as the server takes. */
  async arrives(): Promise<void> {
    const { line, clock } = this;
    for (let turn = 0; turn < 10 && line.pendingBytes > 0; turn += 1) await clock.advance(2);
    await clock.advance(2);
  }

  private get address() {
    return { host: this.host, port: this.port };
  }

  private newClient(): Omit<Guest, 'peer'> {
    this.newest = undefined;
    const environment = this.client.environment();
    if (!this.hasSession) {
      return { line: new PathClient(environment, this.address, this.words), session: undefined };
    }
    const session = new PathSession(environment);
    return { line: new SessionLine(environment, this.address, this.words, session), session };
  }

  private async accepted(line: PathClient): Promise<Peer | undefined> {
    await this.until(() => (this.newest !== undefined && line.ready) || line.closed);
    return this.newest;
  }
}
