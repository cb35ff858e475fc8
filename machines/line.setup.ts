/** What a connection's and a peer's statechart have in common: one line, its socket, its heartbeat. */
import { fromCallback } from 'xstate';
import type { ErrorCode, Reason } from '../src/errors.js';

/**
 * The hands of a line's statechart: it decides when, these do it. One object per line, held in context beside plain
 * values; `toJSON` keeps it out of snapshots.
 */
export interface LinePorts {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number;
  /** Begins an attempt; the socket reports facts that carry `epoch`. */
  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle;
  /** Messages may pass: flushes what was held. */
  openGate(): void;
  /** Messages may not pass; what was written on this line and not answered is now unknown. */
  shutGate(): void;
  /** Accepts no more, flushes what was accepted, then sends a FIN. */
  drain(): void;
  /** What is held will not be sent, and nothing more is accepted: all settles as not sent. */
  settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void;
  /** Begins a silence window; where we had been suspended, asks with a heartbeat first. */
  armSilence(): void;
  /** The window's length, milliseconds. A chart that starts in a watched state asks before its entry action has armed. */
  silenceDelay(): number;
  /** Whether a byte came in time (or we were not able to hear). */
  heardInTime(): boolean;
  /** Milliseconds since the last byte. */
  silentForMs(): number;
  /** A state was entered, by this cause: for the history. */
  entered(state: string, cause: string, standing: Standing): void;
  toJSON(): undefined;
}

/** What of a context tells how a line stands. */
export interface Standing {
  /** The number of the attempt, from 1; 0 before the first. Never reset. */
  readonly epoch: number;
  /** Why the last line was lost, or this life ended. */
  readonly reason: Reason | undefined;
  /** Failures in a row; a peer has none. */
  readonly failures?: number;
  /** Milliseconds until the next attempt; undefined where there will be none. */
  readonly retryInMs?: number | undefined;
  /** Wall-clock milliseconds of the last byte before a stale verdict. */
  readonly lastHeardAt?: number | undefined;
  /** Milliseconds without a byte at the last stale verdict. */
  readonly silentForMs?: number | undefined;
}

/** How a statechart gets rid of a socket. */
export interface SocketHandle {
  /** Throws it away, and hears when it is gone. */
  discard(): void;
  /** Throws it away, and hears nothing more. */
  destroy(): void;
}

/** What a socket says. Every fact carries the number of the attempt it belongs to. */
export type SocketFact =
  | { readonly type: 'socket.opened'; readonly epoch: number }
  | { readonly type: 'socket.heard'; readonly epoch: number }
  | SocketEnd<'socket.closed'>
  | SocketEnd<'socket.failed'>;

interface SocketEnd<Type extends string> {
  readonly type: Type;
  readonly epoch: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** No retry can mend it. */
  readonly fatal?: boolean;
}

/** What a socket is told. */
export interface SocketOrder {
  readonly type: 'discard';
}

export interface SocketInput {
  readonly ports: Pick<LinePorts, 'openSocket'>;
  readonly epoch: number;
}

/** Stands for the socket actor where there is no network: does nothing. `connect()` and `listen()` put the real one in. */
export const inertSocket = fromCallback<SocketOrder, SocketInput>(() => {});

/** The one object of each line that every actor of it shares, and the numbers it needs. */
export interface LineContext<Ports extends LinePorts> extends Standing {
  readonly ports: Ports;
  /** Whether a byte came on this epoch's socket. */
  readonly proven: boolean;
  /** `close()` was called: drain, then dispose. */
  readonly closing: boolean;
  /** Monotonic milliseconds of the call to `close()`. */
  readonly closingAt: number;
  /** Facts of older epochs that were refused. */
  readonly refused: number;
}

/** The context of a line before its first attempt. */
export const freshLine = {
  epoch: 0,
  proven: false,
  closing: false,
  closingAt: 0,
  reason: undefined,
  lastHeardAt: undefined,
  silentForMs: undefined,
  refused: 0,
} as const;

type Line = LineContext<LinePorts>;
type Args = { readonly context: Line };

/** Actions, guard and delay that only use the hands: the same in both charts. */
export const hands = {
  actions: {
    openGate: ({ context }: Args) => context.ports.openGate(),
    shutGate: ({ context }: Args) => context.ports.shutGate(),
    drain: ({ context }: Args) => context.ports.drain(),
    settleHeld: ({ context }: Args, params: { code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED' }) =>
      context.ports.settleHeld(params.code, context.reason),
    armSilence: ({ context }: Args) => context.ports.armSilence(),
    remember: ({ context, event }: Args & { readonly event: { readonly type: string } }, params: { state: string }) =>
      context.ports.entered(params.state, causeOf(event.type), context),
  },
  guards: {
    // The only guard that asks the ports; walks of the charts override this one.
    heardInTime: ({ context }: Args) => context.ports.heardInTime(),
  },
  delays: {
    silence: ({ context }: Args) => context.ports.silenceDelay(),
  },
} as const;

/** A reason that belongs to this moment. */
export function blame({ context }: Args, code: ErrorCode, message: string): { reason: Reason } {
  return { reason: { code, message, at: context.ports.wallNow(), epoch: context.epoch } };
}

/** The verdict of silence, as plain values. */
export function blameSilence(args: Args) {
  const { ports } = args.context;
  const silentForMs = ports.silentForMs();
  return {
    ...blame(args, 'NINJA_STALE', `no byte for ${Math.round(silentForMs)} ms`),
    silentForMs,
    lastHeardAt: ports.wallNow() - silentForMs,
  };
}

/** What is left of `drainTimeout`, which counts from `close()`, milliseconds. */
export function drainLeft(context: Line, drainTimeout: number): number {
  return Math.max(0, context.closingAt + drainTimeout - context.ports.now());
}

/** The id of the epoch's socket among its statechart's children. */
export function socketId({ context }: Args): string {
  return `socket-${context.epoch}`;
}

/** An event's type as people read it: `after silence`, `close`. */
export function causeOf(type: string): string {
  const delayed = /^xstate\.after\.([^.]+)\./.exec(type);
  if (delayed) return `after ${delayed[1]}`;
  return type.startsWith('xstate.') ? 'start' : type;
}
