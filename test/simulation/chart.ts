/** The legal steps of a history, generated from a statechart's own configuration: guards are left open. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { causeOf } from '../../machines/line.setup.js';

interface Edge {
  readonly target: readonly AnyStateNode[] | undefined;
  readonly guarded: boolean;
}

/** The name under which a state enters the history, if it does. */
function remembered(node: AnyStateNode): string | undefined {
  for (const action of node.entry) {
    if (typeof action === 'object' && action.type === 'remember') return (action.params as { state: string }).state;
  }
  return undefined;
}

const edgesOf = (list: readonly { target: readonly AnyStateNode[] | undefined; guard?: unknown }[]): Edge[] =>
  list.map(({ target, guard }) => ({ target, guarded: guard !== undefined }));

/** A state and those around it; of a region only what lies within it, since the rest is looked at for its neighbour. */
function chainOf(node: AnyStateNode, within = false): AnyStateNode[] {
  const { parent } = node;
  return parent && !(within && parent.type === 'parallel') ? [node, ...chainOf(parent, within)] : [node];
}

function leavesOf(node: AnyStateNode): AnyStateNode[] {
  if (node.type === 'parallel') return Object.values(node.states).flatMap(leavesOf);
  if (node.type !== 'compound') return [node];
  return node.initial.target.flatMap(leavesOf);
}

/** The leaves of the other regions that are active beside a leaf. */
function besides(leaf: AnyStateNode): AnyStateNode[] {
  return chainOf(leaf).flatMap((node) =>
    node.parent?.type === 'parallel'
      ? Object.values(node.parent.states).flatMap((other) =>
          other === node ? [] : Object.values(other.states).flatMap(leavesOf),
        )
      : [],
  );
}

/** `from > to by cause`, all that a history may contain. */
export function legalSteps(machine: AnyStateMachine): ReadonlySet<string> {
  const legal = new Set<string>();
  const seen = new Set<string>();
  const nodes: AnyStateNode[] = [];
  const collect = (node: AnyStateNode): void => {
    nodes.push(node);
    for (const child of Object.values(node.states)) collect(child);
  };
  collect(machine.root);

  /** Enters a state, and passes on through what is passed at once. */
  const enter = (node: AnyStateNode, from: string | undefined, cause: string): void => {
    for (const leaf of leavesOf(node)) {
      const name = remembered(leaf);
      const own = name ?? remembered(node);
      const key = `${leaf.id} ${from} ${cause}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (own !== undefined && (name !== undefined || leaf === node)) legal.add(`${from} > ${own} by ${cause}`);
      for (const { target } of edgesOf(leaf.always ?? [])) {
        for (const next of target ?? []) enter(next, name ?? from, cause);
      }
    }
  };

  enter(machine.root, undefined, 'start');
  for (const leaf of nodes) {
    const from = remembered(leaf);
    if (from === undefined || leaf.type === 'final') continue;
    const closed = new Set<string>();
    for (const node of [...besides(leaf).flatMap((other) => chainOf(other, true)), ...chainOf(leaf)]) {
      for (const [descriptor, list] of node.transitions) {
        if (closed.has(descriptor)) continue;
        const edges = edgesOf(list);
        for (const { target } of edges) for (const next of target ?? []) enter(next, from, causeOf(descriptor));
        if (edges.some(({ guarded }) => !guarded)) closed.add(descriptor);
      }
    }
  }
  return legal;
}
