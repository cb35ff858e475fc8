import { type Actor, createActor } from 'xstate';
import {
  type AcceptorFact,
  type ServerAnnouncement,
  type ServerEvent,
  type ServerPorts,
  serverMachine,
} from '../machines/server.machine.js';
import { Admission } from './admission.js';
import type { BoundAddress } from './environment.js';
import { type ErrorCode, messageOf, NinjaTcpError, type Reason } from './errors.js';
import { attach } from './inspection.js';
import type { WaitOptions } from './line/face.js';
import { FrameBudget } from './line/frame-budget.js';
import { obey } from './line/obey.js';
import { Waiters } from './line/waiters.js';
import type { ListenOptions } from './options.js';
import { type Peer, type PeerHandler, part, serve } from './peer.js';
import { register, unregister } from './registry.js';
import { Entrance } from './server/entrance.js';
import { Sessions } from './server/sessions.js';
import { ServerView } from './server/view.js';
import { type ServerSettings, serverSettings } from './settings.js';
import { acceptorActor } from './socket/actor.js';
import { Crowd } from './socket/crowd.js';
import { nodeEnvironment } from './socket/node.js';
import { Timers } from './socket/timers.js';

export type { ServerEvents, ServerState } from './server/events.js';

// Once per process.
const machine = serverMachine.provide({ actors: { acceptor: acceptorActor } });

/** A listening port and the peers that it accepted. */
export class Server extends ServerView {
  /** The XState actor itself. */
  readonly actor: Actor<typeof machine>;
  private readonly listed = register(this);
  private readonly timers: Timers;
  private readonly ready = new Waiters<void>();
  private readonly ends = new Waiters<Reason>();
  private readonly admission: Admission;
  private readonly entrance: Entrance;
  private readonly sessions: Sessions | undefined;
  private port: { close(): void } | undefined;
  private draining = false;
  private warned = false;
  private referenced = true;

  /** Use `listen()`. */
  constructor(
    settings: ServerSettings,
    private readonly handler: PeerHandler | undefined,
  ) {
    super(settings);
    this.entrance = new Entrance(settings, {
      budget: new FrameBudget(settings.unfinishedBytes),
      crowd: new Crowd(settings.environment.clock),
      welcome: (peer) => this.welcome(peer),
      faulted: (peer, error, told) => this.faulted(peer, error, told),
      refuse: (remoteAddress, error) => this.refuse(remoteAddress, error),
      forget: (core) => this.sessions?.forget(core),
      detached: (peer) => this.draining && part(peer),
      gone: (peer) => this.gone(peer),
    });
    this.timers = new Timers(settings.environment.clock);
    this.admission = new Admission(settings, this.timers, {
      // Those that are detached have no socket.
      peers: () => this.live.size - (this.sessions?.detached ?? 0) + (this.sessions?.underway ?? 0),
      admit: (transport, left) => {
        if (this.sessions) this.sessions.receive(transport, left);
        else this.entrance.plain(transport, left);
      },
      refuse: (remoteAddress, error) => this.refuse(remoteAddress, error),
    });
    const { session } = settings;
    if (session) this.sessions = new Sessions(settings, session, this.timers, this.entrance);
    this.actor = createActor(machine, {
      clock: this.timers,
      input: { ports: this.hands(), drainTimeout: settings.drainTimeout },
    });
    this.actor.on('*', (announcement) => this.hear(announcement));
    this.actor.subscribe({
      error: (error) => this.wreck(error),
      complete: () => this.abandon('NINJA_DISPOSED', 'the program stopped its actor'),
    });
    if (settings.inspect) attach(this.actor, settings.inspect, settings.environment.warn, false);
    this.actor.start();
    this.actor.send({ type: 'listen' });
  }

  protected get accepted(): number {
    return this.entrance.count;
  }

  /** Accepts no more, drains every peer. Resolves with the reason of the end; never rejects. */
  close(): Promise<Reason> {
    this.order({ type: 'close' });
    return this.closed();
  }

  /** Ends at once. Resolves with the reason of the end; never rejects. */
  dispose(): Promise<Reason> {
    this.order({ type: 'dispose' });
    return this.closed();
  }

  /** Resolves with the reason of the end; never rejects, unless `signal` fires. */
  closed(options: WaitOptions = {}): Promise<Reason> {
    const end = this.endReason ? Promise.resolve(this.endReason) : this.ends.wait('closed()', options.signal);
    if (!this.settings.session?.store) return end;
    // What the next server goes on with has to be in the store.
    return end.then(async (reason) => {
      await this.sessions?.kept;
      return reason;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Lets it keep the process alive (the default). */
  ref(): this {
    return this.refer('ref');
  }

  /** Lets the process end although it listens. */
  unref(): this {
    return this.refer('unref');
  }

  private refer(how: 'ref' | 'unref'): this {
    this.referenced = how === 'ref';
    for (const one of [this.timers, ...this.live]) one[how]();
    this.admission.refer(how);
    this.sessions?.refer(how);
    return this;
  }

  /** Resolves when it listens. @throws NinjaTcpError `NINJA_LISTEN_FAILED`, `NINJA_DISPOSED`, `NINJA_ABORTED` */
  listening(options: WaitOptions = {}): Promise<void> {
    if (this.state === 'listening') return Promise.resolve();
    if (this.endReason) return Promise.reject(this.errorOf(this.endReason));
    return this.ready.wait('listening()', options.signal);
  }

  /** The hands of the statechart. */
  private hands(): ServerPorts {
    const { clock } = this.settings.environment;
    return {
      wallNow: () => clock.wallNow(),
      openAcceptor: (report) => this.openAcceptor(report),
      enoughDescriptors: () => this.admission.mayOpen(),
      entered: (to, cause, reason) => this.entered(to, cause, reason),
      toJSON: () => undefined,
    };
  }

  private openAcceptor(report: (fact: AcceptorFact) => void): { close(): void } {
    const told = (type: 'acceptor.failed' | 'acceptor.starved') => (error: NinjaTcpError) => {
      this.lastError = error;
      report({ type, code: error.code, message: error.message });
    };
    const listening = (address: BoundAddress) => {
      this.bound = address;
      report({ type: 'acceptor.listening' });
    };
    const owner = { listening, failed: told('acceptor.failed'), starved: told('acceptor.starved') };
    this.port = this.admission.open(owner, this.bound?.port);
    return this.port;
  }

  private faulted(peer: Peer, error: NinjaTcpError, told: boolean): void {
    if (this.listenerCount('peerError') > 0) this.announce('peerError', { peer, error });
    else if (!told) this.warn(error);
  }

  private gone(peer: Peer): void {
    this.live.delete(peer);
    if (this.draining && this.live.size === 0) this.order({ type: 'peers.gone' });
  }

  private order(event: ServerEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  private refuse(remoteAddress: string | undefined, error: NinjaTcpError): void {
    this.refusals += 1;
    this.announce('refused', { remoteAddress, error });
  }

  private welcome(peer: Peer): void {
    // A framing that throws at once has ended it already.
    if (peer.state !== 'disposed') this.live.add(peer);
    if (!this.referenced) peer.unref();
    this.announce('peer', peer);
    if (this.handler) serve(peer, this.handler);
  }

  private errorOf(reason: Reason): NinjaTcpError {
    return this.lastError?.code === reason.code ? this.lastError : new NinjaTcpError(reason.code, reason.message);
  }

  private hear(announcement: ServerAnnouncement): void {
    switch (announcement.type) {
      case 'listening':
        this.ready.resolve();
        this.announce('listening', this.bound as BoundAddress);
        return;
      case 'paused':
        this.tellPaused(this.lastError as NinjaTcpError);
        return;
      case 'draining':
        this.draining = true;
        this.admission.close();
        this.sessions?.drain();
        for (const peer of this.live) part(peer);
        if (this.live.size === 0) this.order({ type: 'peers.gone' });
        return;
      case 'disposed':
        this.end(announcement.reason);
    }
  }

  private tellPaused(error: NinjaTcpError): void {
    if (this.listenerCount('paused') > 0) this.announce('paused', { error });
    else if (!this.warned) this.warn(error);
    this.warned = true;
  }

  /** The statechart itself broke: a bug. Nothing is left running. */
  private wreck(cause: unknown): void {
    this.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', `the statechart threw: ${messageOf(cause)}`, cause));
    this.abandon('NINJA_HANDLER_FAILED', messageOf(cause));
  }

  /** Ends without the chart, which broke, or was stopped by the program. */
  private abandon(code: ErrorCode, message: string): void {
    if (this.endReason) return;
    this.port?.close();
    const reason: Reason = { code, message, at: this.settings.environment.clock.wallNow(), epoch: 0 };
    this.entered('disposed', code === 'NINJA_DISPOSED' ? 'actor stopped' : 'statechart broke', reason);
    this.end(reason);
  }

  private end(reason: Reason): void {
    this.admission.close();
    this.sessions?.close();
    for (const peer of this.live) void peer.dispose();
    this.endReason = reason;
    unregister(this.listed);
    this.ready.reject(this.errorOf(reason));
    this.announce('closed', { reason });
    this.tellEnd(reason);
    this.ends.resolve(reason);
  }
}

/**
 * Listens, and resolves when the port is bound. Each accepted socket becomes a peer, which is given to `handler`.
 *
 * ```ts
 * const server = await listen({ port: 65432 }, async (peer) => {
 *   for await (const message of peer) peer.send(message);
 * });
 * ```
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`, `NINJA_LISTEN_FAILED`
 */
export async function listen(options: ListenOptions, handler?: PeerHandler): Promise<Server> {
  const settings = serverSettings(options, nodeEnvironment);
  const server = new Server(settings, handler);
  const { signal } = options;
  void server.closed().then(obey(signal, () => server.dispose()));
  try {
    await server.listening();
  } catch (error) {
    if (signal?.aborted) throw new NinjaTcpError('NINJA_ABORTED', 'listen() was aborted by its signal', signal.reason);
    throw error;
  }
  return server;
}
