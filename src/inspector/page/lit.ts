/** Which parts of a statechart are lit. */
import type { Chart, ChartEdge, ChartNode } from './wire.js';

/**
 * The nodes that a place lights: those that stand for it, what they lie in, and in a parallel state the first node of
 * each other region.
 *
 * @param place `connected.live`, `stale`
 */
export function litNodes(chart: Chart, place: string): ReadonlySet<string> {
  const lit = new Set<string>();
  const byId = new Map(chart.nodes.map((node) => [node.id, node]));
  const own = chart.nodes.filter((node) => node.place === place);
  const state = place.split('.')[0];
  for (const node of own.length > 0 ? own : chart.nodes.filter((one) => one.place === state)) light(node);
  for (const node of chart.nodes) {
    if (node.type !== 'parallel' || !lit.has(node.id)) continue;
    for (const region of childrenOf(chart, node.id)) if (!lit.has(region.id)) enter(region);
  }
  return lit;

  function light(node: ChartNode | undefined): void {
    for (let one = node; one; one = one.parent === undefined ? undefined : byId.get(one.parent)) lit.add(one.id);
  }

  function enter(node: ChartNode): void {
    lit.add(node.id);
    const first = childrenOf(chart, node.id).find((child) => child.initial);
    if (first) enter(first);
  }
}

function childrenOf(chart: Chart, id: string): ChartNode[] {
  return chart.nodes.filter((node) => node.parent === id);
}

/** The edges that leave what is lit: what can happen now. */
export function openEdges(chart: Chart, lit: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(chart.edges.filter((edge) => lit.has(edge.source)).map((edge) => edge.id));
}

/**
 * The edge at which a timer is shown: one of its delay that leaves what is lit; rather one that leads elsewhere than
 * back to where it came from.
 */
export function edgeOfTimer(chart: Chart, lit: ReadonlySet<string>, delay: string): ChartEdge | undefined {
  const own = chart.edges.filter((edge) => edge.delay === delay && lit.has(edge.source));
  return own.find((edge) => edge.source !== edge.target) ?? own[0];
}
