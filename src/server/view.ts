import type { Actor } from 'xstate';
import type { serverMachine } from '../../machines/server.machine.js';
import { statesAreHeard, tellClose, tellState } from '../diagnostics.js';
import type { BoundAddress } from '../environment.js';
import { messageOf, NinjaTcpError, type Reason } from '../errors.js';
import { attach, checkedInspector, type Inspector } from '../inspection.js';
import { History, type Transition } from '../line/history.js';
import type { ServerStatus } from '../line/status.js';
import { StatusFeed, type StatusOptions, type Subscription } from '../line/status-feed.js';
import type { Peer } from '../peer.js';
import type { ServerSettings } from '../settings.js';
import { errorWords, type ServerSnapshot } from '../snapshot.js';
import { boundWords } from '../target.js';
import type { ServerState } from './events.js';
import { serverWords } from './explain.js';
import { Voice } from './voice.js';

/** What can be seen of a server. */
export abstract class ServerView extends Voice {
  readonly kind = 'server';
  /** The XState actor itself. */
  abstract readonly actor: Actor<typeof serverMachine>;
  /** Peers from the first on. */
  protected abstract get accepted(): number;
  readonly name: string;
  protected readonly live = new Set<Peer>();
  protected endReason: Reason | undefined;
  protected bound: BoundAddress | undefined;
  protected lastError: NinjaTcpError | undefined;
  /** Sockets that were dropped before they became a peer. */
  protected refusals = 0;
  private readonly past: History;
  private feed: StatusFeed<ServerStatus> | undefined;

  constructor(protected readonly settings: ServerSettings) {
    super();
    this.name = settings.name;
    this.past = new History(settings.environment.clock.wallNow());
  }

  /** One of the states of docs/states.md. */
  get state(): ServerState {
    // A chart that broke, or was stopped, stands where it was.
    if (this.endReason) return 'disposed';
    const { value } = this.actor.getSnapshot();
    return typeof value === 'string' ? value : 'paused';
  }

  /** The peers that are not disposed. */
  get peers(): ReadonlySet<Peer> {
    return this.live;
  }

  /** The last 50 transitions, oldest first. */
  get history(): readonly Transition[] {
    return [...this.past.steps];
  }

  /** Why it is paused, or ended. */
  get reason(): Reason | undefined {
    return this.endReason ?? this.actor.getSnapshot().context.reason;
  }

  /** Where it listens, with the port that the system chose; undefined before it listens. */
  address(): BoundAddress | undefined {
    return this.bound;
  }

  /** One sentence on where it stands, and why. */
  explain(): string {
    const { state, bound, lastError, reason } = this;
    return `${this.name} ${serverWords({ state, bound, since: this.past.since, peers: this.live.size, reason, lastError })}`;
  }

  /** All there is to see of it, as plain values. */
  get snapshot(): ServerSnapshot {
    const { name, state, reason, bound, lastError } = this;
    const { since } = this.past;
    const { drainTimeout } = this.settings;
    const drain = { name: 'drainTimeout', from: since, at: since + drainTimeout };
    const timers = state === 'draining' ? [drain] : [];
    return {
      kind: 'server',
      name,
      state,
      substate: undefined,
      since,
      reason,
      error: errorWords(reason && lastError?.code === reason.code ? lastError : undefined),
      timers,
      nextEvent: timers[0],
      address: bound && boundWords(bound),
      peers: this.live.size,
      accepted: this.accepted,
      refused: this.refusals,
    };
  }

  /**
   * Calls back with each status that follows, when its tick is over; the present one is not among them.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION`
   */
  subscribe(listener: (status: ServerStatus) => void): Subscription {
    return this.statuses().subscribe(listener);
  }

  /** Iterates over the statuses: the present one, then each that follows, to `disposed`. */
  status(options?: StatusOptions): AsyncGenerator<ServerStatus, undefined, undefined> {
    return this.statuses().iterate(options);
  }

  /**
   * Attaches an XState inspector to the statechart of the server itself, as `connection.inspect()` does; to those of all
   * peers too: the option `inspect`.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION`
   */
  inspect(inspector: Inspector): Subscription {
    return attach(this.actor, checkedInspector('inspect(inspector)', inspector), this.settings.environment.warn);
  }

  /** The chart entered a state. */
  protected entered(to: string, cause: string, reason: Reason | undefined): void {
    const { clock } = this.settings.environment;
    const at = clock.wallNow();
    const { from } = this.past.add({ at, epoch: 0, to, cause, reason });
    if (statesAreHeard()) tellState(this, { epoch: 0, at, now: clock.now() }, { from, to, cause, reason });
    if (this.feed?.watched) this.feed.publish({ state: to as ServerState, at, cause, reason });
  }

  /** Tells those who diagnose of the end. */
  protected tellEnd(reason: Reason): void {
    const totals = { received: undefined, sent: undefined };
    const { clock } = this.settings.environment;
    tellClose(this, () => ({ epoch: 0, at: clock.wallNow(), now: clock.now(), reason, ...totals }));
  }

  private statuses(): StatusFeed<ServerStatus> {
    const { clock } = this.settings.environment;
    this.feed ??= new StatusFeed<ServerStatus>({
      current: () => ({
        state: this.state,
        at: this.past.since,
        cause: this.past.steps.at(-1)?.cause ?? 'start',
        reason: this.reason,
      }),
      isLast: ({ state }) => state === 'disposed',
      defer: (callback) => clock.defer(callback),
      threw: (cause) =>
        this.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', `a status listener threw: ${messageOf(cause)}`, cause)),
    });
    return this.feed;
  }

  protected override warn(error: NinjaTcpError): void {
    this.settings.environment.warn(error);
  }
}
