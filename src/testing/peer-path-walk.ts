import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import type { LinePorts } from '../../machines/line.setup.js';
import { peerMachine } from '../../machines/peer.machine.js';
import { delayFinder, type PathGraph, type PathStep, shortestPaths } from './path-graph.js';
import type { PeerMeans, PeerMove, PeerOrder, PeerPlace, PeerPose, PeerWalkEvent } from './peer-path-move.js';
import { answersEnd, dispose, lineIsGone, nextClient, peerMovesAt, speaks } from './peer-path-moves.js';
import { comesBack, sessionMovesAt } from './peer-path-session-moves.js';

/** What of a server decides which paths its peers can go. */
export interface PeerWalkOptions {
  readonly orders: readonly PeerOrder[];
  readonly goesStale: boolean;
  readonly means: PeerMeans;
  /** The peer has a session. */
  readonly session: boolean;
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
const delayIn = delayFinder(machine);
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
  if (typeof value === 'string') return value;
  return 'connected' in value ? `connected.${value.connected.line}` : `detached.${value.detached}`;
}

function sent(chart: Snapshot, event: PeerWalkEvent): Snapshot {
  // Behind the end nothing is heard any more.
  if (chart.status !== 'active') return chart;
  return transition(machine, chart, realOf(chart, event) as never)[0];
}

function realOf(chart: Snapshot, event: PeerWalkEvent): object {
  if (event.type === 'after') return { ...event, type: delayIn(chart, event.delay) };
  const { epoch } = chart.context;
  if (event.type === 'session.attached') return { ...event, epoch: epoch + 1 };
  return 'epoch' in event ? { ...event, epoch } : event;
}

function isSilence(event: PeerWalkEvent): boolean {
  return event.type === 'after' && event.delay === 'silence';
}

/** The walk of the real statechart: every move of a client and of the program, in every place. */
class PeerWalk implements PathGraph<Node, PeerMove> {
  constructor(private readonly options: PeerWalkOptions) {}

  begin(): Node {
    const times = { drainTimeout: 1, discardTimeout: 1 };
    const input = { ports: hands, times, resumable: this.options.session };
    return { chart: initialTransition(machine, input)[0], pose: 'calm', listens: true };
  }

  moves({ chart, pose, listens }: Node): readonly PeerMove[] {
    const { orders, goesStale, means, session } = this.options;
    const place = peerPlaceOf(chart.value);
    const moves = [...peerMovesAt(place, pose), ...(session ? sessionMovesAt(place, pose) : [])];
    return moves.filter((move) => {
      if (move.comes && !listens) return false;
      if (move.order && !orders.includes(move.order)) return false;
      if (move.order === 'server.close' && !listens) return false;
      if (move.needs && !means[move.needs]) return false;
      return goesStale || (move.pose !== 'late' && !this.eventsOf(move).some(isSilence));
    });
  }

  make({ chart, pose, listens }: Node, move: PeerMove): Node {
    let next = this.eventsOf(move).reduce(sent, chart);
    // Who is away when the server does not accept any more cannot come back.
    const stays = listens && !move.order?.startsWith('server.');
    if (!stays && peerPlaceOf(next.value).startsWith('detached')) next = sent(next, dispose);
    const moved = peerPlaceOf(next.value) !== peerPlaceOf(chart.value);
    return {
      chart: next,
      pose: move.pose ?? (moved ? 'calm' : pose),
      listens: stays,
    };
  }

  private eventsOf({ events, inSession }: PeerMove): readonly PeerWalkEvent[] {
    return (this.options.session ? inSession : undefined) ?? events;
  }

  nameOf({ chart: { value }, pose, listens }: Node): string {
    return JSON.stringify({ place: peerPlaceOf(value), pose, listens });
  }
}

/** What leads on from where a path may have ended. */
const waysOn: Partial<Record<PeerPlace, PeerMove>> = {
  'connected.unproven': speaks,
  'connected.draining': answersEnd,
  stale: lineIsGone,
  'detached.waiting': comesBack,
  'detached.draining': comesBack,
};

/**
 * The shortest paths that make every move in every place; those that begin another one are left out. At the end of each
 * a server that still listens serves another client.
 */
export function walkPeer(options: PeerWalkOptions): PeerStep[][] {
  const graph = new PeerWalk(options);
  return shortestPaths(graph).map((edges) => {
    const made = edges.map(({ move, node }): PeerStep => ({ move, place: peerPlaceOf(node.chart.value) }));
    let { node } = edges.at(-1) as { readonly node: Node };
    for (;;) {
      const move = waysOn[peerPlaceOf(node.chart.value)];
      if (!move) break;
      node = graph.make(node, move);
      made.push({ move, place: peerPlaceOf(node.chart.value) });
    }
    const isOver = made.at(-1)?.place === 'disposed';
    return isOver && node.listens ? [...made, { move: nextClient, place: 'connected.live' }] : made;
  });
}
