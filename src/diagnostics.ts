/**
 * What `node:diagnostics_channel` is told, and `NODE_DEBUG=ninja-tcp` prints: every channel once, with the type of its
 * messages. The comments are their documentation: `docs/diagnostics.md` is made from them.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { NinjaTcpError, Reason } from './errors.js';
import type { Target } from './target.js';

/** What a message is about: the `Connection`, `Peer` or `Server` itself. */
export interface DiagnosticSource {
  readonly kind: 'connection' | 'peer' | 'server';
  readonly name: string;
}

/** What every message has but those of `ninja-tcp:message`, which come too often. */
export interface Diagnosed {
  /** What it is about. */
  readonly kind: 'connection' | 'peer' | 'server';
  /** Its name. */
  readonly name: string;
  /** Of a peer: its number, from 1. */
  readonly id: number | undefined;
  /** Of a peer: the name of its server. */
  readonly server: string | undefined;
  /** The object itself, so that a subscriber can keep to those it wants. */
  readonly source: DiagnosticSource;
  /** The number of the attempt, from 1; 0 before the first, and for a server. */
  readonly epoch: number;
  /** Wall-clock milliseconds since 1970. */
  readonly at: number;
  /** Monotonic milliseconds: for differences. */
  readonly now: number;
}

/** A state was entered. */
export interface StateChange extends Diagnosed {
  /** The state that was left, as `connected.live`; undefined for the first. */
  readonly from: string | undefined;
  /** The state that was entered. */
  readonly to: string;
  /** The event or the delay: `socket.opened`, `after silence`, `close`. */
  readonly cause: string;
  /** Why the last line was lost, as it is known now. */
  readonly reason: Reason | undefined;
}

/** A line is stale. */
export interface StaleLine extends Diagnosed {
  /** Milliseconds from the last byte to the verdict. */
  readonly silentForMs: number;
  /** Wall-clock milliseconds since 1970 of the last byte. */
  readonly lastHeardAt: number;
}

/** One message of the program. */
export interface MessagePassed {
  /** `'in'`: received, and about to be handed over. `'out'`: written to a socket. */
  readonly direction: 'in' | 'out';
  /** Its length, without header. */
  readonly bytes: number;
  /** The connection or peer. */
  readonly source: DiagnosticSource;
}

/** Messages and bytes of one direction, in all. */
interface Totals {
  readonly messages: number;
  readonly bytes: number;
}

/** The end of a life. */
export interface LifeOver extends Diagnosed {
  /** Why. */
  readonly reason: Reason;
  /** Messages and bytes received in all; undefined for a server. */
  readonly received: Totals | undefined;
  /** Messages and bytes written in all; undefined for a server. */
  readonly sent: Totals | undefined;
}

/** One attempt of a connection: the same object in all its messages. */
export interface ConnectAttempt extends Diagnosed {
  /** Failures in a row and one, from 1. */
  readonly attempt: number;
  /** Where it goes: `{ host, port }` or `{ path }`. */
  endpoint: Readonly<Target> | undefined;
  /** Once it came through: the other side's address. */
  remoteAddress: string | undefined;
  /** Once it came through: the other side's port. */
  remotePort: number | undefined;
  /** Once it is over: milliseconds from its begin. */
  durationMs: number | undefined;
  /** Why it failed, once it did. An attempt that the program gave up has failed, with `NINJA_DISCONNECTED` or `NINJA_DISPOSED`. */
  error: NinjaTcpError | undefined;
}

/** The channels, with what their subscribers are given. */
export interface DiagnosticChannels {
  /** Every state that a connection, a peer or a server enters. */
  'ninja-tcp:state': StateChange;
  /** No byte came for `staleAfter`: a connection or a peer became stale. */
  'ninja-tcp:stale': StaleLine;
  /** A message of the program passed, in either direction; never what is in it. Heartbeats and what `onConnect` says are none. */
  'ninja-tcp:message': MessagePassed;
  /** The end of a connection, a peer or a server. A line that is lost and will be dialled anew is none: see `ninja-tcp:state`. */
  'ninja-tcp:close': LifeOver;
}

/** The tracing channels (`tracingChannel(name)`), with the context object that all their messages share. */
export interface DiagnosticTracingChannels {
  /** One attempt of a connection. `start` and `end` stand around the call that dials; when the attempt is over come `error` if it failed, then `asyncStart` and `asyncEnd`. */
  'ninja-tcp:connect': ConnectAttempt;
}

const named = <Name extends keyof DiagnosticChannels>(name: Name): Channel => channel(name);
const traced = <Name extends keyof DiagnosticTracingChannels, Step extends string>(name: Name, step: Step): Channel =>
  channel(`tracing:${name}:${step}`);

const state = named('ninja-tcp:state');
const stale = named('ninja-tcp:stale');
/** Its `hasSubscribers` is asked for each message: a function around it could be felt. */
export const messageChannel = named('ninja-tcp:message');
const close = named('ninja-tcp:close');
const attempt = {
  start: traced('ninja-tcp:connect', 'start'),
  end: traced('ninja-tcp:connect', 'end'),
  asyncStart: traced('ninja-tcp:connect', 'asyncStart'),
  asyncEnd: traced('ninja-tcp:connect', 'asyncEnd'),
  error: traced('ninja-tcp:connect', 'error'),
};

const debug = debuglog('ninja-tcp');
const debugging = debug.enabled;

/** What a source says of itself, where somebody listens. */
interface Speaker extends DiagnosticSource {
  readonly id?: number;
  /** Of a peer. */
  readonly serverName?: string;
}

type When = Pick<Diagnosed, 'epoch' | 'at' | 'now'>;

function told(source: Speaker, { epoch, at, now }: When): Diagnosed {
  return { kind: source.kind, name: source.name, id: source.id, server: source.serverName, source, epoch, at, now };
}

/** Whether anybody wants to hear of states. */
export function statesAreHeard(): boolean {
  return debugging || state.hasSubscribers || stale.hasSubscribers;
}

export function tellState(
  source: Speaker,
  when: When,
  change: Pick<StateChange, 'from' | 'to' | 'cause' | 'reason'>,
): void {
  const { from, to, cause, reason } = change;
  if (debugging) {
    const why = reason && reason.epoch === when.epoch ? `: ${reason.message}` : '';
    debug('%s: %s → %s (%s)%s', source.name, from ?? 'start', to, cause, why);
  }
  if (state.hasSubscribers) state.publish({ ...told(source, when), from, to, cause, reason } satisfies StateChange);
}

export function tellStale(source: Speaker, when: When, silence: Pick<StaleLine, 'silentForMs' | 'lastHeardAt'>): void {
  if (stale.hasSubscribers) stale.publish({ ...told(source, when), ...silence } satisfies StaleLine);
}

export function tellMessage(source: DiagnosticSource, direction: 'in' | 'out', bytes: number): void {
  messageChannel.publish({ direction, bytes, source } satisfies MessagePassed);
}

/** @param when asked only where somebody listens */
export function tellClose(source: Speaker, when: () => When & Pick<LifeOver, 'reason' | 'received' | 'sent'>): void {
  if (!close.hasSubscribers) return;
  const { reason, received, sent, ...times } = when();
  close.publish({ ...told(source, times), reason, received, sent } satisfies LifeOver);
}

/** Whether anybody wants to hear of attempts. */
export function attemptsAreHeard(): boolean {
  const { start, end, asyncStart, asyncEnd, error } = attempt;
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/** One attempt, told from its begin to its end. */
export class AttemptTrace {
  private readonly context: ConnectAttempt;

  constructor(source: Speaker, when: When, number: number) {
    this.context = {
      ...told(source, when),
      attempt: number,
      endpoint: undefined,
      remoteAddress: undefined,
      remotePort: undefined,
      durationMs: undefined,
      error: undefined,
    };
  }

  /** Runs the call that dials, with the stores of `start` bound. */
  dial<T>(endpoint: Readonly<Target>, call: () => T): T {
    const { context } = this;
    context.endpoint = endpoint;
    try {
      return attempt.start.runStores(context, call) as T;
    } finally {
      attempt.end.publish(context);
    }
  }

  /** It is over. @param now monotonic milliseconds */
  over(now: number, facts: Partial<Pick<ConnectAttempt, 'remoteAddress' | 'remotePort' | 'error'>>): void {
    const { context } = this;
    Object.assign(context, facts);
    context.durationMs = now - context.now;
    if (context.error) attempt.error.publish(context);
    attempt.asyncStart.publish(context);
    attempt.asyncEnd.publish(context);
  }
}
