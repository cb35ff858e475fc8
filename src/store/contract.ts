/**
 * What a store of sessions has to do. It sees numbers and bytes: what is secret is sealed before it comes here.
 *
 * ```text
 *  id ── head      who the session is, sealed
 *     ── fence     whose word counts: of two processes the one that claimed it last
 *     ── epoch     the number of its newest socket
 *     ── handled   everything of the other side below is handled
 *     ── first     messages of this side from here on are kept
 *     ── blocks    [from 5, next 9] [from 9, next 10] …: these messages, sealed
 *     ── expiry    when nobody wrote for so long, it is over: messages go, head and `handled` are remembered for a while
 * ```
 *
 * Every call is atomic, and what it says has been done survives the store's own end, as far as the store promises that at
 * all. A call that rejects may have been done or not: it is made again, with the same arguments, and must not be done twice
 * by that. Calls of one process about one session never overlap.
 */
import type { Sealer } from './sealing.js';

/** Messages in a row, sealed together: numbers from `from` up to, and without, `next`. */
export interface Block {
  readonly from: number;
  readonly next: number;
  readonly bytes: Uint8Array;
}

/** A session as the store has it. */
export interface StoredSession {
  readonly head: Uint8Array;
  readonly epoch: number;
  readonly handled: number;
  readonly first: number;
  /** In order and without gaps; the first one may begin below `first`. */
  readonly blocks: readonly Block[];
}

/** A session that is over, and still remembered. */
export interface EndedSession {
  readonly head: Uint8Array;
  readonly handled: number;
}

/** What changed of a session. All numbers are absolute, so that to write one twice changes nothing. */
export interface StoreChange {
  readonly id: string;
  /** As it was claimed, or created. */
  readonly fence: string;
  /** Begins a new session under this id, and with the same fence in place of an older one. `alias` finds it as well. */
  readonly create?: { readonly alias: string | undefined } | undefined;
  /** Where it is another one, or the session is new. */
  readonly head?: Uint8Array | undefined;
  /** Never goes down: the higher one stays. */
  readonly epoch: number;
  readonly handled: number;
  readonly first: number;
  /** Behind the last message that is kept: as far as the blocks must come then. */
  readonly next: number;
  /** To be put behind the others; one that begins at `first` takes the place of all. Passed over where it is there already. */
  readonly block?: Block | undefined;
  /** From now on it is over when nobody writes for so long, ms; Infinity for never. */
  readonly keepMs: number;
  /** … and remembered for so long then, ms. */
  readonly rememberMs: number;
  /** It is over: to be remembered, or to be forgotten at once, alias and all. */
  readonly end?: 'remember' | 'forget' | undefined;
}

/**
 * What became of a change:
 *
 * - stored
 * - fenced: another process has claimed the session; nothing was changed
 * - taken: to be created, and there is one of another process under this id or alias
 * - gap: the store has forgotten messages between its blocks and this one; nothing was changed
 * - lost: the session is over, or the store does not know it
 */
export type StoreOutcome = 'stored' | 'fenced' | 'taken' | 'gap' | 'lost';

export interface StoreClaim {
  /** Of whoever claims it from now on; never used before, but by the same call. */
  readonly fence: string;
  /** As which the caller holds it already, where it does. */
  readonly held?: string | undefined;
  /** It must be higher than the one that the store has. Left out by a client, of which nobody asks this. */
  readonly epoch?: number | undefined;
  /** As in `StoreChange`. */
  readonly keepMs: number;
}

/**
 * - held: the caller holds it still, under `held`; the store has the epoch
 * - claimed: the caller holds it from now on, and all others are fenced; it is as it was *before* this epoch
 * - stale: not a higher epoch; nothing was changed
 * - ended, unknown: it cannot be had any more
 */
export type StoreClaimed =
  | { readonly outcome: 'held' }
  | { readonly outcome: 'claimed'; readonly session: StoredSession }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'ended'; readonly session: EndedSession }
  | { readonly outcome: 'unknown' };

export type StoreFound =
  | { readonly outcome: 'live'; readonly session: StoredSession }
  | { readonly outcome: 'ended'; readonly session: EndedSession }
  | { readonly outcome: 'unknown' };

/** Where sessions outlive their process. Every call rejects with what went wrong when the store cannot be reached. */
export interface SessionStore {
  /** Seals what it is given; absent where what it keeps never leaves the process. */
  readonly sealer?: Sealer | undefined;
  /** The id of the session that was created with this alias, also when it is over. */
  find(alias: string): Promise<string | undefined>;
  /** Looks, and changes nothing. */
  load(id: string): Promise<StoreFound>;
  /**
   * Takes a session over. In this order: `fence` has it already (the call was made before): claimed. `held` has it: held.
   * The epoch is not higher: stale. Else: claimed.
   */
  claim(id: string, claim: StoreClaim): Promise<StoreClaimed>;
  /** Writes changes of different sessions, each by itself: what becomes of one does not matter to the others. */
  write(changes: readonly StoreChange[]): Promise<readonly StoreOutcome[]>;
  /** Gives back what it has opened. */
  close(): Promise<void>;
}
