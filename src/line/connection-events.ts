/** What a connection tells, and when. */
import type { Loss } from '../delivery/ledger.js';
import type { NinjaTcpError, Reason } from '../errors.js';
import type { FaceEvents } from './events.js';
import type { WaitOptions } from './face.js';
import type { SessionLost } from './session-host.js';

export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'stale' | 'disposed';

/** A line was lost, or an attempt failed. */
export interface Disconnected extends Loss {
  readonly epoch: number;
  readonly reason: Reason;
  /** The error behind the reason, with its `cause`. */
  readonly error: NinjaTcpError;
  /** Failures in a row. */
  readonly failures: number;
  /** Milliseconds until the next attempt; undefined where there will be none. */
  readonly retryInMs: number | undefined;
}

export interface Disposed extends Loss {
  readonly reason: Reason;
}

/** The events of a connection, with what their listeners are given. */
export interface ConnectionEvents extends FaceEvents {
  /** An attempt begins. `attempt` counts failures in a row, from 1; `epoch` counts all attempts. */
  connecting: [event: { readonly epoch: number; readonly attempt: number }];
  /** TCP is open and the greeting passed; whether anybody listens there is not proven yet: see `live`. */
  connected: [event: { readonly epoch: number }];
  disconnected: [event: Disconnected];
  /** It gave up: no more attempts until `connect()`. */
  failed: [event: { readonly reason: Reason; readonly error: NinjaTcpError }];
  /** Another server, or the same one without memory of it: the session is over, and these messages were not handled. */
  sessionLost: [event: SessionLost];
  /** The end. */
  disposed: [event: Disposed];
}

export interface ConnectedOptions extends WaitOptions {
  /** Wait for the first byte too. Default false. */
  readonly proven?: boolean | undefined;
}
