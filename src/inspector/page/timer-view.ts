/** One running timer in the picture: a ring that runs down at its edge, and the rim of the state that it will leave. */
import { set, svg, write } from './dom.js';
import { left } from './geometry.js';
import type { ChartEdge, ChartNode } from './wire.js';
import { millis } from './words.js';

export interface Timer {
  readonly name: string;
  readonly from: number;
  readonly at: number;
}

/** How wide a ring with its figures is, pixels of the drawing. */
export const CHIP = 104;
const HEIGHT = 24;
const RADIUS = 7;

export class TimerView {
  readonly element: SVGGElement;
  private readonly ring = svg('circle', { class: 'ring', r: RADIUS, pathLength: 1 });
  private readonly words = svg('text', { x: CHIP - 10, y: HEIGHT / 2 });
  private readonly rim: SVGRectElement;

  constructor(edge: ChartEdge, source: ChartNode) {
    const { x, y, w, h } = source;
    this.rim = svg('rect', { class: 'run', x, y, width: w, height: h, rx: Math.min(12, h / 2), pathLength: 1 });
    set(this.ring, 'transform', `translate(${HEIGHT / 2 + 2} ${HEIGHT / 2}) rotate(-90)`);
    const chip = svg(
      'g',
      { class: 'chip', transform: `translate(${edge.lx + edge.lw / 2 + 4} ${edge.ly - HEIGHT / 2})` },
      svg('rect', { width: CHIP, height: HEIGHT, rx: HEIGHT / 2 }),
      svg('circle', { class: 'track', r: RADIUS, cx: HEIGHT / 2 + 2, cy: HEIGHT / 2 }),
      this.ring,
      this.words,
    );
    this.element = svg('g', { class: 'timer', 'data-timer': edge.delay ?? '' }, this.rim, chip);
  }

  show(timer: Timer, now: number): void {
    const rest = left(timer, now);
    const dash = `${rest.toFixed(4)} 1`;
    set(this.ring, 'stroke-dasharray', dash);
    set(this.rim, 'stroke-dasharray', dash);
    write(this.words, millis(timer.at - now));
    this.element.classList.toggle('soon', timer.at - now < 1000);
  }
}
