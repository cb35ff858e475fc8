/** The statechart as a picture: drawn once for each chart, then only lit. */
import { arrowHeads, drawEdge, drawNode, type EdgeParts, holdsOthers } from './chart-parts.js';
import { ChartStage } from './chart-stage.js';
import { byId, set, still, svg, write } from './dom.js';
import { around, type Box } from './geometry.js';
import { edgeOfTimer, litNodes, openEdges } from './lit.js';
import { CHIP, type Timer, TimerView } from './timer-view.js';
import type { Chart, ChartEdge, Step } from './wire.js';
import { lookOf } from './words.js';

/** One edge's light runs for so long before the next one's begins, milliseconds. */
const RELAY = 250;

export class ChartView {
  private chart: Chart | undefined;
  readonly stage = new ChartStage(byId('stage'), (mode) => {
    set(byId('zoom-follow'), 'aria-pressed', String(mode === 'follow'));
    set(byId('zoom-fit'), 'aria-pressed', String(mode === 'all'));
  });
  private nodes = new Map<string, SVGGElement>();
  private edges = new Map<string, EdgeParts>();
  private readonly rings = new Map<string, TimerView>();
  private pulses = svg('g');
  private chips = svg('g');
  private place: string | undefined;
  private step: Step | undefined;
  private lit: ReadonlySet<string> = new Set();

  /** Draws the chart, if it is another one. */
  draw(chart: Chart | undefined): void {
    if (chart === this.chart || !chart) return;
    this.chart = chart;
    this.nodes = new Map();
    this.edges = new Map();
    this.rings.clear();
    this.place = undefined;
    this.step = undefined;
    this.pulses = svg('g', { class: 'pulses' });
    this.chips = svg('g', { class: 'chips' });
    const depth = depths(chart);
    const order = [...chart.nodes].sort((a, b) => (depth.get(a.id) ?? 0) - (depth.get(b.id) ?? 0));
    for (const node of order) this.nodes.set(node.id, drawNode(node, depth.get(node.id) ?? 0));
    const grounds = chart.nodes.filter(holdsOthers);
    for (const edge of chart.edges)
      this.edges.set(
        edge.id,
        drawEdge(
          edge,
          grounds.some((node) => covers(node, edge)),
          !grounds.some((node) => node.id === edge.source),
        ),
      );
    const parts = [...this.edges.values()];
    const lines = svg('g', { class: 'lines' }, ...parts.map(({ line }) => line));
    const labels = svg('g', { class: 'labels' }, ...parts.map(({ label }) => label));
    const tones = new Map(chart.nodes.map(({ id, place }) => [id, place === undefined ? '' : lookOf(place).tone]));
    const all = [arrowHeads(), ...this.nodes.values(), lines, this.pulses, labels, this.chips];
    this.stage.show(all, chart, (id) => tones.get(id) ?? '');
  }

  /** Lights a place, and shows the step that led there. */
  light(place: string | undefined, step: Step | undefined): void {
    const { chart } = this;
    if (!chart || (place === this.place && step === this.step)) return;
    const before = this.place;
    const fresh = step !== undefined && step !== this.step;
    this.place = place;
    this.step = step;
    this.lit = place === undefined ? new Set() : litNodes(chart, place);
    const open = openEdges(chart, this.lit);
    const taken = new Set(step?.taken);
    for (const [id, node] of this.nodes) node.classList.toggle('lit', this.lit.has(id));
    for (const [id, { line, label }] of this.edges) {
      const state = taken.has(id) ? 'taken' : open.has(id) ? 'open' : '';
      set(line, 'class', `edge ${state}`);
      set(line, 'marker-end', `url(#${state ? `arrow-${state}` : 'arrow'})`);
      // On top: several transitions may share one way.
      if (taken.has(id)) line.parentNode?.append(line);
      label.classList.toggle('taken', taken.has(id));
      label.classList.toggle('open', open.has(id));
    }
    this.stage.map.light(this.lit);
    if (place !== before) this.stage.aim(this.aims(chart), before !== undefined);
    if (fresh || !step) this.pulse(step?.taken ?? []);
  }

  /** What should be seen of a chart: the innermost lit states, the way that led there, and what runs down. */
  private aims(chart: Chart): Box[] {
    const leaves = chart.nodes.filter((node) => this.lit.has(node.id) && !holdsOthers(node));
    const own = leaves.filter((node) => node.place === this.place);
    const others = leaves.filter((node) => node.place !== this.place);
    const timed = chart.edges.filter((edge) => edge.delay !== undefined && this.lit.has(edge.source));
    return [...own, ...others, ...timed.map(labelBox)];
  }

  /** A light that runs along the edges that were taken, one after another. */
  private pulse(taken: readonly string[]): void {
    this.pulses.replaceChildren();
    if (still()) return;
    taken.forEach((id, index) => {
      const d = this.edges.get(id)?.line.getAttribute('d');
      if (!d) return;
      const pulse = svg('path', { class: 'pulse', d, pathLength: 1 });
      pulse.style.setProperty('animation-delay', `${index * RELAY}ms`);
      this.pulses.append(pulse);
    });
  }

  /** @param timers those that run at the moment that is looked at */
  tick(timers: readonly Timer[], now: number): void {
    const { chart } = this;
    if (!chart) return;
    const shown = new Set<string>();
    for (const timer of timers) {
      const edge = edgeOfTimer(chart, this.lit, timer.name);
      const source = edge && chart.nodes.find((node) => node.id === edge.source);
      if (!edge || !source) continue;
      const key = `${timer.name} ${edge.id}`;
      shown.add(key);
      let ring = this.rings.get(key);
      if (!ring) {
        ring = new TimerView(edge, source);
        this.rings.set(key, ring);
        this.chips.append(ring.element);
      }
      ring.show(timer, now);
    }
    for (const [key, ring] of this.rings) {
      if (shown.has(key)) continue;
      ring.element.remove();
      this.rings.delete(key);
    }
  }

  /** The step in words, for those who do not see the picture. */
  tell(step: Step | undefined): void {
    const words = step ? `${step.event.type}: ${step.from === step.to ? 'stays' : `${step.from} → ${step.to}`}` : '';
    write(byId('step-words'), words);
  }
}

function covers({ x, y, w, h }: Box, { lx, ly }: ChartEdge): boolean {
  return lx > x && lx < x + w && ly > y && ly < y + h;
}

function labelBox({ lx, ly, lw, points }: ChartEdge): Box {
  // With the ring beside it.
  const label = { x: lx - lw / 2, y: ly - 14, w: lw + 4 + CHIP, h: 28 };
  const first = points[0];
  return first ? (around([label, { x: first[0], y: first[1], w: 0, h: 0 }]) ?? label) : label;
}

function depths(chart: Chart): Map<string, number> {
  const parents = new Map(chart.nodes.map((node) => [node.id, node.parent]));
  const depth = (id: string | undefined): number => (id === undefined ? -1 : depth(parents.get(id)) + 1);
  return new Map(chart.nodes.map(({ id }) => [id, depth(id)]));
}
