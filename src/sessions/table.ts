/** What a store has, and what it does, without where it lies: pure. Of the store in memory and of the one in a file. */
import type {
  Block,
  StoreChange,
  StoreClaim,
  StoreClaimed,
  StoredSession,
  StoreFound,
  StoreOutcome,
} from '../store/contract.js';

export interface Row {
  head: Uint8Array;
  fence: string;
  epoch: number;
  handled: number;
  first: number;
  blocks: Block[];
  alias: string | undefined;
  /** Over from then on. */
  expiresAt: number;
  rememberMs: number;
}

/** How often rows that nobody remembers are looked for, ms. */
const SWEEP = 10_000;

export class SessionTable {
  readonly rows = new Map<string, Row>();
  private readonly aliases = new Map<string, string>();
  private sweptAt = Number.NEGATIVE_INFINITY;

  find(alias: string, now: number): string | undefined {
    const id = this.aliases.get(alias);
    return id !== undefined && this.row(id, now) ? id : undefined;
  }

  load(id: string, now: number): StoreFound {
    const row = this.row(id, now);
    if (!row) return { outcome: 'unknown' };
    if (now >= row.expiresAt) return { outcome: 'ended', session: { head: row.head, handled: row.handled } };
    return { outcome: 'live', session: copyOf(row) };
  }

  claim(id: string, { fence, held, epoch, keepMs }: StoreClaim, now: number): StoreClaimed {
    const found = this.load(id, now);
    if (found.outcome !== 'live') return found;
    const row = this.rows.get(id) as Row;
    const again = row.fence === fence;
    const mine = !again && row.fence === held;
    if (!again && !mine && epoch !== undefined && epoch <= row.epoch) return { outcome: 'stale' };
    row.epoch = Math.max(row.epoch, epoch ?? 0);
    row.expiresAt = now + keepMs;
    if (mine) return { outcome: 'held' };
    row.fence = fence;
    return { outcome: 'claimed', session: found.session };
  }

  write(change: StoreChange, now: number): StoreOutcome {
    this.sweep(now);
    return change.create ? this.create(change, change.create.alias, now) : this.change(change, now);
  }

  /** Puts back what a file had. */
  put(id: string, row: Row): void {
    this.rows.set(id, row);
    if (row.alias !== undefined) this.aliases.set(row.alias, id);
  }

  clear(): void {
    this.rows.clear();
    this.aliases.clear();
  }

  private create(change: StoreChange, alias: string | undefined, now: number): StoreOutcome {
    const { id, fence, head } = change;
    const row = this.row(id, now);
    const other = alias === undefined ? undefined : this.find(alias, now);
    if ((row && row.fence !== fence) || (other !== undefined && other !== id)) return 'taken';
    if (!head) return 'lost';
    this.remove(id);
    const { epoch, handled, first, rememberMs } = change;
    this.put(id, {
      head,
      fence,
      epoch,
      handled,
      first,
      blocks: [],
      alias,
      expiresAt: Number.POSITIVE_INFINITY,
      rememberMs,
    });
    return this.change(change, now);
  }

  private change(change: StoreChange, now: number): StoreOutcome {
    const { id, fence, head, epoch, handled, first, next, block, keepMs, rememberMs, end } = change;
    const row = this.row(id, now);
    if (!row) return 'lost';
    if (row.fence !== fence) return 'fenced';
    if (now >= row.expiresAt) return 'lost';
    const before = row.blocks.at(-1)?.next ?? row.first;
    const behind = block && block.next > before ? block : undefined;
    if (behind && behind.from !== before && behind.from !== first) return 'gap';
    if ((behind?.next ?? before) < next && first < next) return 'gap';
    if (behind && behind.from !== before) row.blocks = [];
    if (behind) row.blocks.push(behind);
    row.head = head ?? row.head;
    row.epoch = Math.max(row.epoch, epoch);
    row.handled = handled;
    row.first = first;
    while (row.blocks[0] && row.blocks[0].next <= first) row.blocks.shift();
    row.expiresAt = now + keepMs;
    row.rememberMs = rememberMs;
    if (end === 'forget') this.remove(id);
    if (end === 'remember') {
      row.blocks = [];
      row.expiresAt = now;
    }
    return 'stored';
  }

  /** Undefined also where it is no longer remembered. */
  private row(id: string, now: number): Row | undefined {
    const row = this.rows.get(id);
    if (!row || now < row.expiresAt + row.rememberMs) return row;
    this.remove(id);
    return undefined;
  }

  private remove(id: string): void {
    const row = this.rows.get(id);
    this.rows.delete(id);
    if (row?.alias !== undefined && this.aliases.get(row.alias) === id) this.aliases.delete(row.alias);
  }

  private sweep(now: number): void {
    if (now < this.sweptAt + SWEEP) return;
    this.sweptAt = now;
    for (const [id, row] of this.rows) {
      if (now >= row.expiresAt) row.blocks = [];
      this.row(id, now);
    }
  }
}

function copyOf({ head, epoch, handled, first, blocks }: Row): StoredSession {
  return { head, epoch, handled, first, blocks: [...blocks] };
}
