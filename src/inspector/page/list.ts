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

/** What of a row does not change while its name and state stay. */
interface Known {
  readonly row: Row;
  readonly name: string;
  readonly severity: number;
  readonly haystack: string;
}

/** The rows, and what is worth knowing of each for searching and sorting. */
export class RowTable {
  private readonly known = new Map<string, Known>();
  /** The order of last time: almost right for the next. */
  private order: Known[] = [];

  get size(): number {
    return this.known.size;
  }

  get(id: string): Row | undefined {
    return this.known.get(id)?.row;
  }

  apply(change: { readonly all: boolean; readonly rows: readonly Row[]; readonly gone: readonly string[] }): void {
    if (change.all) this.known.clear();
    for (const id of change.gone) this.known.delete(id);
    for (const row of change.rows) this.known.set(row.id, know(row, this.known.get(row.id)));
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
    const kept = this.sorted(query, this.matching(query));
    if (!query.grouped) return kept.map(({ row }) => ({ row, depth: 0, members: undefined }));
    return this.grouped(query, kept);
  }

  private matching({ text, states }: Query): (one: Known) => boolean {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return ({ row, haystack }) =>
      (states.size === 0 || states.has(row.state)) && words.every((word) => haystack.includes(word));
  }

  private sorted(query: Query, fits: (one: Known) => boolean): Known[] {
    const compare = comparison(query);
    // Beginning with the order of last time, sorting costs little while little has changed.
    const old = this.order
      .filter(({ row }) => this.known.has(row.id))
      .map(({ row }) => this.known.get(row.id) as Known);
    const all = old.length === this.known.size ? old : [...new Set([...old, ...this.known.values()])];
    this.order = all.sort(compare);
    return this.order.filter(fits);
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

function know(row: Row, before: Known | undefined): Known {
  const same =
    before &&
    before.row.name === row.name &&
    before.row.state === row.state &&
    before.row.substate === row.substate &&
    before.row.reason?.at === row.reason?.at &&
    before.row.reason?.message === row.reason?.message;
  if (same) return { ...before, row };
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
