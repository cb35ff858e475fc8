import type { KeptSession } from '../protocol/session/kept.js';
import type { SessionEnd, SessionKeeper, SessionMarks } from '../protocol/session/ports.js';
import type { StoreChange } from '../store/contract.js';
import type { Codec } from './codec.js';

/** How long a session is kept after the last write, and remembered after that, ms. */
export interface Keeping {
  readonly keepMs: number;
  readonly rememberMs: number;
}

/** Whom an entry tells. */
export interface EntryDriver {
  changed(entry: Entry): void;
  overdue(entry: Entry): void;
  drop(entry: Entry): void;
  gone(entry: Entry): void;
  parting(entry: Entry): void;
}

/** A change on its way to the store. */
export interface Flight {
  readonly entry: Entry;
  readonly session: KeptSession;
  readonly marks: SessionMarks;
  readonly change: StoreChange;
}

/** What the driver knows of a session, and the session's keeper. */
export class Entry implements SessionKeeper {
  /** The store has it. */
  created = false;
  /** Of the head that the store has. */
  identity = 0;
  /** There is something that the store does not have, beside what is on its way. */
  dirty = false;
  inFlight = false;
  /** Since when it waits for the store, ms; Infinity where it does not. */
  since = Number.POSITIVE_INFINITY;
  writtenAt = 0;
  /** The store has forgotten messages: it gets all of them again. */
  whole = false;
  /** The last that is written of it, since it ends here; its session may be empty by then. */
  last: Flight | undefined;
  /** How it is to end in the store. */
  end: 'remember' | 'forget' | undefined;
  /** Nothing more of it is written: it is over, or somebody else's. */
  gone = false;
  /** To be called when the store has all, or will never have it. */
  readonly waiters: (() => void)[] = [];

  constructor(
    readonly id: string,
    readonly fence: string,
    readonly alias: string | undefined,
    public session: KeptSession,
    readonly keeping: () => Keeping,
    private readonly driver: EntryDriver,
  ) {}

  changed(): void {
    if (this.dirty || this.gone) return;
    this.dirty = true;
    this.driver.changed(this);
  }

  overdue(): void {
    this.driver.overdue(this);
  }

  ended(end: SessionEnd): void {
    if (this.gone) return;
    const code = end.how === 'lost' ? end.code : undefined;
    if (code === 'PARTED') {
      this.driver.parting(this);
      return;
    }
    if (code === 'TAKEN_OVER' || (!this.created && !this.inFlight)) {
      this.driver.drop(this);
      return;
    }
    // Nothing can be said of one that carried nothing; and a client does not look back.
    this.end = this.session.unused || this.alias === undefined ? 'forget' : 'remember';
    this.changed();
  }

  /** Nothing more of it is written. */
  leave(): void {
    this.gone = true;
    this.dirty = false;
    this.driver.gone(this);
  }

  /** Another session in the place of one that has ended: of a client, which has one at a time. */
  succeed(session: KeptSession): void {
    this.session = session;
    this.created = false;
    this.identity = 0;
    this.end = undefined;
    this.last = undefined;
    this.gone = false;
  }

  /** What the store has to be told now, with at most so many bytes of messages, but one message at least. */
  take(codec: Codec, mostBytes: number): Flight {
    if (this.last) {
      this.dirty = false;
      this.inFlight = true;
      return this.last;
    }
    const { id, fence, session, end } = this;
    const fresh = !this.created;
    const all = session.marks();
    const from = fresh || this.whole ? all.first : Math.max(all.first, session.sender.storedNext);
    const payloads = end ? [] : upTo(mostBytes, session.sender.kept(from, all.next));
    const marks = end ? all : { ...all, next: from + payloads.length };
    const { epoch, handled, first, next } = marks;
    this.dirty = next < all.next;
    this.inFlight = true;
    const change: StoreChange = {
      id,
      fence,
      create: fresh ? { alias: this.alias } : undefined,
      head: fresh || this.identity !== marks.identity ? codec.head(id, session.head()) : undefined,
      epoch,
      handled,
      first,
      next,
      block: payloads.length > 0 ? codec.block(id, from, payloads) : undefined,
      ...this.keeping(),
      end,
    };
    return { entry: this, session, marks, change };
  }
}

function upTo(mostBytes: number, payloads: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0;
  const count = payloads.findIndex(({ length }, index) => {
    bytes += length;
    return bytes > mostBytes && index > 0;
  });
  return count < 0 ? payloads : payloads.slice(0, count);
}
