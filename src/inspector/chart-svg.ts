/** A statechart as an SVG that stands by itself: nothing is loaded, and it is for light and dark. */
import type { Chart, Edge, Node } from './chart.js';

type Point = Edge['points'][number];

const STYLE = `
svg{--paper:#fff;--ink:#1b2330;--soft:#566173;--line:#7f8b9b;--box:#fff;--shade:#f1f4f8;--border:#bcc5d1;--delay:#a34c00;--free:#6a3fb5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media (prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e8edf4;--soft:#9aa7b8;--line:#76859a;--box:#1c2532;--shade:#141b25;--border:#3d4a5c;--delay:#f0a860;--free:#c4a9f7}}
.paper{fill:var(--paper)}
.box{fill:var(--box);stroke:var(--border);stroke-width:1.25}
.outer{fill:var(--shade)}
.region{fill:none;stroke-dasharray:6 4}
.transient,.any{stroke-dasharray:2 3}
.inner{fill:none;stroke:var(--border)}
.name{fill:var(--ink);font-size:14px;font-weight:600}
.any-name{font-style:italic}
.words{fill:var(--soft);font-size:11.5px}
.name,.words{paint-order:stroke;stroke:var(--box);stroke-width:4px;stroke-linejoin:round}
.on-shade .name,.on-shade .words{stroke:var(--shade)}
.way,.begin{fill:none;stroke:var(--line);stroke-width:1.4}
.head{fill:var(--line)}
.way.delay{stroke:var(--delay);stroke-dasharray:6 3}
.head.delay,.label.delay{fill:var(--delay)}
.way.free{stroke:var(--free)}
.head.free,.label.free{fill:var(--free)}
.start{fill:var(--line)}
.pill{fill:var(--paper)}
.label{fill:var(--ink);font-size:12px;text-anchor:middle}
.stays{fill:var(--ink);font-size:12px;text-anchor:middle}`;

/** The whole file. Its `title` and `desc` tell those who do not see it what is in it. */
export function svgOf(chart: Chart): string {
  const { width, height, nodes, edges } = chart;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(`The statechart of a ${chart.id}`)}</title>`,
    `<desc id="desc">${escaped(wordsOf(chart))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...nodes.map((node) => boxOf(node, nodes)),
    // Each way once, however many transitions share it.
    ...waysOf(edges).map(wayOf),
    ...nodes.map((node) => textOf(node, edges)),
    ...edges.map(labelOf),
    '</svg>',
    '',
  ].join('\n');
}

function wordsOf({ description, nodes, edges }: Chart): string {
  const states = nodes.map(({ id, type, label, description: words }) => {
    const ways = edges
      .filter(({ source, points }) => source === id && points.length > 0)
      .map(({ label: event, target }) => `${event} to ${target}`);
    return `${type === 'any' ? label : id}: ${words}${ways.length > 0 ? ` ${ways.join(', ')}.` : ''}`;
  });
  return [description, ...states].join(' ');
}

const isOuter = ({ type }: Node): boolean => type === 'compound' || type === 'parallel';

function boxOf(node: Node, nodes: readonly Node[]): string {
  const { x, y, w, h, type } = node;
  const region = nodes.find(({ id }) => id === node.parent)?.type === 'parallel';
  const kind = region ? 'region' : isOuter(node) ? 'outer' : type;
  const box = `<rect class="box ${kind}" x="${x}" y="${y}" width="${w}" height="${h}" rx="8"/>`;
  const inner = `<rect class="inner" x="${x + 3}" y="${y + 3}" width="${w - 6}" height="${h - 6}" rx="6"/>`;
  return type === 'final' ? box + inner : box;
}

function textOf(node: Node, edges: readonly Edge[]): string {
  const { x, y, label, lines, type, initial } = node;
  const start = initial ? startOf(node, edges) : '';
  const name = `<text class="name${type === 'any' ? ' any-name' : ''}" x="${x + 12}" y="${y + 20}">${escaped(label)}</text>`;
  const words = lines.map(
    (line, i) => `<text class="words" x="${x + 12}" y="${y + 36 + 15 * i}">${escaped(line)}</text>`,
  );
  return `<g${isOuter(node) ? ' class="on-shade"' : ''}>${start}${name}${words.join('')}</g>`;
}

/** The dot and the small arrow that tell where a state begins: left above the box, or right where a way is there. */
function startOf({ x, y, w }: Node, edges: readonly Edge[]): string {
  const left = { from: [x - 18, y - 12], to: [x - 1, y + 22] } as const;
  const taken = edges.some(({ points }) => points.some((end, i) => i > 0 && meets(left, points[i - 1] as Point, end)));
  const [edge, out] = taken ? [x + w, 1] : [x, -1];
  const at = edge + 9 * out;
  const dot = `<circle class="start" cx="${at}" cy="${y - 4}" r="4"/>`;
  return `${dot}<path class="begin" d="M${at} ${y - 4}q0 18 ${-5 * out} 18"/>${headOf([edge, y + 14], [at, y + 14], 6)}`;
}

/** Whether a straight piece of a way touches a rectangle. */
function meets({ from, to }: { readonly from: Point; readonly to: Point }, a: Point, b: Point): boolean {
  return [0, 1].every((axis) => {
    const [low, high] = [a[axis] as number, b[axis] as number].sort((one, other) => one - other) as [number, number];
    return high >= (from[axis] as number) && low <= (to[axis] as number);
  });
}

function kindOf({ event, delay }: Edge): string {
  if (delay) return ' delay';
  return event === 'always' ? ' free' : '';
}

interface Way {
  readonly kind: string;
  readonly points: readonly Point[];
}

function waysOf(edges: readonly Edge[]): Way[] {
  const ways = new Map<string, Way>();
  for (const edge of edges) {
    const { source, target, points } = edge;
    if (points.length === 0) continue;
    const other = ways.get(`${source} ${target}`);
    const kind = kindOf(edge);
    ways.set(`${source} ${target}`, { points, kind: other && other.kind !== kind ? '' : kind });
  }
  return [...ways.values()];
}

function wayOf({ points, kind }: Way): string {
  const [before, end] = points.slice(-2) as [Point, Point];
  return `<path class="way${kind}" d="${roundedPath(points)}"/>${headOf(end, before, 9, kind)}`;
}

/** A line through these points whose corners are round. */
export function roundedPath(points: readonly Point[], radius = 7): string {
  const [first, ...rest] = points as [Point, ...Point[]];
  const parts = rest.map((corner, i) => {
    const before = points[i] as Point;
    const after = rest[i + 1];
    if (!after) return `L${corner.join(' ')}`;
    // Half of a short piece belongs to each of its corners.
    const near = towards(corner, before, Math.min(radius, distance(corner, before) / 2));
    const far = towards(corner, after, Math.min(radius, distance(corner, after) / 2));
    return `L${near.join(' ')}Q${corner.join(' ')} ${far.join(' ')}`;
  });
  return `M${first.join(' ')}${parts.join('')}`;
}

function distance([ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot(ax - bx, ay - by);
}

function towards(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1);
  return [tenth(from[0] + (to[0] - from[0]) * share), tenth(from[1] + (to[1] - from[1]) * share)];
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

function headOf(end: Point, before: Point, length: number, kind = ''): string {
  const back = towards(end, before, length);
  const [x, y] = [end[0] - back[0], end[1] - back[1]];
  const side = (sign: number) => `${tenth(back[0] - sign * y * 0.5)},${tenth(back[1] + sign * x * 0.5)}`;
  return `<polygon class="head${kind}" points="${end.join(',')} ${side(1)} ${side(-1)}"/>`;
}

function labelOf(edge: Edge): string {
  const { lx, ly, lw, label, points, actions, description } = edge;
  const words = [actions.join(', '), description].filter(Boolean).join('. ');
  const title = words ? `<title>${escaped(words)}</title>` : '';
  const text = (kind: string) => `<text class="${kind}" x="${lx}" y="${ly + 4}">${escaped(label)}</text>`;
  if (points.length === 0) return `<g>${title}${text('stays')}</g>`;
  const pill = `<rect class="pill" x="${lx - lw / 2}" y="${ly - 8}" width="${lw}" height="16" rx="4"/>`;
  return `<g>${title}${pill}${text(`label${kindOf(edge)}`)}</g>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
