/** How the lanes of the timeline are drawn. */
import { type Colour, colour } from './colours.js';
import { roundUp, ticks } from './geometry.js';
import type { Band, Sample, Timeline } from './timeline.js';
import { lookOf, span, timeOfDay } from './words.js';

export interface Frame {
  readonly context: CanvasRenderingContext2D;
  readonly left: number;
  readonly right: number;
  /** From a time to pixels. */
  x(at: number): number;
}

export interface Lane {
  readonly top: number;
  readonly height: number;
}

export const LANES = {
  bands: { top: 24, height: 30 },
  /** Where there is a session, the two share that lane. */
  own: { top: 24, height: 15 },
  session: { top: 41, height: 13 },
  messages: { top: 78, height: 46 },
  bytes: { top: 144, height: 46 },
  silence: { top: 210, height: 28 },
} as const satisfies Record<string, Lane>;
export const TOTAL = 244;

const FONT = '11px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/** `waiting`, `stale` */
export function bandWords(place: string): string {
  return lookOf(place).word;
}

export function drawAxis({ context, left, right, x }: Frame, { from, to }: Timeline): void {
  context.font = FONT;
  context.textBaseline = 'alphabetic';
  context.textAlign = 'center';
  for (const at of ticks(from, to, right - left)) {
    context.fillStyle = colour('line');
    context.fillRect(Math.round(x(at)), LANES.bands.top - 6, 1, TOTAL - LANES.bands.top);
    context.fillStyle = colour('quiet');
    if (x(at) > left + 24 && x(at) < right - 24) context.fillText(timeOfDay(at), x(at), 12);
  }
}

export function drawBands(frame: Frame, timeline: Timeline, now: number): void {
  const { bands, session, coming, marks, to } = timeline;
  const { context, x } = frame;
  const { top, height } = LANES.bands;
  drawLane(frame, timeline, bands, session.length > 0 ? LANES.own : LANES.bands, now);
  drawLane(frame, timeline, session, LANES.session, now);
  if (coming) drawComing(frame, coming.at, now, to);
  for (const mark of marks) {
    context.fillStyle = colour('ink');
    context.fillRect(x(mark.at), top - 6, 1.5, height + 12);
  }
}

function drawLane(
  { context, x }: Frame,
  { from, to }: Timeline,
  bands: readonly Band[],
  { top, height }: Lane,
  now: number,
): void {
  for (const band of bands) {
    const [a, b] = [Math.max(band.from, from), Math.min(band.to ?? now, to)];
    if (b < a) continue;
    const { tone, word } = lookOf(band.place);
    const [left, width] = [x(a), Math.max(1.5, x(b) - x(a) - 1)];
    context.fillStyle = colour(tone);
    box(context, left, top, width, height);
    context.fill();
    // Waits are hatched, so that backoff is told from work without its colour.
    if (tone === 'wait') hatch(context, left, top, width, height, colour('surface'));
    label(context, word, left, top + height / 2, width);
  }
}

/** The wait that runs, as an open box into the future. */
function drawComing({ context, x }: Frame, at: number, now: number, to: number): void {
  const { top, height } = LANES.bands;
  context.strokeStyle = colour('quiet');
  context.setLineDash([3, 3]);
  context.lineWidth = 1;
  const end = Math.min(at, to);
  context.strokeRect(x(now) + 0.5, top + 0.5, Math.max(0, x(end) - x(now) - 1), height - 1);
  context.setLineDash([]);
}

function box(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(4, width / 2));
}

function hatch(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  ink: string,
): void {
  context.save();
  box(context, x, y, width, height);
  context.clip();
  context.strokeStyle = ink;
  context.globalAlpha = 0.22;
  context.lineWidth = 3;
  context.beginPath();
  for (let at = x - height; at < x + width; at += 8) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

function label(context: CanvasRenderingContext2D, word: string, left: number, middle: number, width: number): void {
  context.font = `600 ${FONT}`;
  if (context.measureText(word).width + 12 > width) return;
  context.fillStyle = colour('surface');
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(word, left + 7, middle + 0.5);
}

function heading({ context, left, right }: Frame, { top, height }: Lane, words: string, most: string): void {
  context.font = FONT;
  context.fillStyle = colour('quiet');
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';
  context.fillText(words, left, top - 5);
  context.textAlign = 'right';
  context.fillText(most, right, top - 5);
  context.fillStyle = colour('line');
  context.fillRect(left, top + height, right - left, 1);
}

export function drawPlot(
  frame: Frame,
  { samples }: Timeline,
  lane: Lane,
  words: string,
  pick: (sample: Sample) => readonly [number, number],
  format: (value: number) => string,
): void {
  const pairs = samples.map((sample) => [sample.at, ...pick(sample)] as const);
  const most = roundUp(pairs.reduce((high, [, rx, tx]) => Math.max(high, rx, tx), 1));
  heading(frame, lane, words, `to ${format(most)}`);
  line(
    frame,
    lane,
    pairs.map(([at, rx]) => [at, rx / most]),
    'rx',
    true,
  );
  line(
    frame,
    lane,
    pairs.map(([at, , tx]) => [at, tx / most]),
    'tx',
    false,
  );
}

/** A gap of so long between two samples is one: nobody watched. */
const GAP = 3_000;

function line(
  { context, x }: Frame,
  { top, height }: Lane,
  points: readonly (readonly [number, number])[],
  name: Colour,
  filled: boolean,
): void {
  let run: (readonly [number, number])[] = [];
  const flush = () => {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) return;
    context.beginPath();
    for (const [px, py] of run) context.lineTo(px, py);
    context.strokeStyle = colour(name);
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    // Out is dashed: the two are told apart without their colours.
    context.setLineDash(filled ? [] : [4, 3]);
    context.stroke();
    context.setLineDash([]);
    if (filled) {
      context.lineTo(last[0], top + height);
      context.lineTo(first[0], top + height);
      context.globalAlpha = 0.16;
      context.fillStyle = colour(name);
      context.fill();
      context.globalAlpha = 1;
    }
    run = [];
  };
  let before = Number.NEGATIVE_INFINITY;
  for (const [at, share] of points) {
    if (at - before > GAP) flush();
    before = at;
    run.push([x(at), top + height * (1 - share)]);
  }
  flush();
}

/** How long nothing was heard, as saw teeth. */
export function drawSilence(frame: Frame, { samples, coming }: Timeline): void {
  const window = coming?.name === 'silence' ? coming.at - coming.from : 0;
  const most = samples.reduce((high, { silent = 0 }) => Math.max(high, silent), Math.max(1000, window));
  heading(frame, LANES.silence, 'silence: time since the last byte', `to ${span(most)}`);
  const points = samples.flatMap(({ at, silent }) => (silent === undefined ? [] : [[at, silent / most] as const]));
  line(frame, LANES.silence, points, 'alarm', true);
}
