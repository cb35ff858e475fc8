import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import type { LinePorts } from '../../machines/line.setup.js';
import { peerMachine } from '../../machines/peer.machine.js';
import { delayedEvents, type PathGraph, type PathStep, shortestPaths } from './path-graph.js';
import {
  answersEnd,
  lineIsGone,
  nextClient,
  type PeerMeans,
  type PeerMove,
  type PeerOrder,
  type PeerPlace,
  type PeerPose,
  type PeerWalkEvent,
  peerMovesAt,
} from './peer-path-moves.js';

/** What of a server decides which paths its peers can go. */
export interface PeerWalkOptions {
  readonly orders: readonly PeerOrder[];
  readonly goesStale: boolean;
  readonly means: PeerMeans;
}

/** One move, and the place that it leads to. */
export type PeerStep = PathStep<PeerMove, PeerPlace>;

type Snapshot = SnapshotFrom<typeof peerMachine>;

/** A node of the graph: the chart's own snapshot, and how the world stands. */
interface Node {
  readonly chart: Snapshot;
  readonly pose: PeerPose;
  /** The server accepts. */
  readonly listens: boolean;
}

// Only the guard that asks the ports is overridden: the event itself says whether a byte came in time.
const machine = peerMachine.provide({
  guards: { heardInTime: ({ event }) => (event as { readonly heard?: boolean }).heard === true },
});
const delayed = delayedEvents(machine);
const nothing = (): void => {};

/** Hands that do nothing. */
const hands: LinePorts = {
  now: () => 0,
  wallNow: () => 0,
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
  toJSON: () => undefined,
};

function peerPlaceOf(value: Snapshot['value']): PeerPlace {
  return typeof value === 'string' ? value : `connected.${value.connected.line}`;
}

function sent(chart: Snapshot, event: PeerWalkEvent): Snapshot {
  // Behind the end nothing is heard any more.
  if (chart.status !== 'active') return chart;
  const real = event.type === 'after' ? { ...event, type: delayed.get(event.delay) } : event;
  return transition(machine, chart, real as never)[0];
}

function isSilence(event: PeerWalkEvent): boolean {
  return event.type === 'after' && event.delay === 'silence';
}

/** The walk of the real statechart: every move of a client and of the program, in every place. */
class PeerWalk implements PathGraph<Node, PeerMove> {
  constructor(private readonly options: PeerWalkOptions) {}

  begin(): Node {
    const times = { drainTimeout: 1, discardTimeout: 1 };
    return { chart: initialTransition(machine, { ports: hands, times })[0], pose: 'calm', listens: true };
  }

  moves({ chart, pose, listens }: Node): readonly PeerMove[] {
    const { orders, goesStale, means } = this.options;
    return peerMovesAt(peerPlaceOf(chart.value), pose).filter((move) => {
      if (move.order && !orders.includes(move.order)) return false;
      if (move.order === 'server.close' && !listens) return false;
      if (move.needs && !means[move.needs]) return false;
      return goesStale || (move.pose !== 'late' && !move.events.some(isSilence));
    });
  }

  make({ chart, pose, listens }: Node, move: PeerMove): Node {
    const next = move.events.reduce(sent, chart);
    const moved = peerPlaceOf(next.value) !== peerPlaceOf(chart.value);
    return {
      chart: next,
      pose: move.pose ?? (moved ? 'calm' : pose),
      listens: listens && !move.order?.startsWith('server.'),
    };
  }

  nameOf({ chart: { value }, pose, listens }: Node): string {
    return JSON.stringify({ place: peerPlaceOf(value), pose, listens });
  }
}

/**
 * The shortest paths that make every move in every place; those that begin another one are left out. At the end of each
 * a server that still listens serves another client.
 */
export function walkPeer(options: PeerWalkOptions): PeerStep[][] {
  const graph = new PeerWalk(options);
  return shortestPaths(graph).map((edges) => {
    const made = edges.map(({ move, node }): PeerStep => ({ move, place: peerPlaceOf(node.chart.value) }));
    let { node } = edges.at(-1) as { readonly node: Node };
    const place = peerPlaceOf(node.chart.value);
    const last = place === 'stale' ? lineIsGone : place === 'connected.draining' ? answersEnd : undefined;
    if (last) {
      node = graph.make(node, last);
      made.push({ move: last, place: peerPlaceOf(node.chart.value) });
    }
    const isOver = made.at(-1)?.place === 'disposed';
    return isOver && node.listens ? [...made, { move: nextClient, place: 'connected.live' }] : made;
  });
}
