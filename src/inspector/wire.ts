/** What the inspector's server and its page say to each other: JSON, all times in wall-clock milliseconds since 1970. */
import type { Reason } from '../errors.js';
import type { Transition } from '../line/history.js';
import type { ConnectionSnapshot, PeerSnapshot, ServerSnapshot } from '../snapshot.js';
import type { Chart } from './chart.js';

export type Kind = 'connection' | 'peer' | 'server';

export type Snapshot = ConnectionSnapshot | PeerSnapshot | ServerSnapshot;

/** One line of the list. Rates are per second; those of a server are the sums of its peers. */
export interface Row {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** The id of a peer's server. */
  readonly parent?: string;
  readonly state: string;
  readonly substate?: string;
  readonly since: number;
  readonly reason?: Pick<Reason, 'code' | 'message' | 'at'>;
  readonly rx: number;
  readonly tx: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** The first of a feed. */
export interface Hello {
  readonly type: 'hello';
  /** The feed's name: `POST /watch` wants it. */
  readonly feed: string;
  readonly version: string;
  readonly pid: number;
  readonly title: string;
  readonly now: number;
  readonly allowControl: boolean;
  readonly charts: Readonly<Record<Kind | 'session', Chart>>;
}

export interface Rows {
  readonly type: 'rows';
  readonly now: number;
  /** These are all there are; else only those that changed. */
  readonly all: boolean;
  readonly rows: readonly Row[];
  readonly gone: readonly string[];
}

/** All that is known of the watched one. */
export interface Detail {
  readonly type: 'detail';
  readonly now: number;
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly explain: string;
  readonly history: readonly Transition[];
  /** That of its session's statechart, where it has one, from when that was first asked for. */
  readonly sessionHistory?: readonly Transition[] | undefined;
}

/** One microstep of the watched one's statechart, or of its session's. */
export interface Step {
  readonly type: 'step';
  readonly id: string;
  /** Absent where it is its own. */
  readonly chart?: 'session';
  readonly at: number;
  readonly event: { readonly type: string; readonly data: unknown };
  readonly from: string;
  readonly to: string;
  /** The ids of the edges that were taken. */
  readonly taken: readonly string[];
}

/** The watched one is no more. */
export interface Gone {
  readonly type: 'gone';
  readonly id: string;
}

export type Message = Hello | Rows | Detail | Step | Gone;

export type Order = 'connect' | 'disconnect' | 'reconnectNow' | 'close' | 'dispose';
