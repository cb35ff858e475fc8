/** What those who watch a line are told: each status once, when its state is entered. Plain values. */
import type { Reason } from '../errors.js';

interface StatusBase {
  /** Wall-clock milliseconds since 1970 at which the state was entered. */
  readonly at: number;
  /** The number of the present or last attempt; of a peer, that of its socket: 1, unless a session has gone on over others. */
  readonly epoch: number;
  /** The event or the delay that led here: `socket.opened`, `after silence`, `close`. */
  readonly cause: string;
  /** Why the last line was lost, or this life ended; undefined while none was. */
  readonly reason: Reason | undefined;
}

interface Up extends StatusBase {
  readonly state: 'connected';
  readonly substate: 'unproven' | 'live' | 'draining';
}

interface Stale extends StatusBase {
  readonly state: 'stale';
  readonly substate: undefined;
}

interface Detached extends StatusBase {
  readonly state: 'detached';
  readonly substate: 'waiting' | 'draining';
}

interface Over extends StatusBase {
  readonly state: 'disposed';
  readonly substate: undefined;
}

/** One status of a connection; `state` and `substate` tell which. */
export type ConnectionStatus =
  | (StatusBase & { readonly state: 'disconnected'; readonly substate: 'idle' | 'failed' })
  | (StatusBase & {
      readonly state: 'disconnected';
      readonly substate: 'waiting';
      /** Failures in a row. */
      readonly failures: number;
      /** Wall-clock milliseconds since 1970. */
      readonly nextAttemptAt: number;
    })
  | (StatusBase & {
      readonly state: 'connecting';
      readonly substate: 'dialing' | 'greeting';
      /** Failures in a row and one, from 1. */
      readonly attempt: number;
    })
  | Up
  | Stale
  | Over;

/** One status of a peer. */
export type PeerStatus = Up | Stale | Detached | Over;

/** One status of a server. */
export interface ServerStatus {
  readonly state: 'closed' | 'binding' | 'listening' | 'paused' | 'draining' | 'disposed';
  /** Wall-clock milliseconds since 1970 at which the state was entered. */
  readonly at: number;
  /** The event or the delay that led here. */
  readonly cause: string;
  readonly reason: Reason | undefined;
}
