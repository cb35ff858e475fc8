/** What became of each attempt, read out of a history: the pattern of the last ones tells one failure from another. */
import type { Passed } from './wire.js';

export interface Attempt {
  readonly epoch: number;
  readonly from: number;
  /** When TCP and greeting were done. */
  readonly openedAt: number | undefined;
  /** When its first byte came. */
  readonly liveAt: number | undefined;
  readonly staleAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

type Draft = { -readonly [K in keyof Attempt]: Attempt[K] };

/** Oldest first. The first may be cut: a history is kept for the last transitions only. */
export function attemptsOf(history: readonly Passed[]): Attempt[] {
  const attempts: Draft[] = [];
  for (const { at, epoch = 0, to, reason } of history) {
    const [state, substate] = to.split('.');
    if (epoch === 0 || to === 'connecting.greeting') continue;
    let one = attempts.at(-1);
    if (!one || one.epoch !== epoch) {
      if (state === 'disconnected' || state === 'disposed') continue;
      one = { epoch, from: at, openedAt: undefined, liveAt: undefined, staleAt: undefined } as Draft;
      attempts.push(one);
    }
    if (state === 'connected') one.openedAt ??= at;
    if (substate === 'live') one.liveAt ??= at;
    if (state === 'stale') one.staleAt ??= at;
    if (state === 'stale' || state === 'disconnected' || state === 'disposed') {
      one.endedAt ??= at;
      one.code ??= reason?.code;
      one.message ??= reason?.message;
    }
  }
  return attempts;
}

/** How far it came: the word under which operators look for it. */
export function outcome(one: Attempt): 'no line' | 'no byte' | 'dropped at once' | 'lost' | 'up' | 'dialing' {
  if (one.endedAt === undefined) return one.openedAt === undefined ? 'dialing' : 'up';
  if (one.openedAt === undefined) return 'no line';
  if (one.liveAt !== undefined) return 'lost';
  return one.staleAt === undefined ? 'dropped at once' : 'no byte';
}
