import type { Connection } from '../connection.js';
import { Refusal } from './requests.js';
import { find } from './seen.js';
import type { Kind, Order } from './wire.js';

const everybody: readonly Kind[] = ['connection', 'peer', 'server'];

/** Who knows which order. */
const orders: Readonly<Record<Order, readonly Kind[]>> = {
  connect: ['connection'],
  disconnect: ['connection'],
  reconnectNow: ['connection'],
  close: everybody,
  dispose: everybody,
};

/** Does what a page wants done. @throws Refusal */
export function obey(id: unknown, order: unknown): void {
  if (typeof order !== 'string' || !Object.hasOwn(orders, order)) {
    throw new Refusal(400, `order must be one of ${Object.keys(orders).join(', ')}.`);
  }
  if (typeof id !== 'string') throw new Refusal(400, 'id must be a string.');
  const one = find(id);
  if (!one) throw new Refusal(404, `${id} is no more.`);
  if (!orders[order as Order].includes(one.kind)) throw new Refusal(409, `A ${one.kind} knows no ${order}.`);
  // Whoever waits for the end of it, sees it.
  void (one as Connection)[order as Order]();
}
