import type { Server } from '../server.js';
import { idOf, living, type Seen } from './seen.js';
import type { Row, Rows } from './wire.js';

/** The time is looked at after so many. */
const STRIDE = 32;

/**
 * The list of all that lives, as the pages know it. Looking at everybody may take long, so it is done in rounds, and a
 * round in pieces. Between rounds it holds no one: what a program lets go is gone here as well. It asks for no snapshots,
 * which cost many times as much, and wakes no peer.
 */
export class Roll {
  private rows = new Map<string, Row>();
  private round: Iterator<Row> | undefined;
  private met = new Set<string>();

  /** The whole list, as far as it was looked at. */
  all(): Rows {
    return { type: 'rows', now: Date.now(), all: true, rows: [...this.rows.values()], gone: [] };
  }

  /** A round has begun and is not over. */
  get isAtWork(): boolean {
    return this.round !== undefined;
  }

  /**
   * Goes on with the round, or begins one.
   *
   * @param until monotonic milliseconds
   * @returns what changed; undefined where nothing did
   */
  look(until: number): Rows | undefined {
    this.round ??= this.everybody();
    const changed: Row[] = [];
    for (let count = 1; count % STRIDE !== 0 || performance.now() < until; count += 1) {
      const { value: row, done } = this.round.next();
      if (done) return this.tell(changed, this.end());
      this.met.add(row.id);
      const old = this.rows.get(row.id);
      if (old && isSame(old, row)) continue;
      this.rows.set(row.id, row);
      changed.push(row);
    }
    return this.tell(changed, []);
  }

  /** Nobody looks any more. */
  forget(): void {
    this.rows = new Map();
    this.met = new Set();
    this.round = undefined;
  }

  /** The round is over. @returns the ids of those who were not met in it */
  private end(): readonly string[] {
    const { met, rows } = this;
    this.round = undefined;
    this.met = new Set();
    const gone = [...rows.keys()].filter((id) => !met.has(id));
    for (const id of gone) rows.delete(id);
    return gone;
  }

  private tell(rows: readonly Row[], gone: readonly string[]): Rows | undefined {
    return rows.length + gone.length === 0 ? undefined : { type: 'rows', now: Date.now(), all: false, rows, gone };
  }

  /** Connections and servers first: there are few of them, and whoever waits for the list wants to see them. */
  private *everybody(): Generator<Row, undefined, undefined> {
    const servers: Server[] = [];
    for (const one of living()) {
      if (one.kind === 'server') servers.push(one);
      const row = readable(() => this.rowOf(one, one.kind === 'server' ? this.rows.get(idOf(one)) : ratesOf(one)));
      if (row) yield row;
    }
    for (const server of servers) yield* this.peersOf(server);
    return undefined;
  }

  /** Then the server again, with the sums. */
  private *peersOf(server: Server): Generator<Row, undefined, undefined> {
    const parent = idOf(server);
    const sum = { rx: 0, tx: 0, rxBytes: 0, txBytes: 0 };
    for (const peer of server.peers) {
      const row = readable(() => this.rowOf(peer, ratesOf(peer), parent));
      if (!row) continue;
      sum.rx += row.rx;
      sum.tx += row.tx;
      sum.rxBytes += row.rxBytes;
      sum.txBytes += row.txBytes;
      yield row;
    }
    const row = readable(() => this.rowOf(server, sum));
    if (row && row.state !== 'disposed') yield row;
    return undefined;
  }

  private rowOf(one: Seen, { rx, tx, rxBytes, txBytes }: Rates = STILL, parent?: string): Row {
    const id = idOf(one);
    const { kind, state, reason } = one;
    const substate = one.kind === 'server' ? undefined : one.substate;
    return {
      id,
      kind,
      // It never changes, and is put together anew each time it is asked for.
      name: this.rows.get(id)?.name ?? one.name,
      ...(parent !== undefined && { parent }),
      state,
      ...(substate !== undefined && { substate }),
      since: one.history.at(-1)?.at ?? one.snapshot.since,
      ...(reason && { reason: { code: reason.code, message: reason.message, at: reason.at } }),
      rx,
      tx,
      rxBytes,
      txBytes,
    };
  }
}

/** One that cannot be read, as of a copy of another version, is left out: a look harms nobody. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

type Rates = Pick<Row, 'rx' | 'tx' | 'rxBytes' | 'txBytes'>;

const STILL: Rates = { rx: 0, tx: 0, rxBytes: 0, txBytes: 0 };

function ratesOf(one: Exclude<Seen, Server>): Rates {
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
