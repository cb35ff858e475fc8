/** Behind this many taken places the array is moved up. */
const SLACK = 1024;

/** Stands for the array of one that is empty, and most are. Had it never held an object, V8 would see arrays of two kinds. */
const NONE: never[] = [{} as never];
NONE.pop();

/** First in, first out, in constant time: an array and the place of its first entry. */
export class Fifo<T> {
  private entries: (T | undefined)[] = NONE;
  private head = 0;

  get length(): number {
    return this.entries.length - this.head;
  }

  first(): T | undefined {
    return this.entries[this.head];
  }

  last(): T | undefined {
    return this.entries[this.entries.length - 1];
  }

  push(entry: T): void {
    // By index: V8 inlines that also where arrays of several kinds come by, Array.push it does not.
    if (this.entries === NONE) this.entries = [entry];
    else this.entries[this.entries.length] = entry;
  }

  shift(): T | undefined {
    if (this.head === this.entries.length) return undefined;
    const entry = this.entries[this.head];
    this.entries[this.head] = undefined;
    this.head += 1;
    if (this.head === this.entries.length) {
      this.entries = NONE;
      this.head = 0;
    } else if (this.head >= SLACK && this.head * 2 >= this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
    return entry;
  }

  /** Takes out everything, in order. */
  drain(): T[] {
    if (this.entries === NONE) return [];
    const all = (this.head === 0 ? this.entries : this.entries.slice(this.head)) as T[];
    this.entries = NONE;
    this.head = 0;
    return all;
  }

  /** Takes out what does not pass; gives it, in order. */
  extract(leaves: (entry: T) => boolean): T[] {
    const gone: T[] = [];
    const stay: T[] = [];
    for (const entry of this) (leaves(entry) ? gone : stay).push(entry);
    this.entries = stay;
    this.head = 0;
    return gone;
  }

  /** Takes out the first one that is wanted, and leaves the others where they are: most often it is at the head. */
  take(wanted: (entry: T) => boolean): T | undefined {
    for (let at = this.head; at < this.entries.length; at += 1) {
      if (!wanted(this.entries[at] as T)) continue;
      return at === this.head ? this.shift() : (this.entries.splice(at, 1)[0] as T);
    }
    return undefined;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.head; at < this.entries.length; at += 1) yield this.entries[at] as T;
  }
}
