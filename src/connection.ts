import { type Actor, createActor } from 'xstate';
import { connectionMachine } from '../machines/connection.machine.js';
import type { ConnectionAnnouncement, ConnectionEvent } from '../machines/connection.setup.js';
import { messageOf, NinjaTcpError, type Reason } from './errors.js';
import { attach } from './inspection.js';
import type {
  ConnectedOptions,
  ConnectionEvents,
  ConnectionState,
  Disconnected,
  Disposed,
} from './line/connection-events.js';
import { ConnectionLine } from './line/connection-line.js';
import type { Resumed } from './line/events.js';
import { connectionWords } from './line/explain.js';
import type { WaitOptions } from './line/face.js';
import { Face } from './line/face.js';
import { handsOn, recordConnection } from './line/flight.js';
import type { Step } from './line/line.js';
import { obey } from './line/obey.js';
import type { ConnectionStatus } from './line/status.js';
import { connectionStatus, connectionTimers } from './line/statuses.js';
import { Waiters } from './line/waiters.js';
import type { ConnectOptions } from './options.js';
import { register, unregister } from './registry.js';
import { type ConnectionSettings, connectionSettings } from './settings.js';
import type { ConnectionSnapshot } from './snapshot.js';
import { socketActor } from './socket/actor.js';
import { nodeEnvironment } from './socket/node.js';
import { type Target, targetWords } from './target.js';

export type { ConnectedOptions, ConnectionEvents, ConnectionState, Disconnected, Disposed };

// Once per process: a machine of its own for each connection would cost four times the memory.
const machine = connectionMachine.provide({ actors: { socket: socketActor } });

/** A TCP connection that hands over whole messages, heals itself, and can say at any moment what state it is in. */
export class Connection extends Face<ConnectionLine, ConnectionEvents, ConnectionStatus> {
  readonly kind = 'connection';
  /** The XState actor itself. */
  readonly actor: Actor<typeof machine>;
  readonly name: string;
  protected readonly line: ConnectionLine;
  private readonly listed = register(this);
  private readonly opened = new Waiters<void>();
  private readonly proven = new Waiters<void>();
  /** What was announced before the caller of `connect()` could listen. */
  private early: ConnectionAnnouncement[] | undefined = [];

  /** Use `connect()`. */
  constructor(settings: ConnectionSettings, signal: AbortSignal | undefined) {
    super();
    this.name = settings.name;
    this.line = new ConnectionLine(
      settings,
      {
        source: this,
        dropped: (dropped) => this.announce('dropped', dropped),
        readingPaused: () => this.announce('warning', { message: 'reading paused: inbox full, nobody takes' }),
      },
      (cause, where) => this.fault(cause, where),
      {
        resumed: ({ replayed, deduplicated }, afterMs) =>
          this.announce('resumed', { replayed, deduplicated, afterMs } satisfies Resumed),
        lost: (lost) => this.announce('sessionLost', lost),
      },
    );
    recordConnection(this.line);
    const { ports, ...watch } = handsOn(this.line);
    this.actor = createActor(machine, {
      clock: this.line.timers,
      input: { ports, times: settings, greets: settings.onConnect !== undefined || settings.session !== undefined },
      ...watch,
    });
    this.line.tell = (event) => this.order(event);
    this.actor.on('*', (announcement) => {
      if (this.early) this.early.push(announcement);
      else this.hear(announcement);
    });
    this.actor.subscribe({ error: (error) => this.wreck(error), complete: () => this.stopped() });
    if (settings.inspect) attach(this.actor, settings.inspect, settings.environment.warn, false);
    this.actor.start();
    this.actor.send({ type: 'connect' });
    settings.environment.clock.defer(() => {
      // What a listener brings about meanwhile comes behind.
      for (let next = this.early?.shift(); next; next = this.early?.shift()) this.hear(next);
      this.early = undefined;
    });
    if (signal) void this.closed().then(obey(signal, () => this.dispose()));
  }

  /** One of the five states of docs/states.md. */
  get state(): ConnectionState {
    // A chart that broke stands where it was.
    if (this.endReason) return 'disposed';
    const { value } = this.actor.getSnapshot();
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ConnectionState;
  }

  /** The state within the state: `idle`, `waiting`, `failed`; `dialing`, `greeting`; `unproven`, `live`, `draining`. */
  get substate(): string | undefined {
    const { value } = this.actor.getSnapshot();
    if (this.endReason || typeof value === 'string') return undefined;
    const inner = Object.values(value)[0];
    return typeof inner === 'string' ? inner : inner?.line;
  }

  /** The number of the present or last attempt, from 1. */
  get epoch(): number {
    return this.actor.getSnapshot().context.epoch;
  }

  /** Where the present or last attempt went; before the first, where it will go. */
  get endpoint(): Readonly<Target> {
    return this.line.endpoints.current;
  }

  /** Why the last line was lost, or the life ended. */
  get reason(): Reason | undefined {
    return this.endReason ?? this.actor.getSnapshot().context.reason;
  }

  /** All there is to see of it, as plain values. */
  get snapshot(): ConnectionSnapshot {
    const { context } = this.actor.getSnapshot();
    const { failures } = context;
    return {
      kind: 'connection',
      ...this.lineSnapshot(connectionTimers(this.line, this.standing, context)),
      endpoint: targetWords(this.endpoint),
      failures,
      attempt: failures + 1,
    };
  }

  protected override get standing(): Step {
    const { epoch, failures, retryInMs, reason } = this.actor.getSnapshot().context;
    return { ...super.standing, epoch, failures, retryInMs, reason: this.endReason ?? reason };
  }

  protected statusOf(step: Step): ConnectionStatus {
    return connectionStatus(step);
  }

  /** One sentence on where it stands, why, and what comes next. */
  explain(): string {
    return connectionWords(this.name, this.line, this.standing);
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
      if (up && this.actor.getSnapshot().context.proven) return Promise.resolve();
      return this.proven.wait('connected()', options.signal);
    }
    return up ? Promise.resolve() : this.opened.wait('connected()', options.signal);
  }

  /** Wants the line again, after `disconnect()` or when it gave up; while it waits, tries at once. */
  connect(): void {
    this.order({ type: 'connect' });
  }

  /** Wants no line for now: `disconnected.idle`. What is in the outbox stays there. */
  disconnect(): void {
    this.order({ type: 'disconnect' });
  }

  /** Throws the line away, or ends the wait for the next attempt, and dials at once. */
  reconnectNow(): void {
    this.order({ type: 'reconnectNow' });
  }

  close(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called close()');
    const { side, outbox } = this.line;
    const held = outbox.messages + (side?.core.retainedMessages ?? 0);
    // What waits for the next socket of a session is as much its own as what it has numbered already.
    this.order({ type: 'close', held, owed: side?.owes ? held : 0 });
    return this.closed();
  }

  dispose(): Promise<Reason> {
    this.line.refusal ??= new NinjaTcpError('NINJA_DISPOSED', 'the program called dispose()');
    this.order({ type: 'dispose' });
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

  /** After the end nothing is ordered any more. */
  private order(event: ConnectionEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
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
  return new Connection(connectionSettings(options, nodeEnvironment), signal);
}
