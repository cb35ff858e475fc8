/** The tables of the last events and of the history. */
import { byId, el, set } from './dom.js';
import { shapeOf } from './shapes.js';
import { historyWords } from './verdict.js';
import type { Passed, Step } from './wire.js';
import { count, dataWords, exactTime, span } from './words.js';

/** So many events are shown; the recording has more. */
export const EVENTS = 60;

export class TablesView {
  private readonly events = table(['Time', 'Event', 'Data', 'From', 'To']);
  private readonly history = table(['Entered', 'State', 'Stayed', 'Epoch', 'Cause', 'Reason']);
  private steps: readonly Step[] = [];
  private passed: readonly Passed[] = [];

  constructor(travel: (at: number) => void) {
    for (const [id, { table }] of [
      ['events', this.events],
      ['history', this.history],
    ] as const) {
      const box = byId(id).querySelector('.table');
      if (!box) continue;
      // What scrolls must be reached by the keyboard.
      set(box, 'tabindex', 0);
      box.append(table);
    }
    for (const { body } of [this.events, this.history]) {
      body.addEventListener('click', ({ target }) => {
        const at = (target as Element).closest<HTMLElement>('button[data-at]')?.dataset.at;
        if (at !== undefined) travel(Number(at));
      });
    }
  }

  /** @param steps newest first; @param passed oldest first */
  show(steps: readonly Step[], passed: readonly Passed[], at: number): void {
    if (steps.length !== this.steps.length || steps[0] !== this.steps[0]) {
      const fresh = this.steps[0] ? steps.indexOf(this.steps[0]) : -1;
      this.steps = steps;
      // What is new comes on top; the rest stays as it is.
      if (fresh > 0) {
        this.events.body.prepend(...steps.slice(0, fresh).map(eventRow));
        while (this.events.body.children.length > steps.length) this.events.body.lastElementChild?.remove();
      } else if (fresh < 0 || steps.length !== this.events.body.children.length) {
        this.events.body.replaceChildren(...steps.map(eventRow));
      }
      if (steps.length === 0) this.events.body.append(nothing(5, 'No step since this page watches.'));
    }
    if (passed !== this.passed) {
      this.passed = passed;
      const rows = passed.map((one, index) => historyRow(one, passed[index + 1]?.at)).reverse();
      this.history.body.replaceChildren(...(rows.length > 0 ? rows : [nothing(6, 'Nothing happened yet.')]));
      const words = byId('history-words');
      words.textContent = historyWords(passed);
    }
    const present = passed.findLast((one) => one.at <= at);
    for (const row of this.history.body.children) {
      set(row, 'aria-current', (row as HTMLElement).dataset.at === String(present?.at) ? 'true' : undefined);
    }
  }
}

function table(heads: readonly string[]): { table: HTMLTableElement; body: HTMLTableSectionElement } {
  const body = el('tbody');
  const head = el('thead', {}, el('tr', {}, ...heads.map((one) => el('th', { scope: 'col' }, one))));
  return { table: el('table', {}, head, body), body };
}

function nothing(columns: number, words: string): HTMLElement {
  return el('tr', {}, el('td', { colspan: columns, class: 'quiet' }, words));
}

function timeButton(at: number): HTMLElement {
  return el('button', { type: 'button', class: 'time', 'data-at': at, title: 'Look at this moment' }, exactTime(at));
}

function stateCell(place: string): HTMLElement {
  return el('td', {}, el('span', { class: 'state' }, shapeOf(place), place));
}

function eventRow({ at, event, from, to }: Step): HTMLElement {
  return el(
    'tr',
    {},
    el('td', {}, timeButton(at)),
    el('td', { class: 'event' }, event.type),
    el('td', { class: 'data' }, dataWords(event.data)),
    el('td', { class: 'quiet' }, from),
    from === to ? el('td', { class: 'quiet' }, 'stays') : stateCell(to),
  );
}

function historyRow({ at, epoch, to, cause, reason }: Passed, until: number | undefined): HTMLElement {
  return el(
    'tr',
    { 'data-at': at },
    el('td', {}, timeButton(at)),
    stateCell(to),
    el('td', { class: 'right' }, until === undefined ? '' : span(until - at)),
    el('td', { class: 'right' }, epoch === undefined ? '' : count(epoch)),
    el('td', { class: 'event' }, cause),
    el('td', { class: 'data' }, reason ? `${reason.code}: ${reason.message}` : ''),
  );
}
