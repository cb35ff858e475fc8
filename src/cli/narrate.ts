import type { Connection } from '../connection.js';
import type { Loss } from '../delivery/ledger.js';
import { millis } from '../line/explain.js';
import { count, messages, type Style } from './paper.js';

/** The events that are told; messages are not among them. */
export type Told =
  | 'connecting'
  | 'connected'
  | 'live'
  | 'stale'
  | 'disconnected'
  | 'failed'
  | 'disposed'
  | 'dropped'
  | 'warning'
  | 'error';

/** Hears of one event: its name, a sentence on it, and the plain values behind. */
export type Listener = (name: Told, sentence: string, facts: object) => void;

/** How an event looks on a terminal. */
export const styles: Readonly<Record<Told, Style>> = {
  connecting: 'dim',
  connected: 'green',
  live: 'green',
  stale: 'yellow',
  disconnected: 'yellow',
  failed: 'red',
  disposed: 'dim',
  dropped: 'yellow',
  warning: 'yellow',
  error: 'red',
};

/** Tells the life of a connection in sentences. */
export function narrate(connection: Connection, tell: Listener): void {
  connection
    .on('connecting', (event) => {
      tell('connecting', `connecting to ${connection.name}: attempt ${event.attempt}, epoch ${event.epoch}`, event);
    })
    .on('connected', (event) => tell('connected', `connected: epoch ${event.epoch}`, event))
    .on('live', (event) => tell('live', `live: the first byte came after ${millis(event.afterMs)}`, event))
    .on('stale', (event) => {
      tell('stale', `stale: silent for ${millis(event.silentForMs)}; the socket is thrown away`, event);
    })
    .on('disconnected', ({ error: _, ...event }) => {
      const next = event.retryInMs === undefined ? '' : `; next attempt in ${millis(event.retryInMs)}`;
      tell('disconnected', `disconnected: ${event.reason.message}${lossWords(event)}${next}`, event);
    })
    .on('failed', ({ reason }) => tell('failed', `gave up: ${reason.message}`, { reason }))
    .on('disposed', (event) => tell('disposed', `disposed: ${event.reason.message}${lossWords(event)}`, event))
    .on('dropped', (event) => {
      tell('dropped', `dropped: ${messages(event.messages)} will not be sent (${event.code})`, event);
    })
    .on('warning', (event) => tell('warning', `warning: ${event.message}`, event))
    .on('error', (error) => tell('error', `error: ${error.message}`, { code: error.code, message: error.message }));
}

/** `; 12 messages unknown (written, perhaps lost); 3 held` */
function lossWords({ unknown, held }: Loss): string {
  const words = [];
  if (unknown) words.push(`; ${messages(unknown.messages)} unknown`);
  if (held) words.push(`; ${count(held.messages)} held for the next line`);
  return words.join('');
}
