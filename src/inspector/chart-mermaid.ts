/** A statechart as Mermaid's `stateDiagram-v2`. */
import type { Plan } from './chart-plan.js';

type Node = Plan['nodes'][number];
type Edge = Plan['edges'][number];

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly words: string;
}

/** Ways that are taken only while the connection is being closed: the short picture leaves them out. */
const CLOSING = new Set(['closing', 'nothingHeld']);

/** @param short without the second part of a parallel state, and without the ways of closing */
export function mermaidOf(plan: Plan, short = false): string {
  const arrows = arrowsOf(plan, short);
  const tops = plan.nodes.filter((node) => node.parent === undefined && node.type !== 'any');
  const names = new Set(tops.map(({ id }) => id));
  return [
    'stateDiagram-v2',
    ...tops.filter(({ initial }) => initial).map(({ id }) => `  [*] --> ${id}`),
    ...tops.flatMap((node) => (childrenOf(plan, node.id).length > 0 ? box(plan, node, arrows, short) : [])),
    ...arrows.filter(({ from }) => names.has(from)).map(({ from, to, words }) => `  ${from} --> ${to} : ${words}`),
    ...tops.filter(({ type }) => type === 'final').map(({ id }) => `  ${id} --> [*]`),
  ].join('\n');
}

const nameOf = (id: string): string => id.replaceAll('.', '_');
const topOf = (id: string): string => id.split('.')[0] as string;
const childrenOf = (plan: Plan, id: string): Node[] => plan.nodes.filter(({ parent }) => parent === id);

/**
 * Mermaid cannot draw an arrow between the insides of two boxes, so such a one goes from box to box, and says which
 * inner state it enters where that is not the first.
 */
function arrowsOf(plan: Plan, short: boolean): Arrow[] {
  const arrows = new Map<string, { from: string; to: string; entered: string; events: Set<string> }>();
  for (const { source, target, event, guard, label } of plan.edges) {
    if (source === target || source === plan.id) continue;
    const within = topOf(source) === topOf(target) && source.includes('.');
    if (short && ((guard && CLOSING.has(guard)) || (event === 'close' && !within))) continue;
    const from = within ? nameOf(source) : topOf(source);
    const to = within ? nameOf(target) : topOf(target);
    const entered = short || within || isFirst(plan, target) ? '' : ` → ${target.split('.').at(-1)}`;
    const key = `${from} ${to} ${entered}`;
    const arrow = arrows.get(key) ?? { from, to, entered, events: new Set() };
    arrow.events.add(wordsOf({ event, guard, label }));
    arrows.set(key, arrow);
  }
  return [...arrows.values()].map(({ from, to, entered, events }) => ({
    from,
    to,
    words: `${[...events].join(', ')}${entered}`,
  }));
}

/** The guard of an event is told where it is about closing only: the picture would be too full. */
function wordsOf({ event, guard, label }: Pick<Edge, 'event' | 'label'> & { guard: string | undefined }): string {
  if (event === 'always') return label === 'always' ? 'at once' : label;
  return guard && CLOSING.has(guard) ? label : event;
}

function isFirst(plan: Plan, target: string): boolean {
  const node = plan.nodes.find(({ id }) => id === target);
  return node?.parent === undefined || (node.initial && !node.parent.includes('.'));
}

/** A state with what is in it. The parts of a parallel state lie side by side; the short picture has the first alone. */
function box(plan: Plan, node: Node, arrows: readonly Arrow[], short: boolean): string[] {
  const parts = node.type === 'parallel' ? childrenOf(plan, node.id) : [node];
  const insides = (short ? parts.slice(0, 1) : parts).map((part) => inside(plan, part, arrows));
  return [
    `  state ${node.id} {`,
    ...insides.flatMap((lines, place) => (place === 0 ? lines : ['    --', ...lines])),
    '  }',
  ];
}

function inside(plan: Plan, node: Node, arrows: readonly Arrow[]): string[] {
  const children = childrenOf(plan, node.id);
  const names = new Set(children.map(({ id }) => nameOf(id)));
  return [
    ...children.map(({ id, label }) => `    state "${label}" as ${nameOf(id)}`),
    ...children.filter(({ initial }) => initial).map(({ id }) => `    [*] --> ${nameOf(id)}`),
    ...arrows.filter(({ from }) => names.has(from)).map(({ from, to, words }) => `    ${from} --> ${to} : ${words}`),
  ];
}
