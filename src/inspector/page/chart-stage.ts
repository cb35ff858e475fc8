/** What part of the statechart is seen: it follows what happens, until somebody moves it by mouse or keys. */
import { ChartMap } from './chart-map.js';
import { set, still, svg } from './dom.js';
import {
  type Box,
  between,
  follow,
  type Point,
  pan,
  READABLE,
  type Size,
  type View,
  wholeIn,
  zoom,
} from './geometry.js';
import type { Chart } from './wire.js';

const STEP = 1.25;
const NUDGE = 48;
/** Milliseconds of the way from one view to the next. */
const GLIDE = 420;

export type Mode = 'follow' | 'all' | 'free';

export class ChartStage {
  private readonly world = svg('g');
  private readonly picture = svg('svg', { class: 'picture', 'aria-hidden': 'true' }, this.world);
  readonly map = new ChartMap((at) => this.centre(at));
  private drawing: Size = { width: 1, height: 1 };
  private view: View = { x: 0, y: 0, scale: 1 };
  private aims: readonly Box[] = [];
  private mode: Mode = 'follow';
  private grip: Point | undefined;
  private glide: { readonly from: View; readonly to: View; readonly began: number } | undefined;

  /** @param moded told of each change of the mode */
  constructor(
    private readonly stage: HTMLElement,
    private readonly moded: (mode: Mode) => void,
  ) {
    set(stage, 'tabindex', 0);
    set(stage, 'role', 'application');
    set(stage, 'aria-label', 'Statechart. Plus and minus zoom, arrow keys move, 0 shows all of it, f follows.');
    stage.append(this.picture, this.map.element);
    new ResizeObserver(() => this.settle(false)).observe(stage);
    stage.addEventListener('keydown', (event) => this.key(event));
    stage.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    stage.addEventListener('pointerdown', (event) => this.grab(event));
    stage.addEventListener('pointermove', (event) => this.drag(event));
    for (const end of ['pointerup', 'pointercancel'] as const) stage.addEventListener(end, () => this.letGo());
    stage.addEventListener('dblclick', () => this.choose('follow'));
  }

  show(parts: readonly Element[], chart: Chart, tones: (id: string) => string): void {
    this.world.replaceChildren(...parts);
    this.drawing = chart;
    this.map.draw(chart, tones);
    this.choose('follow', false);
  }

  /** What is to be in the middle, the most important first. */
  aim(boxes: readonly Box[], smoothly: boolean): void {
    this.aims = boxes;
    if (this.mode === 'follow') this.settle(smoothly);
  }

  choose(mode: Mode, smoothly = true): void {
    this.mode = mode;
    this.moded(mode);
    this.settle(smoothly);
  }

  private settle(smoothly: boolean): void {
    const { size } = this;
    if (size.width === 0) return;
    if (this.mode === 'all') this.go(wholeIn(this.drawing, size), smoothly);
    else if (this.mode === 'follow') {
      const whole = wholeIn(this.drawing, size);
      // What is followed must not lie under the map.
      const free = { ...size, width: size.width - this.map.width };
      this.go(whole.scale >= READABLE ? whole : follow(this.aims, this.drawing, free), smoothly);
    } else this.look(this.view);
  }

  private go(to: View, smoothly: boolean): void {
    this.glide = undefined;
    if (!smoothly || still()) {
      this.look(to);
      return;
    }
    const glide = { from: this.view, to, began: performance.now() };
    this.glide = glide;
    const move = () => {
      if (this.glide !== glide) return;
      const share = Math.min(1, (performance.now() - glide.began) / GLIDE);
      this.look(between(glide.from, to, share));
      if (share < 1) requestAnimationFrame(move);
    };
    move();
  }

  private get size(): Size {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  private look(view: View): void {
    this.view = view;
    const { size, drawing } = this;
    set(this.world, 'transform', `scale(${view.scale}) translate(${-view.x} ${-view.y})`);
    const whole = drawing.width * view.scale <= size.width && drawing.height * view.scale <= size.height;
    this.map.look(view, size, whole);
  }

  private free(view: View): void {
    this.glide = undefined;
    if (this.mode !== 'free') {
      this.mode = 'free';
      this.moded('free');
    }
    this.look(view);
  }

  private centre([x, y]: Point): void {
    const { scale } = this.view;
    this.free({ x: x - this.size.width / 2 / scale, y: y - this.size.height / 2 / scale, scale });
  }

  /** @param by 1 for larger, -1 for smaller; @param at pixels of the stage that stay where they are */
  nearer(by: number, at: Point = [this.size.width / 2, this.size.height / 2]): void {
    this.free(zoom(this.view, STEP ** by, at));
  }

  private move(dx: number, dy: number): void {
    this.free(pan(this.view, dx, dy));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
      '+': () => this.nearer(1),
      '=': () => this.nearer(1),
      '-': () => this.nearer(-1),
      '0': () => this.choose('all'),
      f: () => this.choose('follow'),
      ArrowLeft: () => this.move(NUDGE, 0),
      ArrowRight: () => this.move(-NUDGE, 0),
      ArrowUp: () => this.move(0, NUDGE),
      ArrowDown: () => this.move(0, -NUDGE),
    };
    const act = acts[event.key];
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  }

  /** The wheel belongs to the page, unless the picture was chosen by a click or the zoom key is held. */
  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.stage) return;
    event.preventDefault();
    const { left, top } = this.stage.getBoundingClientRect();
    this.nearer(-event.deltaY / 150, [event.clientX - left, event.clientY - top]);
  }

  private grab(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.grip = [event.clientX, event.clientY];
    this.stage.setPointerCapture(event.pointerId);
  }

  private drag(event: PointerEvent): void {
    if (!this.grip) return;
    const [x, y] = this.grip;
    const [dx, dy] = [event.clientX - x, event.clientY - y];
    // A click that trembles is no drag.
    if (this.mode !== 'free' && Math.hypot(dx, dy) < 4) return;
    this.grip = [event.clientX, event.clientY];
    this.stage.classList.add('dragged');
    this.move(dx, dy);
  }

  private letGo(): void {
    this.grip = undefined;
    this.stage.classList.remove('dragged');
  }
}
