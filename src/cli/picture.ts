/** A statechart in text: its states in a row, or each in a box with what is in it, and the present one lit. */
import type { Chart } from '../inspector/chart.js';
import type { Paper, Style } from './paper.js';

/** A state that is told of, and the substates that are told with it. */
interface Place {
  readonly state: string;
  readonly substates: readonly string[];
}

type Dress = Pick<Paper, 'style'>;

/** `connected.live` → `connected` with `live` in it; in the order of the plan. */
function placesOf({ nodes }: Pick<Chart, 'nodes'>): Place[] {
  const found = new Map<string, string[]>();
  for (const { place } of nodes) {
    const [state, substate] = place?.split('.') ?? [];
    if (state === undefined) continue;
    const substates = found.get(state) ?? [];
    found.set(state, substates);
    if (substate !== undefined) substates.push(substate);
  }
  return [...found].map(([state, substates]) => ({ state, substates }));
}

/** What a place feels like. */
export function colourOf(place: string): Style {
  if (/^(connected\.live|listening)$/.test(place)) return 'green';
  if (/^(stale|disconnected\.failed)$/.test(place)) return 'red';
  if (/^(disconnected\.waiting|connected\.unproven|connecting|detached|paused)/.test(place)) return 'yellow';
  return 'cyan';
}

/** `○ disconnected ○ connecting ● connected (live) ○ stale ○ disposed` */
export function stateRow(chart: Pick<Chart, 'nodes'>, place: string, paper: Dress): string {
  const [state, substate] = place.split('.');
  return placesOf(chart)
    .map((one) => {
      if (one.state !== state) return paper.style('dim', `○ ${one.state}`);
      return paper.style(['bold', colourOf(place)] as Style, `● ${state}${substate ? ` (${substate})` : ''}`);
    })
    .join(' ');
}

/**
 * The states side by side, each with what is in it; one under the other where the terminal is too narrow.
 *
 *     ┏ connected ━━━━┓
 *     ┃ ● live        ┃
 *     ┗━━━━━━━━━━━━━━━┛
 */
export function stateBoxes(chart: Pick<Chart, 'nodes'>, place: string, width: number, paper: Dress): string[] {
  const places = placesOf(chart);
  const widths = places.map(({ state, substates }) => {
    return Math.max(state.length, ...substates.map((name) => name.length + 2)) + 4;
  });
  if (widths.reduce((all, one) => all + one + 1, -1) > width) return stateList(places, place, paper);
  const height = Math.max(...places.map(({ substates }) => substates.length));
  const boxes = places.map((one, column) => box(one, place, widths[column] as number, height, paper));
  return Array.from({ length: height + 2 }, (_, line) => boxes.map((lines) => lines[line]).join(' '));
}

const THIN = ['╭', '─', '╮', '│', '╰', '╯'] as const;
const THICK = ['┏', '━', '┓', '┃', '┗', '┛'] as const;

function box({ state, substates }: Place, place: string, width: number, height: number, paper: Dress): string[] {
  const [present, inner] = place.split('.');
  const lit = state === present;
  const [topLeft, edge, topRight, side, bottomLeft, bottomRight] = lit ? THICK : THIN;
  const frame: Style = lit ? colourOf(place) : 'dim';
  const bright = ['bold', frame] as Style;
  const edges = (text: string) => paper.style(frame, text);
  const insides = Array.from({ length: height }, (_, line) => {
    const name = substates[line] ?? '';
    const isPresent = lit && name === inner && name !== '';
    const text = `${isPresent ? '● ' : ''}${name}`.padEnd(width - 4);
    const words = isPresent ? paper.style(bright, text) : paper.style('dim', text);
    return `${edges(side)} ${words} ${edges(side)}`;
  });
  const name = lit ? paper.style(bright, state) : edges(state);
  return [
    `${edges(topLeft)} ${name} ${edges(`${edge.repeat(width - state.length - 4)}${topRight}`)}`,
    ...insides,
    edges(`${bottomLeft}${edge.repeat(width - 2)}${bottomRight}`),
  ];
}

function stateList(places: readonly Place[], place: string, paper: Dress): string[] {
  const [present, inner] = place.split('.');
  const column = Math.max(...places.map(({ state }) => state.length));
  return places.map(({ state, substates }) => {
    const lit = state === present;
    const bright = ['bold', colourOf(place)] as Style;
    const names = substates.map((name) => (lit && name === inner ? paper.style(bright, `● ${name}`) : name));
    const head = paper.style(lit ? bright : 'dim', `${lit ? '●' : '○'} ${state.padEnd(column)}`);
    return `${head}  ${names.join(' ')}`.trimEnd();
  });
}

/** `silence  ███████░░░  2,790 ms`: what is left of it. */
export function bar(share: number, width: number): string {
  const filled = Math.round(width * Math.min(1, Math.max(0, share)));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
