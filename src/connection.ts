import type { ConnectionAnnouncement, ConnectionEvent } from '../machines/connection.setup.js';
import type { LinePorts } from '../machines/line.setup.js';
import { ConnectionLife, type ConnectionLifeOwner } from './connection-life.js';
import { ConnectionView } from './connection-view.js';
import type { Dropped } from './delivery/outbox.js';
import { messageOf, NinjaTcpError, type Reason } from './errors.js';
import type {
  ConnectedOptions,
  ConnectionEvents,
  ConnectionState,
  Disconnected,
  Disposed,
} from './line/connection-events.js';
import type { ConnectionLineEvents } from './line/connection-line.js';
import type { Resumed } from './line/events.js';
import type { WaitOptions } from './line/face.js';
import { recordConnection } from './line/flight.js';
import { LedLine } from './line/led-line.js';
import { obey } from './line/obey.js';
import type { SessionLost } from './line/session-host.js';
import { Waiters } from './line/waiters.js';
import type { ConnectOptions } from './options.js';
import type { Attached } from './protocol/session/index.js';
import { register, unregister } from './registry.js';
import { onceInARow } from './settings/again.js';
import { type ConnectionSettings, connectionSettings } from './settings.js';
import { nodeEnvironment } from './socket/node.js';

export type { ConnectedOptions, ConnectionEvents, ConnectionState, Disconnected, Disposed };

/** The hands of its statechart, without waking it. For `ninja-tcp/testing` only. */
export let portsOf: (connection: Connection) => LinePorts & { readonly greets: boolean };

/** A TCP connection that hands over whole messages, heals itself, and can say at any moment what state it is in. */
export class Connection extends ConnectionView {
  readonly name: string;
  protected readonly line: LedLine;
  protected readonly life: ConnectionLife;
  private readonly listed = register(this);
  private readonly opened = new Waiters<void>();
  private readonly proven = new Waiters<void>();
  /** What was announced before the caller of `connect()` could listen. */
  private early: ConnectionAnnouncement[] | undefined = [];
  /** What it hears of its line and of its life: one object for all of it, as a peer has, and hidden from users. */
  private static readonly Ears = class implements ConnectionLineEvents, ConnectionLifeOwner {
    constructor(private readonly connection: Connection) {}

    get source(): Connection {
      return this.connection;
    }

    dropped(dropped: Dropped): void {
      this.connection.announce('dropped', dropped);
    }

    readingPaused(): void {
      this.connection.announce('warning', { message: 'reading paused: inbox full, nobody takes' });
    }

    order(event: ConnectionEvent): void {
      this.connection.life.order(event);
    }

    fault(cause: unknown, where: string): void {
      this.connection.fault(cause, where);
    }

    resumed({ replayed, deduplicated }: Attached, afterMs: number): void {
      this.connection.announce('resumed', { replayed, deduplicated, afterMs } satisfies Resumed);
    }

    lost(lost: SessionLost): void {
      this.connection.announce('sessionLost', lost);
    }

    hear(announcement: ConnectionAnnouncement): void {
      const { early } = this.connection;
      if (early) early.push(announcement);
      else this.connection.hear(announcement);
    }

    wreck(error: unknown): void {
      this.connection.wreck(error);
    }

    stopped(): void {
      this.connection.stopped();
    }
  };

  static {
    portsOf = (connection) => connection.line;
  }

  /** Use `connect()`. */
  constructor(settings: ConnectionSettings, signal: AbortSignal | undefined) {
    super();
    this.name = settings.name;
    const ears = new Connection.Ears(this);
    this.line = new LedLine(settings, ears);
    recordConnection(this.line);
    this.life = new ConnectionLife(this.line, ears);
    this.life.start();
    settings.environment.clock.defer(() => {
      // What a listener brings about meanwhile comes behind.
      for (let next = this.early?.shift(); next; next = this.early?.shift()) this.hear(next);
      this.early = undefined;
    });
    if (signal) void this.closed().then(obey(signal, () => this.dispose()));
  }

  /**
   * Waits for the line. Resolves at once where it is up.
   *
   * @throws NinjaTcpError `NINJA_GAVE_UP`, `NINJA_DISPOSED`, `NINJA_ABORTED`
   */
  connected(options: ConnectedOptions = {}): Promise<void> {
    if (this.settled) return Promise.reject(this.settled);
    const up = this.state === 'connected';
    if (options.proven) {
      if (up && this.life.context.proven) return Promise.resolve();
      return this.proven.wait('connected()', options.signal);
    }
    return up ? Promise.resolve() : this.opened.wait('connected()', options.signal);
  }

  /** Wants the line again, after `disconnect()` or when it gave up; while it waits, tries at once. */
  connect(): void {
    this.life.order({ type: 'connect' });
  }

  /** Wants no line for now: `disconnected.idle`. What is in the outbox stays there. */
  disconnect(): void {
    this.life.order({ type: 'disconnect' });
  }

  /** Throws the line away, or ends the wait for the next attempt, and dials at once. */
  reconnectNow(): void {
    this.life.order({ type: 'reconnectNow' });
  }

  close(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called close()');
    const { side, outbox } = this.line;
    const held = outbox.messages + (side?.core.retainedMessages ?? 0);
    // What waits for the next socket of a session is as much its own as what it has numbered already.
    this.life.order({ type: 'close', held, owed: side?.owes ? held : 0 });
    return this.closed();
  }

  dispose(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called dispose()');
    this.life.order({ type: 'dispose' });
    return this.closed();
  }

  override closed(options: WaitOptions = {}): Promise<Reason> {
    const end = super.closed(options);
    if (!this.line.settings.session?.store) return end;
    // What the next process goes on with has to be in the store.
    return end.then(async (reason) => {
      await this.line.side?.whenStored;
      return reason;
    });
  }

  /** Turns what the statechart announces into what users hear. */
  private hear(announcement: ConnectionAnnouncement): void {
    const { line } = this;
    switch (announcement.type) {
      case 'connected':
        this.opened.resolve();
        break;
      case 'live':
        this.proven.resolve();
        break;
      case 'disconnected': {
        const { type, ...facts } = announcement;
        this.tellDropped();
        this.announce(type, { ...facts, error: this.errorOf(facts.reason), ...line.takeLoss() } satisfies Disconnected);
        return;
      }
      case 'failed':
        this.giveUp(announcement.reason);
        return;
      case 'disposed':
        this.end(announcement.reason);
        return;
    }
    const { type, ...facts } = announcement;
    this.announce(type, facts);
  }

  private errorOf(reason: Reason): NinjaTcpError {
    return this.line.errorBehind(reason) ?? new NinjaTcpError(reason.code, reason.message);
  }

  private giveUp(reason: Reason): void {
    const error = this.line.refusal ?? new NinjaTcpError('NINJA_GAVE_UP', `gave up: ${reason.message}`);
    // Told late, it may have been revived meanwhile: then those who wait, wait for the new attempt.
    if (this.line.refusal) this.rejectWaits(error);
    this.announce('failed', { reason, error });
    this.tellFlight(reason);
  }

  private end(reason: Reason): void {
    this.endReason = reason;
    unregister(this.listed);
    this.line.inbox.listen(undefined);
    this.rejectWaits(this.line.refusal ?? new NinjaTcpError('NINJA_DISPOSED', reason.message));
    this.tellDropped();
    this.announce('disposed', { reason, ...this.line.takeLoss() } satisfies Disposed);
    this.tellEnd(reason);
    this.ends.resolve(reason);
  }

  private rejectWaits(error: NinjaTcpError): void {
    this.opened.reject(error);
    this.proven.reject(error);
  }

  /** The statechart itself broke: a bug, ours or of a framing. Nothing is left running. */
  private wreck(error: unknown): void {
    this.fault(error, 'the statechart');
    if (!this.endReason) this.end(this.line.wreck('NINJA_HANDLER_FAILED', messageOf(error)));
  }

  /** The chart has come to its end, of which it tells itself, or the program stopped its actor. */
  private stopped(): void {
    if (this.endReason || this.actor.getSnapshot().status === 'done') return;
    this.end(this.line.wreck('NINJA_DISPOSED', 'the program stopped its actor'));
  }
}

const settingsOf = onceInARow((options: ConnectOptions) => connectionSettings(options, nodeEnvironment));

/**
 * Begins to connect and returns at once; from then on the connection heals itself until it is closed.
 *
 * ```ts
 * await using connection = connect({ host: '127.0.0.1', port: 65432 });
 * connection.send('hello');
 * for await (const message of connection) console.log(message.toString());
 * ```
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`
 */
export function connect(options: ConnectOptions): Connection {
  const signal = options?.signal;
  return new Connection(settingsOf(options), signal);
}
