/** The block above the picture: what is wrong, why, what happens next. The eye falls here first. */
import { byId, el, set, withCode, write } from './dom.js';
import { left } from './geometry.js';
import { shapeOf, show } from './shapes.js';
import { dueWords, type Verdict, verdictOf } from './verdict.js';
import { type Detail, type Kind, placeOf } from './wire.js';
import { comingWords, lookOf, timeOfDay } from './words.js';

export class TitleView {
  private readonly icon = shapeOf('disposed');
  private readonly word = el('span', { class: 'word' });
  private readonly name = el('h2', { class: 'title' });
  private readonly kind = el('span', { class: 'quiet kind' });
  private readonly badge = el('span', { class: 'badge' }, this.icon, this.word);

  constructor() {
    byId('title').append(this.name, this.badge, this.kind);
  }

  show(name: string, kind: Kind, place: string): void {
    write(this.name, name);
    write(this.kind, kind);
    show(this.icon, place);
    const { tone, word } = lookOf(place);
    const [state = ''] = place.split('.');
    write(this.word, state === word ? state : `${state} · ${word}`);
    set(this.badge, 'class', `badge ${tone}`);
  }
}

export class VerdictView {
  private readonly headline = el('h3', { class: 'headline' });
  private readonly because = el('p', { class: 'because' });
  private readonly help = el('p', { class: 'cure' });
  private readonly facts = el('dl', { class: 'facts' });
  private readonly next = el('ul', { class: 'next' });
  private readonly explain = el('p', { class: 'explain' });
  private readonly attempts = el('ul', { class: 'attempts' });
  private readonly attemptsBlock = el(
    'div',
    { class: 'attempts-block' },
    el('h4', {}, 'The last attempts'),
    this.attempts,
  );
  private readonly block = byId('verdict');
  private readonly old = new Map<Element, string>();
  private verdict: Verdict | undefined;
  private detail: Detail | undefined;

  constructor() {
    const main = el('div', { class: 'main' }, this.headline, this.because, this.help, this.facts);
    const aside = el('div', { class: 'aside' }, el('h4', {}, 'What happens next'), this.next, this.attemptsBlock);
    this.block.append(el('div', { class: 'split' }, main, aside), this.explain);
  }

  show(detail: Detail | undefined): void {
    if (!detail || detail === this.detail) return;
    this.detail = detail;
    const verdict = verdictOf(detail);
    this.verdict = verdict;
    set(this.block, 'class', verdict.mood);
    write(this.headline, verdict.headline);
    this.anew(this.because, verdict.because, () => withCode(verdict.because));
    const { help } = verdict;
    this.help.hidden = help === undefined;
    this.anew(this.help, help ?? '', () => [el('b', {}, 'What helps '), ...withCode(help ?? '')]);
    this.anew(this.facts, JSON.stringify(verdict.facts), () =>
      verdict.facts.map(({ name, value }) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
    );
    this.attemptsBlock.hidden = verdict.attempts.length === 0;
    this.anew(this.attempts, verdict.attempts.join('\n'), () => verdict.attempts.map((one) => el('li', {}, one)));
    write(this.explain, detail.explain);
  }

  /** Replaces what an element holds, if it is something else. */
  private anew(element: Element, key: string, make: () => Node[]): void {
    if (this.old.get(element) === key) return;
    this.old.set(element, key);
    element.replaceChildren(...make());
  }

  /** Called for each frame: what is left until the next events. */
  tick(now: number): void {
    const { detail, verdict } = this;
    if (!detail || !verdict) return;
    const { timers } = detail.snapshot;
    const attempt = detail.snapshot.kind === 'connection' ? detail.snapshot.attempt : undefined;
    const wanted = Math.max(1, timers.length);
    while (this.next.children.length > wanted) this.next.lastElementChild?.remove();
    while (this.next.children.length < wanted) this.next.append(nextLine());
    if (timers.length === 0) fillLine(this.next.firstElementChild, verdict.waitsFor, '', undefined);
    timers.forEach((timer, index) => {
      const words = `${comingWords(timer.name, attempt)} at ${timeOfDay(timer.at)}`;
      fillLine(this.next.children[index], words, dueWords(timer.at, now), left(timer, now));
    });
  }

  /** What a screen reader says when the state changes. */
  get spoken(): string {
    const { detail, verdict } = this;
    return detail && verdict
      ? `${detail.snapshot.name}: ${placeOf(detail.snapshot).replace('.', ', ')}. ${verdict.headline}.`
      : '';
  }
}

function nextLine(): HTMLElement {
  return el(
    'li',
    {},
    el('span', { class: 'what' }),
    el('b', { class: 'due' }),
    el('span', { class: 'gauge' }, el('i')),
  );
}

/** @param rest what is left of the wait, 1 to 0; undefined where there is none */
function fillLine(line: Element | undefined | null, words: string, due: string, rest: number | undefined): void {
  if (!line) return;
  const [what, when, gauge] = line.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
  write(what, words);
  write(when, due);
  gauge.hidden = rest === undefined;
  (gauge.firstElementChild as HTMLElement).style.setProperty('transform', `scaleX(${(rest ?? 0).toFixed(3)})`);
}
