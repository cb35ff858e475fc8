/** The list on the left: of 10,000 rows only those in sight are in the document, and they are used again. */
import { byId, el, set, write } from './dom.js';
import { reveal, visible } from './geometry.js';
import { ALL, type Line, type Query, type RowTable, type SortKey } from './list.js';
import { RowView } from './row-view.js';
import { shapeOf } from './shapes.js';
import { count, plural } from './words.js';

const HEIGHT = 44;
/** Rows keep their places for so long after the mouse moved over them, milliseconds: nobody can click at what jumps. */
const STILL = 1000;

const columns: readonly (readonly [SortKey, string, string])[] = [
  ['name', 'Name', 'wide'],
  ['state', 'State', ''],
  ['since', 'Since', 'right'],
  ['rx', 'In /s', 'right'],
  ['tx', 'Out /s', 'right'],
];

export interface ListOwner {
  readonly chosen: string | undefined;
  readonly now: number;
  choose(id: string): void;
}

export class ListView {
  private query: Query = ALL;
  private lines: readonly Line[] = [];
  private stillUntil = 0;
  /** The rows would stand in another order by now. */
  private waiting = false;
  private readonly pool: RowView[] = [];
  private readonly list = byId('list');
  private readonly scroll = byId('scroll');
  private readonly body = byId('pool');
  private readonly search = byId<HTMLInputElement>('search');
  private readonly heads = new Map<SortKey, HTMLElement>();

  constructor(
    private readonly rows: RowTable,
    private readonly owner: ListOwner,
  ) {
    this.makeHeads();
    this.sayRoles();
    this.search.addEventListener('input', () => this.ask({ text: this.search.value }));
    const grouped = byId<HTMLInputElement>('grouped');
    grouped.addEventListener('change', () => this.ask({ grouped: grouped.checked }));
    this.scroll.addEventListener('scroll', () => this.draw(), { passive: true });
    const still = () => {
      this.stillUntil = performance.now() + STILL;
    };
    this.scroll.addEventListener('pointermove', still, { passive: true });
    this.list.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => {
      // The heads stand above the rows, not above their scroll bar.
      const bar = this.scroll.offsetWidth - this.scroll.clientWidth;
      byId('columns').style.setProperty('margin-right', `${bar}px`);
      this.draw();
    }).observe(this.scroll);
  }

  private sayRoles(): void {
    set(this.list, 'role', 'treegrid');
    set(this.list, 'tabindex', 0);
    set(this.list, 'aria-label', 'Connections, servers and peers');
    set(byId('columns'), 'role', 'row');
    set(byId('columns'), 'aria-rowindex', 1);
    set(this.body, 'role', 'rowgroup');
  }

  private makeHeads(): void {
    for (const [key, label, kind] of columns) {
      const sort = el('button', { type: 'button' }, label);
      sort.addEventListener('click', () => this.sortBy(key));
      const head = el('div', { role: 'columnheader', class: `cell ${key} ${kind}` }, sort);
      this.heads.set(key, head);
      byId('columns').append(head);
    }
  }

  sortBy(key: SortKey): void {
    const { sort, down } = this.query;
    // Rates are wanted highest first.
    this.ask(sort === key ? { down: !down } : { sort: key, down: key === 'rx' || key === 'tx' });
  }

  private ask(change: Partial<Query>): void {
    this.query = { ...this.query, ...change };
    this.stillUntil = 0;
    this.refresh();
  }

  focusSearch(): void {
    this.search.focus();
    this.search.select();
  }

  /** The rows have changed. */
  refresh(): void {
    this.waiting = this.lines.length > 0 && performance.now() < this.stillUntil;
    this.lines = this.waiting ? this.inPlace() : this.rows.arrange(this.query);
    for (const [key, head] of this.heads) {
      const own = key === this.query.sort;
      set(head, 'aria-sort', own ? (this.query.down ? 'descending' : 'ascending') : undefined);
    }
    set(this.list, 'aria-rowcount', this.lines.length + 1);
    this.body.style.setProperty('height', `${this.lines.length * HEIGHT}px`);
    const shown = this.lines.length === this.rows.size ? '' : `${count(this.lines.length)} of `;
    write(byId('tally'), `${shown}${plural(this.rows.size, 'line')}`);
    this.drawStates();
    this.draw();
  }

  /** The lines as they stand, with what is known of them by now. */
  private inPlace(): Line[] {
    return this.lines.flatMap((line) => {
      const row = this.rows.get(line.row.id);
      return row ? [{ ...line, row }] : [];
    });
  }

  private drawStates(): void {
    const group = byId('states');
    const tally = this.rows.tally();
    for (const state of this.query.states) if (!tally.has(state)) tally.set(state, 0);
    const old = new Map([...group.children].map((one) => [(one as HTMLElement).dataset.state ?? '', one]));
    let index = 0;
    for (const [state, many] of tally) {
      const chip = old.get(state) ?? this.makeChip(state);
      old.delete(state);
      if (group.children[index] !== chip) group.insertBefore(chip, group.children[index] ?? null);
      set(chip, 'aria-pressed', String(this.query.states.has(state)));
      if (chip.lastElementChild) write(chip.lastElementChild, count(many));
      index += 1;
    }
    for (const chip of old.values()) chip.remove();
  }

  private makeChip(state: string): HTMLElement {
    const chip = el(
      'button',
      { type: 'button', class: 'chip', 'data-state': state },
      shapeOf(state),
      `${state} `,
      el('b'),
    );
    chip.addEventListener('click', () => {
      const states = new Set(this.query.states);
      if (!states.delete(state)) states.add(state);
      this.ask({ states });
    });
    return chip;
  }

  /** Puts the lines in sight into the rows of the pool. */
  draw(): void {
    if (this.waiting && performance.now() >= this.stillUntil) {
      this.refresh();
      return;
    }
    const { from, to } = visible(this.lines.length, this.scroll.clientHeight, HEIGHT, this.scroll.scrollTop);
    while (this.pool.length < to - from) this.pool.push(this.makeRow());
    const { chosen, now } = this.owner;
    let active: string | undefined;
    // A line keeps its row of the pool while it is in sight: little is written while scrolling.
    for (let i = from; i < from + this.pool.length; i += 1) {
      const view = this.pool[i % this.pool.length] as RowView;
      const line = i < to ? this.lines[i] : undefined;
      view.show(line, i, i * HEIGHT, line?.row.id === chosen, now, line ? !this.query.folded.has(line.row.id) : false);
      if (line && line.row.id === chosen) active = view.element.id;
    }
    set(this.list, 'aria-activedescendant', active);
  }

  private makeRow(): RowView {
    const view = new RowView(this.pool.length);
    view.element.addEventListener('click', (event) => {
      const { line } = view;
      if (!line) return;
      if (event.target === view.fold) this.fold(line);
      else this.owner.choose(line.row.id);
    });
    this.body.append(view.element);
    return view;
  }

  private fold({ row, members }: Line, folded = !this.query.folded.has(row.id)): void {
    if (members === undefined) return;
    const all = new Set(this.query.folded);
    if (folded) all.add(row.id);
    else all.delete(row.id);
    this.ask({ folded: all });
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.list) return;
    const at = this.lines.findIndex(({ row }) => row.id === this.owner.chosen);
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / HEIGHT) - 1);
    const line = this.lines[at];
    const goals: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.lines.length - 1,
    };
    const goal = goals[event.key];
    if (goal !== undefined) this.goTo(Math.min(Math.max(goal, 0), this.lines.length - 1));
    else if (event.key === 'ArrowLeft' && line) {
      if (line.depth === 1) this.owner.choose(line.row.parent as string);
      else this.fold(line, true);
    } else if (event.key === 'ArrowRight' && line) this.fold(line, false);
    else if (event.key === 'Enter') byId('chosen').focus();
    else return;
    event.preventDefault();
  }

  private goTo(index: number): void {
    const line = this.lines[index];
    if (!line) return;
    this.scroll.scrollTop = reveal(index, this.scroll.clientHeight, HEIGHT, this.scroll.scrollTop);
    this.owner.choose(line.row.id);
  }
}
