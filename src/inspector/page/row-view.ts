/** One row of the list that is in sight. It is used for one line after another. */
import { el, set, write } from './dom.js';
import type { Line } from './list.js';
import { shapeOf, show } from './shapes.js';
import { placeOf } from './wire.js';
import { bytes, lookOf, plural, rate, span } from './words.js';

export class RowView {
  readonly element: HTMLElement;
  readonly fold = el('span', { class: 'fold', 'aria-hidden': 'true' });
  line: Line | undefined;
  private readonly name = el('span', { class: 'who' });
  private readonly below = el('div', { role: 'gridcell', class: 'cell below' });
  private readonly icon = shapeOf('disposed');
  private readonly word = el('span', { class: 'word' });
  private readonly state = el('div', { role: 'gridcell', class: 'cell state' }, this.icon, this.word);
  private readonly since = el('div', { role: 'gridcell', class: 'cell since right' });
  private readonly rx = el('div', { role: 'gridcell', class: 'cell rx right' });
  private readonly tx = el('div', { role: 'gridcell', class: 'cell tx right' });
  private top = -1;

  constructor(index: number) {
    const first = el('div', { role: 'rowheader', class: 'cell name' }, this.fold, this.name);

    this.element = el(
      'div',
      { role: 'row', class: 'row', id: `row-${index}` },
      first,
      this.state,
      this.since,
      this.rx,
      this.tx,
      this.below,
    );
  }

  show(line: Line | undefined, index: number, top: number, chosen: boolean, now: number, open: boolean): void {
    const { element } = this;
    this.line = line;
    if (!line) {
      if (!element.hidden) element.hidden = true;
      return;
    }
    if (element.hidden) element.hidden = false;
    if (top !== this.top) {
      this.top = top;
      element.style.setProperty('transform', `translateY(${top}px)`);
    }
    const { row, depth, members } = line;
    const place = placeOf(row);
    const { tone, word } = lookOf(place);
    set(
      element,
      'class',
      `row ${tone} ${row.kind}${depth === 1 ? ' member' : ''}${members === undefined ? '' : ' group'}`,
    );
    set(element, 'aria-rowindex', index + 2);
    set(element, 'aria-selected', String(chosen));
    set(element, 'aria-level', depth + 1);
    set(element, 'aria-expanded', members === undefined ? undefined : String(open));
    set(element, 'data-id', row.id);
    write(this.fold, members === undefined ? '' : open ? '▾' : '▸');
    write(this.name, row.name);
    const why = this.reasonWords(line);
    write(this.below, `${this.kindWords(line)}${why}`);
    set(this.below, 'class', why ? 'cell below why' : 'cell below');
    show(this.icon, place);
    write(this.word, word);
    set(this.state, 'title', place.replace('.', ', '));
    write(this.since, span(now - row.since));
    write(this.rx, rate(row.rx));
    write(this.tx, rate(row.tx));
    set(this.rx, 'title', `${bytes(row.rxBytes)} a second`);
    set(this.tx, 'title', `${bytes(row.txBytes)} a second`);
  }

  private kindWords({ row, members }: Line): string {
    return members === undefined ? row.kind : `${row.kind} · ${plural(members, 'peer')} below`;
  }

  /** Of a line that is up its last loss is of little interest here. */
  private reasonWords({ row: { state, reason } }: Line): string {
    return reason && state !== 'connected' && state !== 'listening' ? ` · ${reason.message}` : '';
  }
}
