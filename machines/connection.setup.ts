/** The vocabulary of the connection's statechart: its events, context, actions, guards and delays. The plan itself is in connection.machine.ts. */
import { assign, emit, sendTo, setup, spawnChild, stopChild } from 'xstate';
import type { Reason } from '../src/errors.js';
import {
  blame,
  blameSilence,
  drainLeft,
  freshLine,
  hands,
  inertSocket,
  type LineContext,
  type LinePorts,
  type SocketFact,
  socketId,
} from './line.setup.js';

export interface ConnectionPorts extends LinePorts {
  /** Accepts messages again, after having given up. */
  revive(): void;
  /** Runs the `onConnect` hook, or asks for the session; it answers with `greeting.passed` or `greeting.failed`. */
  greet(epoch: number): void;
  /** Milliseconds to wait after so many failures in a row; false gives up. */
  backoff(failures: number, reason: Reason): number | false;
  /** While it is being closed: there is a session that has to be brought to its end first, over another line. */
  owesSession?(): boolean;
}

/** The numbers that the chart needs, milliseconds unless they count failures. */
export interface ConnectionTimes {
  readonly connectTimeout: number;
  readonly discardTimeout: number;
  readonly drainTimeout: number;
  readonly stableAfter: number;
  readonly maxAttempts: number;
}

export interface ConnectionContext extends LineContext<ConnectionPorts> {
  readonly times: ConnectionTimes;
  /** Whether there is an `onConnect` hook, or a session. */
  readonly greets: boolean;
  /** Failures in a row: they drive the backoff and `maxAttempts`. */
  readonly failures: number;
  /** The last failure cannot be mended by a retry. */
  readonly fatal: boolean;
  /** Milliseconds until the next attempt; undefined where there will be none. */
  readonly retryInMs: number | undefined;
  /** Monotonic milliseconds at which this epoch's socket opened. */
  readonly openedAt: number;
  /** Monotonic milliseconds at which this epoch's line became live; undefined before. */
  readonly liveAt: number | undefined;
}

export interface ConnectionInput {
  readonly ports: ConnectionPorts;
  readonly times: ConnectionTimes;
  readonly greets: boolean;
}

/** Orders are imperative, facts are in the past tense. */
export type ConnectionEvent =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'reconnectNow' }
  | {
      readonly type: 'close';
      /** Messages in the outbox, and those that a session keeps. */
      readonly held: number;
      /** Of these, those that a session keeps. */
      readonly owed?: number;
    }
  | { readonly type: 'dispose' }
  | { readonly type: 'greeting.passed'; readonly epoch: number }
  | {
      readonly type: 'greeting.failed';
      readonly epoch: number;
      readonly reason: Pick<Reason, 'code' | 'message'>;
      readonly fatal: boolean;
    }
  | SocketFact;

/** What the chart announces; `connect()` turns them into the events of the connection. */
export type ConnectionAnnouncement =
  | { readonly type: 'connecting'; readonly epoch: number; readonly attempt: number }
  | { readonly type: 'connected'; readonly epoch: number }
  | { readonly type: 'live'; readonly epoch: number; readonly afterMs: number }
  | { readonly type: 'stale'; readonly epoch: number; readonly silentForMs: number; readonly lastHeardAt: number }
  | {
      readonly type: 'disconnected';
      readonly epoch: number;
      readonly reason: Reason;
      readonly failures: number;
      readonly retryInMs: number | undefined;
    }
  | { readonly type: 'failed'; readonly reason: Reason }
  | { readonly type: 'disposed'; readonly reason: Reason };

export function startContext(input: ConnectionInput): ConnectionContext {
  // What is given may be more than these: settings with keys and passwords in them, which no inspector is to see.
  const { connectTimeout, discardTimeout, drainTimeout, stableAfter, maxAttempts } = input.times;
  return {
    ...freshLine,
    ports: input.ports,
    times: { connectTimeout, discardTimeout, drainTimeout, stableAfter, maxAttempts },
    greets: input.greets,
    failures: 0,
    fatal: false,
    retryInMs: undefined,
    openedAt: 0,
    liveAt: undefined,
  };
}

/** Where no reason was ever noted there was none: the program disposed of it before anything happened. */
function reasonOf(context: ConnectionContext): Reason {
  return context.reason ?? blame({ context }, 'NINJA_DISPOSED', 'disposed before anything happened').reason;
}

/** Failures in a row before this loss: none, where the lost line had been live for `stableAfter`. */
function failuresBefore(context: ConnectionContext): number {
  const { ports, times, liveAt, reason } = context;
  if (liveAt === undefined) return context.failures;
  // The silence that made a line stale was no good time; that of a peer which is silent when idle was.
  const goodUntil = ports.now() - (reason?.code === 'NINJA_STALE' ? ports.silentForMs() : 0);
  return goodUntil - liveAt >= times.stableAfter ? 0 : context.failures;
}

function noteFailure({ context }: { readonly context: ConnectionContext }) {
  const { ports, times } = context;
  const failures = failuresBefore(context) + 1;
  // While it is being closed there is no next attempt, and nobody is asked about one; unless a session is to be ended.
  const owes = context.closing && ports.owesSession?.() === true;
  const left = owes ? drainLeft(context, times.drainTimeout) : 0;
  const over = (context.closing && left === 0) || context.fatal || failures >= times.maxAttempts;
  const wait = over ? false : ports.backoff(failures, reasonOf(context));
  if (wait === false) return { failures, retryInMs: undefined };
  return { failures, retryInMs: context.closing ? Math.min(wait, left) : wait };
}

export const connectionSetup = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
    emitted: {} as ConnectionAnnouncement,
    input: {} as ConnectionInput,
  },
  actors: { socket: inertSocket },
  actions: {
    // --- the socket of this epoch
    countAttempt: assign(({ context }) => ({
      epoch: context.epoch + 1,
      proven: false,
      fatal: false,
      liveAt: undefined,
      retryInMs: undefined,
    })),
    spawnSocket: spawnChild('socket', {
      id: (args) => socketId(args),
      input: ({ context }) => ({ ports: context.ports, epoch: context.epoch }),
    }),
    stopSocket: stopChild((args) => socketId(args)),
    discardSocket: sendTo((args) => socketId(args), { type: 'discard' }),
    refuseOldSocket: assign(({ context }) => ({ refused: context.refused + 1 })),
    noteOpened: assign(({ context }) => ({ openedAt: context.ports.now() })),
    noteProven: assign({ proven: true }),
    noteLive: assign(({ context }) => ({ liveAt: context.ports.now(), proven: true })),

    // --- why
    blameSocket: assign((args) => {
      const { event } = args;
      return event.type === 'socket.closed' || event.type === 'socket.failed'
        ? { ...blame(args, event.code, event.message), fatal: event.fatal === true }
        : {};
    }),
    blameGreeting: assign((args) => {
      const { event } = args;
      if (event.type !== 'greeting.failed') return {};
      return { ...blame(args, event.reason.code, event.reason.message), fatal: event.fatal };
    }),
    blameConnectTimeout: assign((args) =>
      blame(args, 'NINJA_CONNECT_TIMEOUT', `not connected within ${args.context.times.connectTimeout} ms`),
    ),
    blameSilence: assign((args) => blameSilence(args)),
    blameDisconnect: assign((args) => blame(args, 'NINJA_DISCONNECTED', `the program called ${args.event.type}()`)),
    blameClose: assign((args) => blame(args, 'NINJA_DISPOSED', 'the program called close()')),
    blameDispose: assign((args) => blame(args, 'NINJA_DISPOSED', 'the program called dispose()')),
    blameDrainTimeout: assign((args) =>
      blame(args, 'NINJA_DRAIN_TIMEOUT', `not drained within ${args.context.times.drainTimeout} ms`),
    ),

    // --- what next
    noteFailure: assign((args) => noteFailure(args)),
    forgetFailures: assign({ failures: 0, fatal: false }),
    noteNoWait: assign(({ context }) => ({ retryInMs: 0, failures: failuresBefore(context) })),
    noteClosing: assign(({ context }) => (context.closing ? {} : { closing: true, closingAt: context.ports.now() })),

    // --- the hands
    ...hands.actions,
    greet: ({ context }) => context.ports.greet(context.epoch),
    revive: ({ context }) => context.ports.revive(),

    // --- announcements
    announceConnecting: emit(({ context }) => ({
      type: 'connecting',
      epoch: context.epoch,
      attempt: context.failures + 1,
    })),
    announceConnected: emit(({ context }) => ({ type: 'connected', epoch: context.epoch })),
    announceLive: emit(({ context }) => ({
      type: 'live',
      epoch: context.epoch,
      afterMs: context.ports.now() - context.openedAt,
    })),
    announceStale: emit(({ context }) => ({
      type: 'stale',
      epoch: context.epoch,
      silentForMs: context.silentForMs ?? 0,
      lastHeardAt: context.lastHeardAt ?? 0,
    })),
    announceDisconnected: emit(({ context }) => ({
      type: 'disconnected',
      epoch: context.epoch,
      reason: reasonOf(context),
      failures: context.failures,
      retryInMs: context.retryInMs,
    })),
    announceFailed: emit(({ context }) => ({ type: 'failed', reason: reasonOf(context) })),
    announceDisposed: emit(({ context }) => ({ type: 'disposed', reason: reasonOf(context) })),
  },
  guards: {
    fromThisEpoch: ({ context, event }) => 'epoch' in event && event.epoch === context.epoch,
    fromOlderEpoch: ({ context, event }) => 'epoch' in event && event.epoch < context.epoch,
    nothingToGreet: ({ context }) => !context.greets,
    nothingHeld: ({ event }) => event.type === 'close' && event.held === 0,
    nothingOwed: ({ event }) => event.type === 'close' && !event.owed,
    closing: ({ context }) => context.closing,
    closedForGood: ({ context }) => context.closing && context.retryInMs === undefined,
    proven: ({ context }) => context.proven,
    gaveUp: ({ context }) => context.retryInMs === undefined,
    ...hands.guards,
  },
  delays: {
    connectTimeout: ({ context }) => context.times.connectTimeout,
    backoff: ({ context }) => context.retryInMs ?? 0,
    ...hands.delays,
    drainTimeout: ({ context }) => drainLeft(context, context.times.drainTimeout),
    discardTimeout: ({ context }) => context.times.discardTimeout,
  },
});
