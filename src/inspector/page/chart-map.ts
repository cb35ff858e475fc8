/** The whole statechart, small, in the corner: where in it one is, and what part is seen. A click goes there. */
import { set, svg } from './dom.js';
import type { Point, Size, View } from './geometry.js';
import type { Chart } from './wire.js';

const LONGEST = 130;
/** Its rim, and what is left free beside it. */
const RIM = 34;

export class ChartMap {
  readonly element = svg('svg', { class: 'map', 'aria-hidden': 'true' });
  private readonly window = svg('rect', { class: 'window' });
  private readonly boxes = new Map<string, SVGRectElement>();

  constructor(go: (at: Point) => void) {
    this.element.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      const { left, top, width } = this.element.getBoundingClientRect();
      const scale = this.element.viewBox.baseVal.width / width;
      go([(event.clientX - left) * scale, (event.clientY - top) * scale]);
    });
  }

  /** How much of the picture's right side it covers, pixels. */
  get width(): number {
    return Number(this.element.getAttribute('width') ?? 0) + RIM;
  }

  draw(chart: Chart, tones: (id: string) => string): void {
    this.boxes.clear();
    for (const { id, x, y, w, h, type } of chart.nodes) {
      if (type === 'any') continue;
      this.boxes.set(id, svg('rect', { x, y, width: w, height: h, rx: 20, class: tones(id) }));
    }
    const scale = LONGEST / Math.max(chart.width, chart.height);
    set(this.element, 'viewBox', `0 0 ${chart.width} ${chart.height}`);
    set(this.element, 'width', chart.width * scale);
    set(this.element, 'height', chart.height * scale);
    this.element.replaceChildren(...this.boxes.values(), this.window);
  }

  light(lit: ReadonlySet<string>): void {
    for (const [id, box] of this.boxes) box.classList.toggle('lit', lit.has(id));
  }

  /** @param whole all of it is seen: then the map is of no use */
  look({ x, y, scale }: View, screen: Size, whole: boolean): void {
    this.element.classList.toggle('useless', whole);
    set(this.window, 'x', x);
    set(this.window, 'y', y);
    set(this.window, 'width', screen.width / scale);
    set(this.window, 'height', screen.height / scale);
  }
}
