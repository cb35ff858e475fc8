/** Which orders may be given to whom, and what they do. */
import type { Kind, Order } from './wire.js';

export interface OrderWords {
  readonly order: Order;
  readonly label: string;
  /** What it does, for a tip and for the question before it. */
  readonly words: string;
  /** Asked before: it cannot be undone. */
  readonly grave: boolean;
}

const all: readonly OrderWords[] = [
  { order: 'connect', label: 'Connect', words: 'Wants the line again, and dials.', grave: false },
  {
    order: 'reconnectNow',
    label: 'Reconnect now',
    words: 'Throws the line away, or ends the wait, and dials at once.',
    grave: false,
  },
  { order: 'disconnect', label: 'Disconnect', words: 'Wants no line for now; what is held is kept.', grave: false },
  { order: 'close', label: 'Close…', words: 'Hands over what was accepted, then ends for good.', grave: true },
  { order: 'dispose', label: 'Dispose…', words: 'Ends at once and for good; what is held is lost.', grave: true },
];

const useful: Readonly<Record<Order, (place: string) => boolean>> = {
  connect: (place) => place.startsWith('disconnected'),
  reconnectNow: (place) =>
    place === 'disconnected.waiting' || (place.startsWith('connected') && place !== 'connected.draining'),
  disconnect: (place) => /^(connecting|connected|stale|disconnected\.waiting)/.test(place),
  close: (place) => place !== 'disposed' && !place.endsWith('draining'),
  dispose: (place) => place !== 'disposed',
};

/** @param place where it stands: `connected.live` */
export function ordersFor(kind: Kind, place: string): readonly (OrderWords & { readonly useful: boolean })[] {
  return all
    .filter(({ order }) => kind === 'connection' || order === 'close' || order === 'dispose')
    .map((one) => ({ ...one, useful: useful[one.order](place) }));
}
