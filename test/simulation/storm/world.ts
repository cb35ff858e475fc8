import { connectionNumbers, lineNumbers } from '../../../src/options.js';

/**
 * Why nobody is served.
 * - `refused`: the process died, its kernel answers for it. Lines end with FIN or RST at once; SYNs are answered with RST.
 * - `dropped`: the same behind a proxy that lost its backend: it opens each connection, and closes it at once.
 * - `silent`: the cable is pulled. Lines end by the rule of silence; SYNs get no answer.
 */
export type Kind = 'refused' | 'dropped' | 'silent';

export interface Outage {
  /** Milliseconds, as all times here. */
  readonly at: number;
  readonly lasts: number;
  readonly kind: Kind;
}

/** A server, its clients, and what happens to them. */
export interface World {
  readonly clients: number;
  /** In order of time; the first begins at 0. */
  readonly outages: readonly Outage[];
  /** Handshakes a second that the server's process can take. */
  readonly perSecond: number;
  /** Of `listen`. */
  readonly backlog: number;
  /** Each client has its own, from … to. */
  readonly roundTrip: readonly [from: number, to: number];
  /** The share of handshakes' packets that are lost. */
  readonly loss: number;
  /** When the kernel sends a SYN again, counted from the first. */
  readonly again: readonly number[];
  readonly connectTimeout: number;
  readonly staleAfter: number;
  readonly stableAfter: number;
  /** Of the server: how long ago a client may have heard it last. */
  readonly heartbeatInterval: number;
}

/** Linux up to 6.4, and with `tcp_syn_linear_timeouts` = 0: each pause is twice as long as the one before. */
export const DOUBLING = [1000, 3000, 7000, 15_000, 31_000];
/** Linux from 6.5 on: four times after 1 s, and only then longer and longer. */
export const LINEAR = [1000, 2000, 3000, 4000, 5000, 7000, 11_000, 19_000];

/** Node's backlog, the library's own times, and a network of a country. */
export const ORDINARY = {
  perSecond: 1000,
  backlog: 511,
  roundTrip: [1, 20],
  loss: 0.01,
  again: DOUBLING,
  connectTimeout: connectionNumbers.connectTimeout.default,
  staleAfter: lineNumbers.staleAfter.default,
  stableAfter: connectionNumbers.stableAfter.default,
  heartbeatInterval: 1000,
} as const satisfies Partial<World>;

/** One outage from 0 on. */
export const outage = (kind: Kind, lasts: number): readonly Outage[] => [{ at: 0, lasts, kind }];
