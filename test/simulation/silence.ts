/** No false alarm, and none missed: what the library says of silence, held against what the sockets really heard. */
import type { Faults } from './faults.js';
import type { Tapped } from './tap.js';

export interface Rule {
  readonly hearer: string;
  readonly speaker: string;
  readonly staleAfter: number;
  readonly heartbeat: number;
  /** The speaker's. */
  readonly otherHeartbeat: number;
  /** Two ways through the healthy network at its slowest, milliseconds. */
  readonly roundTrip: number;
}

/** Roundings of timers, and the wait for the kernel, milliseconds. */
const GRAIN = 5;
/** Beyond this lateness of a timer the library knows that it was away. */
const LATE = 250;

/** The beginning of the silence that counts. */
function quietSince(tapped: Tapped, restartedAt: number): number {
  return Math.max(tapped.heardAt, tapped.resumedAt, tapped.openedAt, restartedAt);
}

/** The verdict was `stale`: gives what is wrong with it. @param restartedAt when the greeting was over */
export function falseAlarm(
  rule: Rule,
  tapped: Tapped,
  faults: Faults,
  told: { readonly now: number; readonly silentForMs: number; readonly restartedAt: number },
): string | undefined {
  const { staleAfter, heartbeat, otherHeartbeat, roundTrip, hearer, speaker } = rule;
  const { now, silentForMs } = told;
  const since = quietSince(tapped, told.restartedAt);
  const silent = now - since;
  const words = `stale on ${hearer}`;
  if (staleAfter === 0) return `${words}, and staleAfter is 0`;
  if (tapped.paused) return `${words}, and we had paused reading`;
  if (Math.abs(silentForMs - (now - tapped.heardAt)) > 1) {
    return `${words}: told ${silentForMs} ms of silence, the last byte came ${now - tapped.heardAt} ms ago`;
  }
  if (silent < staleAfter - 0.001) return `${words} after ${silent} ms of silence, staleAfter is ${staleAfter}`;
  const shaken = faults.shakenUntil(hearer) >= since - staleAfter - LATE;
  if (!shaken && silent > staleAfter + 2) return `${words} late: after ${silent} ms, staleAfter is ${staleAfter}`;
  const wanted = staleAfter - otherHeartbeat - roundTrip - GRAIN;
  // Who is away for less than a heartbeat and 250 ms cannot know that he was: then a block is a silence like others.
  const blocksCount = heartbeat + otherHeartbeat + LATE + roundTrip >= staleAfter;
  const excused = faults.silent(hearer, speaker, since, now, blocksCount);
  if (excused >= wanted) return undefined;
  const withBlocks = faults.silent(hearer, speaker, since, now, true);
  if (excused > 0 && withBlocks >= wanted) return undefined;
  return `a false alarm: ${words} after ${silent} ms, of which ${speaker} could not be heard for ${excused} ms`;
}

/** The line is up and nothing was said: gives what is wrong with that. */
export function missedAlarm(
  rule: Rule,
  tapped: Tapped,
  faults: Faults,
  now: number,
  restartedAt: number,
): string | undefined {
  const { staleAfter, hearer } = rule;
  if (staleAfter === 0 || tapped.paused || tapped.ended || tapped.over) return undefined;
  const since = quietSince(tapped, restartedAt);
  const silent = now - since;
  if (silent <= staleAfter + GRAIN) return undefined;
  // After an absence of ours it may ask once more, and wait for the answer.
  const shakenUntil = faults.shakenUntil(hearer);
  const shaken = shakenUntil >= since - staleAfter - LATE;
  if (shaken && now - Math.max(since, shakenUntil) <= 3 * staleAfter + LATE) return undefined;
  return faults.frozen(hearer)
    ? undefined
    : `not noticed on ${hearer}: nothing was heard for ${silent} ms, staleAfter is ${staleAfter}`;
}
