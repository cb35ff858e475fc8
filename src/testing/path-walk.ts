import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import type { ConnectionInput, ConnectionPorts } from '../../machines/connection.setup.js';
import { delayFinder, type PathGraph, type PathStep, shortestPaths } from './path-graph.js';
import {
  type Bond,
  type ConnectionPlace,
  healing,
  isGone,
  isOff,
  type Move,
  movesAt,
  type PathOrder,
  type PathSession,
  type Pose,
  type WalkEvent,
} from './path-moves.js';

/** What of a program decides which paths its connection can go. */
export interface WalkOptions {
  readonly orders: readonly PathOrder[];
  readonly greets: boolean;
  readonly goesStale: boolean;
  readonly maxAttempts: number;
  readonly sends: boolean;
  /** What a program with a session does when it is lost. */
  readonly session: 'fail' | 'new' | undefined;
}

/** One move, and the place that it leads to. */
export type WalkStep = PathStep<Move, ConnectionPlace>;

type Snapshot = SnapshotFrom<typeof connectionMachine>;

/** A node of the graph: the chart's own snapshot, and how the world stands. */
interface Node {
  readonly chart: Snapshot;
  readonly pose: Pose;
  readonly now: number;
  readonly bond: Bond;
}

// Only the guard that asks the ports is overridden: the event itself says whether a byte came in time.
const machine = connectionMachine.provide({
  guards: { heardInTime: ({ event }) => (event as { readonly heard?: boolean }).heard === true },
});

const delayIn = delayFinder(machine);

/** Hands that do nothing: a walk asks them for the time, for the wait before the next attempt, and for the session. */
function handsAt(time: { now: number; session: PathSession }): ConnectionPorts {
  const nothing = (): void => {};
  return {
    now: () => time.now,
    wallNow: () => time.now,
    openSocket: () => ({ discard: nothing, destroy: nothing }),
    openGate: nothing,
    shutGate: nothing,
    drain: nothing,
    settleHeld: nothing,
    armSilence: nothing,
    silenceDelay: () => 1,
    heardInTime: () => false,
    silentForMs: () => 0,
    entered: nothing,
    revive: nothing,
    greet: nothing,
    backoff: () => 1,
    owesSession: () => time.session !== 'none',
    toJSON: () => undefined,
  };
}

function placeOf(value: Snapshot['value']): ConnectionPlace {
  if (typeof value === 'string') return value as ConnectionPlace;
  const [outer, inner] = Object.entries(value)[0] as [string, string | { readonly line: string }];
  return `${outer}.${typeof inner === 'string' ? inner : inner.line}` as ConnectionPlace;
}

function sent(chart: Snapshot, event: WalkEvent): Snapshot {
  const real = event.type === 'after' ? { ...event, type: delayIn(chart, event.delay) } : event;
  return transition(machine, chart, real as never)[0];
}

/** The walk of the real statechart: every move of the world and of the program, in every place. */
class Walk implements PathGraph<Node, Move> {
  private readonly time = { now: 0, session: 'none' as PathSession };

  constructor(private readonly options: WalkOptions) {}

  begin(): Node {
    const { greets, maxAttempts, session } = this.options;
    const input: ConnectionInput = {
      ports: handsAt(this.time),
      times: { connectTimeout: 1, discardTimeout: 1, drainTimeout: 1, stableAfter: 1, maxAttempts },
      greets: greets || session !== undefined,
    };
    const chart = sent(initialTransition(machine, input)[0], { type: 'connect' });
    return { chart, pose: 'calm', now: 0, bond: { session: 'none', holds: false, onSessionLost: session ?? 'fail' } };
  }

  moves({ chart, pose, bond }: Node): readonly Move[] {
    const { orders, goesStale, sends } = this.options;
    return movesAt(placeOf(chart.value), pose, chart.context.closing, bond).filter((move) => {
      if (move.order && !orders.includes(move.order)) return false;
      if (move.sends && !sends) return false;
      return goesStale || (move.pose !== 'late' && !move.events(chart.context, bond).some(isSilence));
    });
  }

  make({ chart, pose, now, bond }: Node, move: Move): Node {
    const events = move.events(chart.context, bond);
    let session = this.sessionAfter(bond, move);
    Object.assign(this.time, { now: now + (move.lasts ? 2 : 0), session });
    const next = events.reduce(sent, chart);
    const place = placeOf(next.value);
    // Who gives up gives the session up.
    if (place === 'disconnected.failed') session = 'none';
    const moved = place !== placeOf(chart.value);
    return {
      chart: next,
      pose: move.pose ?? (moved ? 'calm' : pose),
      now: this.time.now,
      bond: { ...bond, session, holds: this.hasSession && (bond.holds || move.sends === true) },
    };
  }

  private get hasSession(): boolean {
    return this.options.session !== undefined;
  }

  private sessionAfter({ session }: Bond, move: Move): PathSession {
    return this.hasSession && move.session ? move.session(session) : session;
  }

  nameOf({ chart: { value, context }, pose, now, bond }: Node): string {
    const { maxAttempts } = this.options;
    const failures = maxAttempts === Number.POSITIVE_INFINITY ? 0 : context.failures;
    const isGood = failures > 0 && context.liveAt !== undefined && now - context.liveAt >= 1;
    return JSON.stringify({ place: placeOf(value), closing: context.closing, failures, isGood, pose, bond });
  }
}

function isSilence(event: WalkEvent): boolean {
  return event.type === 'after' && event.delay === 'silence';
}

/**
 * The shortest paths that make every move in every place; those that begin another one are left out. At the end of each
 * all heals: it ends in `connected.live` or in `disposed`.
 */
export function walk(options: WalkOptions): WalkStep[][] {
  const graph = new Walk(options);
  return shortestPaths(graph).map((edges) => {
    const made = edges.map(({ move, node }) => ({ move, place: placeOf(node.chart.value) }));
    let { node } = edges.at(-1) as { readonly node: Node };
    if (node.chart.value === 'stale') {
      node = graph.make(node, isGone);
      made.push({ move: isGone, place: placeOf(node.chart.value) });
    }
    const { chart, bond } = node;
    let place = placeOf(chart.value);
    if (place === 'disposed' || place === 'connected.live') return made;
    const isOver = (): boolean => isOff(place) && !options.orders.includes('connect');
    if (isOver()) return made;
    if (chart.context.closing) return [...made, { move: healing(place), place: 'disposed' }];
    if (bond.session === 'forgotten' && bond.onSessionLost === 'fail') {
      made.push({ move: healing(place), place: 'disconnected.failed' });
      place = 'disconnected.failed';
    }
    return isOver() ? made : [...made, { move: healing(place), place: 'connected.live' }];
  });
}
