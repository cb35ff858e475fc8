/** The keys of the whole page, and the sheet that shows them. */
import { button, byId, el } from './dom.js';

export interface Key {
  /** As `KeyboardEvent.key` says it; the first is shown. */
  readonly on: readonly string[];
  readonly shown?: string;
  readonly words: string;
  act(): void;
}

/** Keys that work in one part of the page only, for the sheet. */
const elsewhere: readonly (readonly [string, string])[] = [
  ['↑ ↓ PgUp PgDn Home End', 'in the list: choose'],
  ['← →', 'in the list: fold or unfold a server’s peers'],
  ['Enter', 'in the list: go to the chosen one'],
  ['+ − arrows', 'in the statechart: larger, smaller, move'],
  ['0 f', 'in the statechart: all of it, follow what happens'],
];

export function listenToKeys(keys: readonly Key[]): void {
  const help = byId<HTMLDialogElement>('help');
  const showHelp = () => {
    const own = keys.map(({ on, shown, words }) => [shown ?? on[0] ?? '', words] as const);
    const lines = [...own, ...elsewhere].map(([key, words]) =>
      el('div', {}, el('dt', {}, ...key.split(' ').map((one) => el('kbd', {}, one))), el('dd', {}, words)),
    );
    help.replaceChildren(
      el('h2', { id: 'help-title' }, 'Keys'),
      el('dl', {}, ...lines),
      el(
        'div',
        { class: 'buttons' },
        button('Close', { autofocus: true }, () => help.close()),
      ),
    );
    help.showModal();
  };
  byId('help-button').addEventListener('click', showHelp);
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]')) return;
    const target = event.target as HTMLElement;
    if (target.matches('input, textarea, select')) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    // A space on a button presses it.
    if (event.key === ' ' && target.matches('button, summary, a')) return;
    if (event.key === '?') showHelp();
    else {
      const key = keys.find(({ on }) => on.includes(event.key));
      if (!key) return;
      key.act();
    }
    event.preventDefault();
  });
}
