import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { TestModel } from 'xstate/graph';

/** What a path is made of: something that the world or the program does. */
export interface Named {
  /** For titles: `the cable is pulled`. */
  readonly words: string;
}

/** One move, and the place that it leads to. */
export interface PathStep<Move extends Named, Place extends string> {
  readonly move: Move;
  readonly place: Place;
}

/** Nodes, and the moves between them: a statechart, and how the world around it stands. */
export interface PathGraph<Node, Move extends Named> {
  begin(): Node;
  moves(node: Node): readonly Move[];
  make(node: Node, move: Move): Node;
  /** The same for all that neither the chart nor the moves tell apart; without it a counter would make nodes without end. */
  nameOf(node: Node): string;
}

/** One move of a path through a graph, and the node that it leads to. */
export interface Edge<Node, Move extends Named> {
  readonly move: Move;
  readonly node: Node;
}

interface Step<Move> {
  readonly type: string;
  readonly move: Move;
}

/** The shortest paths that make every move in every node; those that begin another one are left out. */
export function shortestPaths<Node, Move extends Named>(graph: PathGraph<Node, Move>): Edge<Node, Move>[][] {
  const logic = {
    transition: (node: Node, { move }: Step<Move>) => graph.make(node, move),
    getInitialSnapshot: () => graph.begin(),
    getPersistedSnapshot: (node: Node) => node,
  };
  const model = new TestModel(logic as never, {
    events: ((node: Node) => graph.moves(node).map((move) => ({ type: move.words, move }))) as never,
    // The edge by which a node was reached is part of its name: so every edge is gone, not only every node reached.
    serializeState: ((node: Node, step?: Step<Move>, before?: Node) =>
      `${before === undefined ? '' : graph.nameOf(before)} ${step?.type} ${graph.nameOf(node)}`) as never,
    serializeEvent: ((step: Step<Move>) => step.type) as never,
    limit: 100_000,
  });
  const paths = model.getShortestPaths() as unknown as {
    readonly steps: { readonly event: Step<Move>; readonly state: Node }[];
  }[];
  // The first step is the beginning itself.
  return paths.map(({ steps }) => steps.slice(1).map(({ event, state }) => ({ move: event.move, node: state })));
}

/**
 * Finds the real name of a delayed event that a chart waits for: `silence` → `xstate.after.silence.connection.…`. Several
 * states may have a delay of the same name.
 */
export function delayFinder(machine: AnyStateMachine): (chart: AnyMachineSnapshot, delay: string) => string {
  const names = machine.events as readonly string[];
  return (chart, delay) => {
    const found = names.find((type) => type.startsWith(`xstate.after.${delay}.`) && chart.can({ type }));
    if (found === undefined) throw new Error(`${JSON.stringify(chart.value)} does not wait for ${delay}`);
    return found;
  };
}

/** For a person: what happens, and where it leads. */
export function titleOf(steps: readonly PathStep<Named, string>[]): string {
  return `${steps.map(({ move }) => move.words).join(', ')} → ${steps.at(-1)?.place}`;
}
