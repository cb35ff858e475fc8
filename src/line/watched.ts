import { EventEmitter } from 'node:events';
import type { AnyActorRef } from 'xstate';
import { type DiagnosticSource, tellClose } from '../diagnostics.js';
import type { TlsFacts } from '../environment.js';
import { messageOf, NinjaTcpError, type Reason } from '../errors.js';
import { attach, checkedInspector, type Inspector } from '../inspection.js';
import type { FlightRecorder } from '../recorder/dump.js';
import { errorWords, inOrder, type LineSnapshot, type NextEvent, type Stats } from '../snapshot.js';
import type { Transition } from './history.js';
import type { Line, Step } from './line.js';
import type { SessionView } from './session-view.js';
import { StatusFeed, type StatusOptions, type Subscription } from './status-feed.js';

/** What every status has. */
export interface AnyStatus {
  readonly state: string;
}

/** Milliseconds since the last byte of a line that is up; undefined of others. For `ninja-tcp/opentelemetry`. */
export let silenceOf: (one: { readonly kind: 'connection' | 'peer' }) => number | undefined;

/** What can be seen of a line, be it a connection or a server's peer: state, counters, history. */
export abstract class Watched<
  L extends Line,
  Events extends Record<keyof Events, unknown[]>,
  Status extends AnyStatus,
> extends EventEmitter<Events> {
  protected abstract readonly line: L;
  private feed: StatusFeed<Status> | undefined;

  static {
    silenceOf = (one) => {
      const { state, line } = one as unknown as Watched<Line, Record<never, never>, AnyStatus>;
      return state === 'connected' ? line.watch.silentForMs() : undefined;
    };
  }

  constructor() {
    super({ captureRejections: true });
  }

  abstract readonly name: string;
  /** The XState actor itself. */
  abstract readonly actor: AnyActorRef;
  abstract get state(): string;
  abstract get substate(): string | undefined;
  abstract get reason(): Reason | undefined;

  /** The same emitter, without the types of a particular set of events. */
  protected get plain(): EventEmitter {
    return this as unknown as EventEmitter;
  }

  /** The number of the last message that `send` accepted; the first is 1. */
  get accepted(): number {
    return this.line.ledger.accepted;
  }

  /** The last 50 transitions, oldest first. */
  get history(): readonly Transition[] {
    return [...this.line.history.steps];
  }

  /** What the option `flightRecorder` asked for. */
  get flightRecorder(): FlightRecorder | undefined {
    return this.line.recorder;
  }

  /** What the handshake of the present or last line came to; undefined without TLS. Certificates last as long as the line. */
  get tls(): TlsFacts | undefined {
    return this.line.transport?.tls;
  }

  /** What can be seen of its session; undefined where there is none. */
  get session(): SessionView | undefined {
    return this.line.side?.view;
  }

  stats(): Stats {
    const { line } = this;
    const now = line.now();
    return {
      received: line.received.read(now),
      sent: line.sent.read(now),
      heardBytes: line.heardBytes,
      outbox: { messages: line.outbox.messages, bytes: line.outbox.bytes },
      inbox: { messages: line.inbox.messages, bytes: line.inbox.bytes },
      pending: { messages: line.pendingMessages, bytes: line.pendingBytes },
    };
  }

  /** Lets it keep the process alive (the default). */
  ref(): this {
    this.line.ref();
    return this;
  }

  /** Lets the process end although it is open. */
  unref(): this {
    this.line.unref();
    return this;
  }

  /**
   * Calls back with each status that follows, when its tick is over; the present one is not among them. A listener that
   * throws is told of as a warning of the process, and harms nobody.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION`
   */
  subscribe(listener: (status: Status) => void): Subscription {
    return this.statuses().subscribe(listener);
  }

  /**
   * Iterates over the statuses: the present one, then each that follows, to `disposed`. For a reader that is 50 behind,
   * the oldest are left out.
   */
  status(options?: StatusOptions): AsyncGenerator<Status, undefined, undefined> {
    return this.statuses().iterate(options);
  }

  /**
   * Attaches an XState inspector: a function, an observer `{ next }`, or what `@statelyai/inspect` returns. It is first told
   * `@xstate.actor` and `@xstate.snapshot` of the statechart and its socket as they stand, and of its session's. One that
   * throws is detached, with a warning of the process. A peer's statechart, and a session's, is made for it, if there was
   * none yet.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION`
   */
  inspect(inspector: Inspector): Subscription {
    const { side, settings } = this.line;
    const inspection = attach(this.actor, checkedInspector('inspect(inspector)', inspector), settings.environment.warn);
    side?.view.watch(inspection);
    return inspection;
  }

  private statuses(): StatusFeed<Status> {
    if (this.feed) return this.feed;
    const { line } = this;
    const { clock, warn } = line.settings.environment;
    const feed: StatusFeed<Status> = new StatusFeed({
      current: () => this.statusOf(this.standing),
      isLast: ({ state }) => state === 'disposed',
      defer: (callback) => clock.defer(callback),
      threw: (cause) =>
        warn(new NinjaTcpError('NINJA_HANDLER_FAILED', `a status listener threw: ${messageOf(cause)}`, cause)),
    });
    line.stepped = (step) => {
      if (feed.watched) feed.publish(this.statusOf(step));
    };
    this.feed = feed;
    return feed;
  }

  /** The step that led to where it stands, with what is known by now. */
  protected get standing(): Step {
    const { line, state, substate, reason } = this;
    const last = line.history.last;
    return {
      at: line.history.since,
      epoch: last?.epoch ?? 0,
      to: substate ? `${state}.${substate}` : state,
      cause: last?.cause ?? 'start',
      reason,
    };
  }

  /** Tells those who diagnose of the end. */
  protected tellEnd(reason: Reason): void {
    const { line } = this;
    tellClose(this as unknown as DiagnosticSource, () => {
      const now = line.now();
      const { received, sent } = line;
      const { epoch } = this.standing;
      return { epoch, at: line.wallNow(), now, reason, received: received.totals, sent: sent.totals };
    });
  }

  protected abstract statusOf(step: Step): Status;

  /** What of a snapshot is the same for both. @param timers those of its statechart */
  protected lineSnapshot(timers: readonly (NextEvent | undefined)[]): LineSnapshot {
    const { line, name, state, substate, reason } = this;
    const { at, epoch } = this.standing;
    const ordered = inOrder(timers);
    return {
      name,
      state,
      substate,
      since: at,
      epoch,
      reason,
      error: errorWords(line.errorBehind(reason)),
      timers: ordered,
      nextEvent: ordered[0],
      lastHeardAt: line.lastByteAt === undefined ? undefined : line.wallAt(line.lastByteAt),
      readingPaused: line.readingPaused,
      session: line.side?.view.snapshot,
      ...this.stats(),
    };
  }
}
