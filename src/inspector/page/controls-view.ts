/** Orders to the chosen one, where they are allowed; grave ones are asked about first. */
import { button, byId, el, set } from './dom.js';
import { type OrderWords, ordersFor } from './orders.js';
import type { Kind, Order } from './wire.js';

export interface ControlsOwner {
  order(order: Order): void;
}

export class ControlsView {
  private readonly group = byId('controls');
  private readonly dialog = byId<HTMLDialogElement>('ask');
  private key = '';

  constructor(private readonly owner: ControlsOwner) {}

  /** @param name whom the orders concern, for the question */
  show(allowed: boolean, kind: Kind, place: string, name: string): void {
    const key = `${allowed} ${kind} ${place} ${name}`;
    if (key === this.key) return;
    this.key = key;
    if (!allowed) {
      this.group.replaceChildren(el('p', { class: 'quiet' }, 'Read only: orders need allowControl.'));
      return;
    }
    const focused = document.activeElement?.getAttribute('data-order');
    const buttons = ordersFor(kind, place).map((one) => {
      const order = button(
        one.label,
        { 'data-order': one.order, title: one.words, class: one.grave ? 'grave' : '' },
        () => {
          if (order.getAttribute('aria-disabled') === 'true') return;
          if (one.grave) this.ask(one, name);
          else this.owner.order(one.order);
        },
      );
      // Not `disabled`: that would throw the focus away when the state changes under it.
      set(order, 'aria-disabled', one.useful ? undefined : 'true');
      return order;
    });
    this.group.replaceChildren(...buttons);
    if (focused) buttons.find((one) => one.dataset.order === focused)?.focus();
  }

  private ask({ order, label, words }: OrderWords, name: string): void {
    const verb = label.replace('…', '');
    const yes = button(verb, { class: 'grave primary' }, () => {
      this.dialog.close();
      this.owner.order(order);
    });
    const no = button('Leave it', { autofocus: true }, () => this.dialog.close());
    this.dialog.replaceChildren(
      el('h2', { id: 'ask-title' }, `${verb} ${name}?`),
      el('p', {}, words),
      el('div', { class: 'buttons' }, no, yes),
    );
    this.dialog.showModal();
  }
}
