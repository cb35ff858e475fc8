/** What a heap holds: the instant it is for, and a number that says which of two of the same instant came first. */
export interface Dated {
  readonly at: number;
  readonly order: number;
}

const before = (a: Dated, b: Dated): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** The earliest first; of the same instant, the one that was put in first. */
export class Heap<T extends Dated> {
  private items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items } = this;
    let hole = items.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = items[above] as T;
      if (before(parent, item)) break;
      items[hole] = parent;
      hole = above;
    }
    items[hole] = item;
  }

  pop(): T | undefined {
    const top = this.items[0];
    const last = this.items.pop();
    if (last !== undefined && this.items.length > 0) this.sink(last, 0);
    return top;
  }

  /** Keeps only what `wanted` says. */
  keep(wanted: (item: T) => boolean): void {
    const kept = this.items.filter(wanted);
    this.items = [];
    for (const item of kept) this.push(item);
  }

  /** All of them, in no order. */
  values(): readonly T[] {
    return this.items;
  }

  private sink(item: T, from: number): void {
    const { items } = this;
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= items.length) break;
      const right = items[child + 1];
      if (right !== undefined && before(right, items[child] as T)) child += 1;
      if (before(item, items[child] as T)) break;
      items[hole] = items[child] as T;
      hole = child;
    }
    items[hole] = item;
  }
}
