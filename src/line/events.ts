import type { Dropped } from '../delivery/outbox.js';
import type { NinjaTcpError } from '../errors.js';
import type { FlightDump } from '../recorder/dump.js';

export interface Warning {
  readonly message: string;
}

/** The events that a connection and a peer have in common, with what their listeners are given. */
export interface FaceEvents {
  /** A whole message. A listener and an iterator exclude each other. */
  message: [message: Buffer];
  /** The first byte came: what an alarm or a dashboard should trust. */
  live: [event: { readonly epoch: number; readonly afterMs: number }];
  /** No byte came for `staleAfter`. */
  stale: [event: { readonly epoch: number; readonly silentForMs: number; readonly lastHeardAt: number }];
  /** Its session goes on over another socket. */
  resumed: [event: Resumed];
  /** Accepted messages that will not be sent. */
  dropped: [event: Dropped];
  /** Nothing is broken, but look at it. */
  warning: [event: Warning];
  /** What led to a failure, where the option `flightRecorder` has `dumpOnFailure: true`. */
  flightDump: [dump: FlightDump];
  /** A listener or hook of the program threw; its line is being closed. Never a loss of the network. */
  error: [error: NinjaTcpError];
}

/** A session has another socket. */
export interface Resumed {
  /** Messages of this side that are written again. */
  readonly replayed: number;
  /** Messages of the other side that came twice and were dropped, ever. */
  readonly deduplicated: number;
  /** Milliseconds from the loss of the old socket. */
  readonly afterMs: number;
}
