/** The elements of a statechart's picture: boxes for states, lines and labels for transitions. */
import { svg } from './dom.js';
import { roundedPath } from './geometry.js';
import type { ChartEdge, ChartNode } from './wire.js';
import { lookOf } from './words.js';

/** What a node holds others in. */
export const holdsOthers = ({ type }: Pick<ChartNode, 'type'>): boolean => type === 'compound' || type === 'parallel';

export function drawNode(node: ChartNode, depth: number): SVGGElement {
  const { x, y, w, h, label, type, description, place, lines } = node;
  const tone = place === undefined ? '' : lookOf(place).tone;
  const group = svg('g', { class: `node ${type} depth-${Math.min(depth, 3)} ${tone}`, 'data-node': node.id });
  const radius = holdsOthers(node) ? 12 : 9;
  group.append(
    svg('title', {}, `${node.id}\n${description}`),
    svg('rect', { class: 'box', x, y, width: w, height: h, rx: radius }),
  );
  if (type === 'final') {
    group.append(svg('rect', { class: 'rim', x: x + 3.5, y: y + 3.5, width: w - 7, height: h - 7, rx: radius - 3 }));
  }
  if (node.initial) {
    // Where a life, or a part of it, begins: a dot at the box.
    group.append(
      svg('circle', { class: 'first', cx: x + w - 12, cy: y + 15, r: 3.5 }, svg('title', {}, 'begins here')),
    );
  }
  const name = svg('text', { class: 'name', x: x + 12, y: y + 16 }, label);
  if (type === 'parallel') name.append(svg('tspan', { class: 'kind', dx: 8 }, 'all at the same time'));
  group.append(
    name,
    ...lines.map((line, index) => svg('text', { class: 'words', x: x + 12, y: y + 33 + 15 * index }, line)),
  );
  return group;
}

export interface EdgeParts {
  readonly line: SVGPathElement;
  readonly label: SVGGElement;
}

/**
 * @param within its label lies in a state that holds others: it has that one's ground
 * @param leaf it leaves a state that holds none: a label inside it is on that one's colour while it is lit
 */
export function drawEdge(edge: ChartEdge, within: boolean, leaf: boolean): EdgeParts {
  const { id, lx, ly, lw, points, label, description } = edge;
  const line = svg('path', { class: 'edge', d: roundedPath(points), 'data-edge': id, 'marker-end': 'url(#arrow)' });
  const kind = edge.delay ? 'label timed' : points.length > 0 ? 'label' : leaf ? 'label inside leaf' : 'label inside';
  const words = svg(
    'g',
    { class: within ? `${kind} within` : kind, 'data-label': id },
    svg('rect', { x: lx - lw / 2, y: ly - 8, width: lw, height: 16, rx: 4 }),
    svg('text', { x: lx, y: ly }, label),
  );
  const more = [description, edge.actions.length > 0 ? `does: ${edge.actions.join(', ')}` : '']
    .filter(Boolean)
    .join('\n');
  if (more) words.append(svg('title', {}, more));
  return { line, label: words };
}

export function arrowHeads(): SVGDefsElement {
  const head = (id: string) =>
    svg(
      'marker',
      {
        id,
        class: id,
        viewBox: '0 0 10 10',
        refX: 8.5,
        refY: 5,
        markerWidth: 9,
        markerHeight: 9,
        orient: 'auto-start-reverse',
        markerUnits: 'userSpaceOnUse',
      },
      svg('path', { d: 'M1 1.500 9 5 1 8.500Z' }),
    );
  return svg('defs', {}, head('arrow'), head('arrow-open'), head('arrow-taken'));
}
