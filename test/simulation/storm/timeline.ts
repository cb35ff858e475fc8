interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Virtual time, milliseconds. What is due is done in order of time; at the same time, in the order it was put in. */
export class Timeline {
  now = 0;
  private puts = 0;
  /** A binary heap: each entry comes before the two below it. */
  private readonly heap: Entry[] = [];

  at(time: number, run: () => void): void {
    if (!(time >= this.now)) throw new RangeError(`${time} ms is over: it is ${this.now} ms`);
    const entry = { at: time, order: this.puts, run };
    this.puts += 1;
    const { heap } = this;
    let hole = heap.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      if (before(heap[above] as Entry, entry)) break;
      heap[hole] = heap[above] as Entry;
      hole = above;
    }
    heap[hole] = entry;
  }

  /** Does all that is due until then, or until nothing is left. */
  run(until = Number.POSITIVE_INFINITY): void {
    for (let next = this.heap[0]; next && next.at <= until; next = this.heap[0]) {
      this.removeFirst();
      this.now = next.at;
      next.run();
    }
  }

  /** How much is yet to come. */
  get left(): number {
    return this.heap.length;
  }

  private removeFirst(): void {
    const { heap } = this;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let hole = 0;
    for (let below = 1; below < heap.length; below = 2 * hole + 1) {
      const right = below + 1;
      const least = right < heap.length && before(heap[right] as Entry, heap[below] as Entry) ? right : below;
      if (before(last, heap[least] as Entry)) break;
      heap[hole] = heap[least] as Entry;
      hole = least;
    }
    heap[hole] = last;
  }
}
