/** The timeline: bands of states, plots of traffic and silence, drawn on a canvas. A click travels there. */

import { colour } from './colours.js';
import { button, byId, el, set, write } from './dom.js';
import { bandWords, drawAxis, drawBands, drawPlot, drawSilence, type Frame, LANES, TOTAL } from './plots.js';
import type { Recording } from './recording.js';
import { type Band, bandAt, SPANS, type Timeline, timelineOf } from './timeline.js';
import { bytes, exactTime, rate, span } from './words.js';

export interface TimelineOwner {
  /** Somebody wants to look at that time. */
  travel(at: number): void;
}

const EDGE = 8;

export class TimelineView {
  private length = SPANS[1] as number;
  private readonly canvas = byId<HTMLCanvasElement>('canvas');
  private readonly box = byId('plots');
  private readonly tip = el('p', { class: 'tip', hidden: true });
  private shown: Timeline | undefined;
  private frame: Frame | undefined;

  constructor(owner: TimelineOwner) {
    for (const length of SPANS) {
      const choose = button(span(length).replace(' 00 s', ''), { 'data-span': length }, () => this.choose(length));
      byId('spans').append(choose);
    }
    this.choose(this.length);
    this.box.append(this.tip);
    this.canvas.addEventListener('pointermove', ({ offsetX }) => this.point(offsetX));
    this.canvas.addEventListener('pointerleave', () => {
      this.tip.hidden = true;
    });
    this.canvas.addEventListener('click', ({ offsetX }) => {
      const at = this.timeAt(offsetX);
      if (at !== undefined) owner.travel(at);
    });
  }

  private choose(length: number): void {
    this.length = length;
    for (const one of byId('spans').children)
      set(one, 'aria-pressed', String((one as HTMLElement).dataset.span === String(length)));
  }

  /** One notch longer or shorter. */
  stretch(by: -1 | 1): void {
    const next = SPANS[SPANS.indexOf(this.length) + by];
    if (next !== undefined) this.choose(next);
  }

  draw(recording: Recording, now: number): void {
    const width = this.box.clientWidth;
    const context = this.canvas.getContext('2d');
    if (!context || width === 0) return;
    this.resize(width, context);
    const timeline = timelineOf(
      recording,
      recording.held === undefined ? now : Math.max(now, recording.moment()?.at ?? 0),
      this.length,
    );
    this.shown = timeline;
    const left = EDGE;
    const scale = (width - 2 * EDGE) / (timeline.to - timeline.from);
    const frame: Frame = { context, left, right: width - EDGE, x: (at) => left + (at - timeline.from) * scale };
    this.frame = frame;
    context.clearRect(0, 0, width, TOTAL);
    drawAxis(frame, timeline);
    drawBands(frame, timeline, now);
    drawPlot(frame, timeline, LANES.messages, 'messages /s', ({ rx, tx }) => [rx, tx], rate);
    drawPlot(frame, timeline, LANES.bytes, 'bytes /s', ({ rxBytes, txBytes }) => [rxBytes, txBytes], bytes);
    drawSilence(frame, timeline);
    this.drawNow(frame, recording, now);
  }

  private resize(width: number, context: CanvasRenderingContext2D): void {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(TOTAL * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(TOTAL * ratio);
      canvas.style.setProperty('height', `${TOTAL}px`);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Where the picture stands: the present, or what is looked at. */
  private drawNow({ context, x }: Frame, recording: Recording, now: number): void {
    const held = recording.held !== undefined;
    context.strokeStyle = context.fillStyle = colour(held ? 'accent' : 'quiet');
    context.lineWidth = held ? 2 : 1;
    context.setLineDash(held ? [] : [2, 3]);
    context.beginPath();
    context.moveTo(x(now), LANES.bands.top - 4);
    context.lineTo(x(now), TOTAL);
    context.stroke();
    context.setLineDash([]);
    if (!held) return;
    context.beginPath();
    context.arc(x(now), LANES.bands.top - 4, 4, 0, 7);
    context.fill();
  }

  /** In words, for screen readers and above the plots. */
  tell(now: number): void {
    const band = this.shown && bandAt(this.shown.bands, now);
    const sample = this.shown?.samples.findLast(({ at }) => at <= now);
    const traffic = sample ? `; in ${rate(sample.rx)}, out ${rate(sample.tx)} messages a second` : '';
    const beside = this.shown && bandAt(this.shown.session, now);
    const session = beside ? `; session ${bandWords(beside.place)} for ${span(now - beside.from)}` : '';
    const words = band ? `${bandWords(band.place)} for ${span(now - band.from)}${session}${traffic}` : '';
    write(byId('timeline-words'), words);
    const bands = (this.shown?.bands ?? []).slice(-6).map((one) => bandWords(one.place));
    set(
      this.canvas,
      'aria-label',
      `The last ${span(this.length)}: ${bands.join(', then ') || 'nothing yet'}. The table of the history has it in words.`,
    );
  }

  private timeAt(px: number): number | undefined {
    const { shown, frame } = this;
    if (!shown || !frame) return undefined;
    return shown.from + ((px - frame.left) / (frame.right - frame.left)) * (shown.to - shown.from);
  }

  private point(px: number): void {
    const at = this.timeAt(px);
    const band = at === undefined ? undefined : this.shown && bandAt(this.shown.bands, at);
    this.tip.hidden = !band;
    if (!band || at === undefined) return;
    const beside = this.shown && bandAt(this.shown.session, at);
    const session = beside ? `; session ${tipWords(beside)}` : '';
    write(this.tip, `${exactTime(at)}  ${tipWords(band)}${session}`);
    const room = this.box.clientWidth - this.tip.offsetWidth;
    this.tip.style.setProperty('transform', `translateX(${Math.max(0, Math.min(px + 12, room))}px)`);
  }
}

/** `stale after silence, NINJA_STALE` */
function tipWords({ place, cause, code }: Band): string {
  return `${bandWords(place)} after ${cause.replace(/^after /, '')}${code ? `, ${code}` : ''}`;
}
