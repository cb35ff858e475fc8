/** Where things lie: pure sums for the chart, its rings and the list. */

export type Point = readonly [number, number];

/** What part of a drawing is seen: the point of the drawing at the upper left corner, and pixels for each unit. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const LEAST = 0.15;
const MOST = 4;

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** All of the drawing, in the middle, never larger than life. @param margin pixels left free around it */
export function wholeIn(drawing: Size, screen: Size, margin = 16): View {
  const width = Math.max(1, screen.width - 2 * margin);
  const height = Math.max(1, screen.height - 2 * margin);
  const scale = clamp(Math.min(width / drawing.width, height / drawing.height, 1), LEAST, MOST);
  return {
    x: drawing.width / 2 - screen.width / 2 / scale,
    y: drawing.height / 2 - screen.height / 2 / scale,
    scale,
  };
}

/** Nearer or further; the point of the drawing under `at` (pixels of the screen) stays where it is. */
export function zoom(view: View, factor: number, at: Point): View {
  const scale = clamp(view.scale * factor, LEAST, MOST);
  return {
    x: view.x + at[0] / view.scale - at[0] / scale,
    y: view.y + at[1] / view.scale - at[1] / scale,
    scale,
  };
}

/** Moves the drawing by pixels of the screen. */
export function pan(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The smallest box around others; the first where they would be too far apart to be read together. */
export function around(boxes: readonly Box[]): Box | undefined {
  const [first] = boxes;
  if (!first) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.w));
  const bottom = Math.max(...boxes.map((box) => box.y + box.h));
  return { x, y, w: right - x, h: bottom - y };
}

/** The least scale at which the words of a drawing are read with ease. */
export const READABLE = 0.72;

/**
 * What is to be followed in the middle, as large as life if there is room for it, and readable in any case. Outside of
 * the drawing nothing is shown where that can be helped.
 *
 * @param boxes the most important first: where not all can be seen, it is
 */
export function follow(boxes: readonly Box[], drawing: Size, screen: Size, margin = 56): View {
  const whole = wholeIn(drawing, screen);
  let box = around(boxes);
  if (!box || whole.scale >= READABLE) return whole;
  const room = (one: Box) => Math.min(screen.width / (one.w + 2 * margin), screen.height / (one.h + 2 * margin), 1);
  const [first] = boxes;
  if (first && room(box) < READABLE) box = first;
  const scale = Math.max(room(box), READABLE);
  const [width, height] = [screen.width / scale, screen.height / scale];
  return {
    x: along(box.x + box.w / 2 - width / 2, drawing.width, width),
    y: along(box.y + box.h / 2 - height / 2, drawing.height, height),
    scale,
  };
}

/** Where a window begins along a drawing: within it, or in the middle where the drawing is the smaller one. */
function along(wanted: number, drawing: number, window: number): number {
  return drawing <= window ? (drawing - window) / 2 : clamp(wanted, 0, drawing - window);
}

/** A view on the way from one to another. @param share 0 to 1 */
export function between(a: View, b: View, share: number): View {
  const eased = share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) ** 2;
  const mix = (from: number, to: number) => from + (to - from) * eased;
  return { x: mix(a.x, b.x), y: mix(a.y, b.y), scale: mix(a.scale, b.scale) };
}

/** A line through the points as an SVG path, its corners rounded. */
export function roundedPath(points: readonly Point[], radius = 8): string {
  const [first] = points;
  if (!first) return '';
  const parts = [`M${words(first)}`];
  for (let i = 1; i < points.length - 1; i += 1) {
    const [before, corner, after] = [points[i - 1], points[i], points[i + 1]] as [Point, Point, Point];
    const cut = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2);
    parts.push(`L${words(towards(corner, before, cut))}Q${words(corner)} ${words(towards(corner, after, cut))}`);
  }
  const last = points.at(-1);
  if (last && points.length > 1) parts.push(`L${words(last)}`);
  return parts.join('');
}

function words([x, y]: Point): string {
  return `${round(x)},${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function towards(from: Point, to: Point, by: number): Point {
  const length = distance(from, to);
  if (length === 0) return from;
  return [from[0] + ((to[0] - from[0]) * by) / length, from[1] + ((to[1] - from[1]) * by) / length];
}

/** What is left of a timer, from 1 (just begun) to 0 (due). */
export function left(timer: { readonly from: number; readonly at: number }, now: number): number {
  const whole = timer.at - timer.from;
  return whole <= 0 ? 0 : clamp((timer.at - now) / whole, 0, 1);
}

/** Which lines of a long list are to be drawn. `to` is the first that is not. */
export function visible(count: number, height: number, lineHeight: number, scrollTop: number, spare = 4) {
  const first = Math.floor(scrollTop / lineHeight) - spare;
  const last = Math.ceil((scrollTop + height) / lineHeight) + spare;
  const from = clamp(first, 0, count);
  return { from, to: clamp(last, from, count) };
}

/** The scroll position nearest to the present one at which a line is wholly seen. */
export function reveal(line: number, height: number, lineHeight: number, scrollTop: number): number {
  const top = line * lineHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + lineHeight - height);
}

/** The next round number: 1, 2 or 5 times a power of ten. For the upper end of a plot. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((one) => one * power >= value * 0.999999) ?? 10) * power;
}

/** Times for the marks of an axis: round seconds, about one for each `apart` pixels. */
export function ticks(from: number, to: number, width: number, apart = 110): readonly number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600].map((seconds) => seconds * 1000);
  const wanted = ((to - from) * apart) / Math.max(1, width);
  const step = steps.find((one) => one >= wanted) ?? 86_400_000;
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return marks;
}
