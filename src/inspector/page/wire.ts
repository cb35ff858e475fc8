/** What the inspector's server and its page say to each other: JSON, all times in wall-clock milliseconds since 1970. */
import type { Reason } from '../../errors.js';
import type { ConnectionSnapshot, PeerSnapshot, ServerSnapshot } from '../../snapshot.js';

export type Kind = 'connection' | 'peer' | 'server';

export type Snapshot = ConnectionSnapshot | PeerSnapshot | ServerSnapshot;

/** One line of the list. Rates are per second. */
export interface Row {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** The id of a peer's server. */
  readonly parent?: string;
  readonly state: string;
  readonly substate?: string;
  readonly since: number;
  readonly reason?: { readonly code: string; readonly message: string; readonly at: number };
  readonly rx: number;
  readonly tx: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** A statechart with its layout; coordinates are absolute, in pixels. */
export interface Chart {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly ChartEdge[];
}

export interface ChartNode {
  readonly id: string;
  readonly label: string;
  readonly parent?: string;
  /** `any` is no state: the transitions that every state has leave from it. */
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'transient' | 'any';
  readonly description: string;
  /** The description in lines that fit into the box, from `y` + 36 on, 15 px each. */
  readonly lines: readonly string[];
  readonly initial: boolean;
  /** The state it stands for, as snapshots say it: `connected.live`. */
  readonly place?: string;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface ChartEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly event: string;
  /** With its guard: `close [nothingHeld]`. */
  readonly label: string;
  readonly guard?: string;
  /** The delay that takes it, as `snapshot.timers` calls it. */
  readonly delay?: string;
  readonly actions: readonly string[];
  readonly description?: string;
  /** Empty where nothing is left and entered: the label stands inside the box then. */
  readonly points: readonly (readonly [number, number])[];
  /** The middle of its label. */
  readonly lx: number;
  readonly ly: number;
  /** How wide the label is; it is 16 px high. */
  readonly lw: number;
}

/** One step of a life, as `history` tells it. */
export interface Passed {
  readonly at: number;
  readonly epoch?: number;
  readonly from?: string | undefined;
  readonly to: string;
  readonly cause: string;
  readonly reason?: Reason | undefined;
}

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
  /** These are all there are; else only what changed. */
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
  readonly history: readonly Passed[];
  /** That of its session's statechart, where it has one. */
  readonly sessionHistory?: readonly Passed[] | undefined;
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

export interface Gone {
  readonly type: 'gone';
  readonly id: string;
}

export type Message = Hello | Rows | Detail | Step | Gone;

export type Order = 'connect' | 'disconnect' | 'reconnectNow' | 'close' | 'dispose';

/** `connected.live`, or `stale` where there is no substate. */
export function placeOf({
  state,
  substate,
}: {
  readonly state: string;
  readonly substate?: string | undefined;
}): string {
  return substate ? `${state}.${substate}` : state;
}
