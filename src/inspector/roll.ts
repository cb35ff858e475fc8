import { idOf, living, type Seen } from './seen.js';
import type { Row, Rows } from './wire.js';

/**
 * The list of all that lives, as the pages know it. It holds no one: what a program lets go is gone here as well. It
 * asks for no snapshots, which cost ten times as much, and wakes no peer.
 */
export class Roll {
  private rows = new Map<string, Row>();

  /** The whole list, as it was last looked at. */
  all(): Rows {
    return { type: 'rows', now: Date.now(), all: true, rows: [...this.rows.values()], gone: [] };
  }

  /** Looks at everybody. @returns what changed; undefined where nothing did */
  look(): Rows | undefined {
    const before = this.rows;
    const rows = new Map<string, Row>();
    const changed: Row[] = [];
    const note = (row: Row): void => {
      const old = before.get(row.id);
      rows.set(row.id, old && isSame(old, row) ? old : row);
      if (rows.get(row.id) !== old) changed.push(row);
    };
    for (const one of living()) {
      if (one.kind === 'connection') note({ ...headOf(one), ...ratesOf(one) });
      else {
        const head = headOf(one);
        const sum: Writable<Rates> = { rx: 0, tx: 0, rxBytes: 0, txBytes: 0 };
        for (const peer of one.peers) {
          const rates = ratesOf(peer);
          sum.rx += rates.rx;
          sum.tx += rates.tx;
          sum.rxBytes += rates.rxBytes;
          sum.txBytes += rates.txBytes;
          note({ ...headOf(peer), parent: head.id, ...rates });
        }
        note({ ...head, ...sum });
      }
    }
    this.rows = rows;
    const gone = [...before.keys()].filter((id) => !rows.has(id));
    if (changed.length + gone.length === 0) return undefined;
    return { type: 'rows', now: Date.now(), all: false, rows: changed, gone };
  }

  /** Nobody looks any more. */
  forget(): void {
    this.rows = new Map();
  }
}

type Rates = Pick<Row, 'rx' | 'tx' | 'rxBytes' | 'txBytes'>;
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function headOf(one: Seen): Omit<Row, keyof Rates> {
  const { kind, name, state, reason } = one;
  const substate = one.kind === 'server' ? undefined : one.substate;
  return {
    id: idOf(one),
    kind,
    name,
    state,
    ...(substate !== undefined && { substate }),
    since: one.history.at(-1)?.at ?? one.snapshot.since,
    ...(reason && { reason: { code: reason.code, message: reason.message, at: reason.at } }),
  };
}

function ratesOf(one: Exclude<Seen, { kind: 'server' }>): Rates {
  const { received, sent } = one.stats();
  return {
    rx: received.messagesPerSecond,
    tx: sent.messagesPerSecond,
    rxBytes: received.bytesPerSecond,
    txBytes: sent.bytesPerSecond,
  };
}

/** What an id stands for never changes its kind, its name and its server. */
function isSame(a: Row, b: Row): boolean {
  return (
    a.state === b.state &&
    a.substate === b.substate &&
    a.since === b.since &&
    a.reason?.at === b.reason?.at &&
    a.reason?.code === b.reason?.code &&
    a.reason?.message === b.reason?.message &&
    a.rx === b.rx &&
    a.tx === b.tx &&
    a.rxBytes === b.rxBytes &&
    a.txBytes === b.txBytes
  );
}
