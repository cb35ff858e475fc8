/** The list of all connections, servers and peers: what is shown of it, and in which order. Made for 10,000 rows. */
import { placeOf, type Row } from './wire.js';
import { lookOf, TONES } from './words.js';

export type SortKey = 'name' | 'state' | 'since' | 'rx' | 'tx';

export interface Query {
  /** Each word of it has to occur somewhere in the row. */
  readonly text: string;
  /** States that are shown; all where it is empty. */
  readonly states: ReadonlySet<string>;
  readonly sort: SortKey;
  readonly down: boolean;
  /** Peers stand under their server. */
  readonly grouped: boolean;
  /** Servers whose peers are folded away. */
  readonly folded: ReadonlySet<string>;
}

export const ALL: Query = {
  text: '',
  states: new Set(),
  sort: 'state',
  down: false,
  grouped: false,
  folded: new Set(),
};

/** One line as it is drawn. */
export interface Line {
  readonly row: Row;
  /** 1 for a peer under its server. */
  readonly depth: 0 | 1;
  /** Peers that stand under it; undefined where it is no group. */
  readonly members: number | undefined;
}

/** A row, and what is worth knowing of it for searching and sorting: it changes seldom. */
interface Known {
  row: Row;
  name: string;
  severity: number;
  haystack: string;
}

/** The rows of the list, kept in order. With 10,000 of them that change at once, this is what has to be quick. */
export class RowTable {
  private readonly known = new Map<string, Known>();
  /** In the order of last time: almost right for the next. */
  private order: Known[] = [];
  /** What `order` is sorted by; undefined where rows came, went or changed what it is sorted by. */
  private sorted: string | undefined;

  get size(): number {
    return this.known.size;
  }

  get(id: string): Row | undefined {
    return this.known.get(id)?.row;
  }

  apply(change: { readonly all: boolean; readonly rows: readonly Row[]; readonly gone: readonly string[] }): void {
    if (change.all || change.gone.length > 0) this.forget(change.all ? [...this.known.keys()] : change.gone);
    for (const row of change.rows) {
      const known = this.known.get(row.id);
      if (known) this.renew(known, row);
      else this.add(row);
    }
  }

  private forget(gone: readonly string[]): void {
    for (const id of gone) this.known.delete(id);
    this.order = this.order.filter((one) => this.known.get(one.row.id) === one);
  }

  private add(row: Row): void {
    const known = know(row);
    this.known.set(row.id, known);
    this.order.push(known);
    this.sorted = undefined;
  }

  private renew(known: Known, row: Row): void {
    const { row: before } = known;
    known.row = row;
    const sameWords =
      before.name === row.name &&
      before.state === row.state &&
      before.substate === row.substate &&
      before.reason?.at === row.reason?.at &&
      before.reason?.message === row.reason?.message;
    if (!sameWords) Object.assign(known, know(row));
    // Rates change all the time; who sorts by names need not sort again for that.
    if (!sameWords || this.sorted?.startsWith('rx') || this.sorted?.startsWith('tx') || before.since !== row.since) {
      this.sorted = undefined;
    }
  }

  /** How many there are in each state, the worst state first. */
  tally(): Map<string, number> {
    const counts = new Map<string, { state: string; severity: number; count: number }>();
    for (const { row, severity } of this.known.values()) {
      const one = counts.get(row.state);
      if (one) {
        one.count += 1;
        one.severity = Math.min(one.severity, severity);
      } else counts.set(row.state, { state: row.state, severity, count: 1 });
    }
    const inOrder = [...counts.values()].sort((a, b) => a.severity - b.severity || (a.state < b.state ? -1 : 1));
    return new Map(inOrder.map(({ state, count }) => [state, count]));
  }

  arrange(query: Query): Line[] {
    const { text, states } = query;
    const all = this.inOrder(query);
    const kept = text || states.size > 0 ? all.filter(this.matching(query)) : all;
    if (!query.grouped) return kept.map(({ row }) => ({ row, depth: 0, members: undefined }));
    return this.grouped(query, kept);
  }

  private matching({ text, states }: Query): (one: Known) => boolean {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return ({ row, haystack }) =>
      (states.size === 0 || states.has(row.state)) && words.every((word) => haystack.includes(word));
  }

  private inOrder(query: Query): Known[] {
    const key = `${query.sort} ${query.down}`;
    if (this.sorted !== key) this.order.sort(comparison(query));
    this.sorted = key;
    return this.order;
  }

  private grouped(query: Query, kept: readonly Known[]): Line[] {
    const members = new Map<string, Known[]>();
    const heads: Known[] = [];
    const shown = new Set(kept.map(({ row }) => row.id));
    for (const one of kept) {
      const { parent } = one.row;
      if (parent === undefined || !this.known.has(parent)) heads.push(one);
      else {
        const group = members.get(parent);
        if (group) group.push(one);
        else members.set(parent, [one]);
        // A server that does not fit itself is shown for its peers' sake.
        if (!shown.has(parent)) {
          shown.add(parent);
          heads.push(this.known.get(parent) as Known);
        }
      }
    }
    const lines: Line[] = [];
    for (const { row } of heads) {
      const group = members.get(row.id);
      lines.push({ row, depth: 0, members: row.kind === 'server' ? (group?.length ?? 0) : undefined });
      if (!group || query.folded.has(row.id)) continue;
      for (const member of group) lines.push({ row: member.row, depth: 1, members: undefined });
    }
    return lines;
  }
}

function know(row: Row): Known {
  const { tone } = lookOf(placeOf(row));
  const { name, kind, state, substate = '', reason } = row;
  return {
    row,
    name: natural(name),
    severity: TONES.indexOf(tone),
    haystack: [name, kind, state, substate, reason?.code ?? '', reason?.message ?? ''].join(' ').toLowerCase(),
  };
}

/** A name whose plain order is the natural one: `peer 9` before `peer 10`. A collator takes ten times as long. */
export function natural(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'));
}

function comparison({ sort, down }: Query): (a: Known, b: Known) => number {
  const by = keys[sort];
  const sign = down ? -1 : 1;
  return (a, b) => {
    const [x, y] = [by(a), by(b)];
    if (x !== y) return x < y ? -sign : sign;
    if (a.name !== b.name) return a.name < b.name ? -1 : 1;
    return a.row.id < b.row.id ? -1 : a.row.id > b.row.id ? 1 : 0;
  };
}

const keys: Readonly<Record<SortKey, (one: Known) => number | string>> = {
  name: (one) => one.name,
  state: (one) => one.severity,
  since: (one) => one.row.since,
  rx: (one) => one.row.rx,
  tx: (one) => one.row.tx,
};
