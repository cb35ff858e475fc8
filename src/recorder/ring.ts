/** The last so many: the oldest fall out. */
export class Ring<T> {
  /** How many fell out. */
  fallen = 0;
  private items: T[] = [];
  /** Where the oldest stands, once it is full. */
  private first = 0;

  constructor(
    private readonly most: number,
    private readonly onFall?: (item: T) => void,
  ) {}

  push(item: T): void {
    if (this.items.length < this.most) {
      this.items.push(item);
      return;
    }
    const oldest = this.items[this.first] as T;
    this.items[this.first] = item;
    this.first = (this.first + 1) % this.most;
    this.fallen += 1;
    this.onFall?.(oldest);
  }

  /** Oldest first. */
  list(): T[] {
    return [...this.items.slice(this.first), ...this.items.slice(0, this.first)];
  }
}
