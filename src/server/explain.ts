import type { BoundAddress } from '../environment.js';
import type { NinjaTcpError, Reason } from '../errors.js';
import { timeOfDay } from '../line/explain.js';
import { boundWords } from '../target.js';
import type { ServerState } from './events.js';

/** What there is to tell of a server. */
interface Standing {
  readonly state: ServerState;
  readonly bound: BoundAddress | undefined;
  /** Wall-clock milliseconds since 1970. */
  readonly since: number;
  readonly peers: number;
  /** Why it is paused, or ended. */
  readonly reason: Reason | undefined;
  readonly lastError: NinjaTcpError | undefined;
}

/** `listening on [::]:9 since 12:03:07; 3 peers` */
export function serverWords({ state, bound, since, peers, reason, lastError }: Standing): string {
  const where = bound ? ` on ${boundWords(bound)}` : '';
  const begin = `${state}${where} since ${timeOfDay(since)}`;
  if (state === 'disposed') return `${begin}: ${reason?.message}`;
  const refusal = lastError?.code === 'NINJA_LISTEN_FAILED' ? `; tried, and ${lastError.message}` : '';
  const why = state === 'paused' ? `: ${reason?.message}${refusal}` : '';
  return `${begin}${why}; ${peers} ${peers === 1 ? 'peer' : 'peers'}`;
}
