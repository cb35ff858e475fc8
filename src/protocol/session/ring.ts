const SMALLEST = 4;
/** So many slots, 32 KiB, are kept when nothing is in use: what was needed once will mostly be needed again soon. */
const KEPT = 4096;

/** Of all who have none; never written to. Of the same kind as those that are, for V8. */
const NONE: never[] = new Array<never>(1).fill({} as never);
NONE.pop();

/** What belongs to numbers in a row, by number, in constant time and without an object for each. */
export class Ring<T> {
  private slots: T[] = NONE;
  /** So many were in use lately: half of the most before, or more. */
  private usual = 0;

  constructor(private readonly empty: T) {}

  /** Numbers that there is memory for. */
  get capacity(): number {
    return this.slots.length;
  }

  get(number: number): T {
    return this.slots[number & (this.slots.length - 1)] as T;
  }

  /** Sets the value of `number`, where all numbers in use lie from `first` on, and not beyond `number`. */
  set(number: number, value: T, first: number): void {
    if (number - first >= this.slots.length) this.move(first, number, Math.max(SMALLEST, this.slots.length * 2));
    const { slots } = this;
    slots[number & (slots.length - 1)] = value;
  }

  /** Gives the value of `number`, and forgets it. */
  take(number: number): T {
    const { slots } = this;
    const place = number & (slots.length - 1);
    const value = slots[place] as T;
    slots[place] = this.empty;
    return value;
  }

  /** Forgets all, and their memory. */
  reset(): void {
    this.slots = NONE;
  }

  /** Of `count` in use none is now: gives memory back where it is much, and much more than was in use lately. */
  emptied(count = 0): void {
    this.usual = Math.max(count, this.usual >>> 1);
    if (this.slots.length > Math.max(KEPT, 4 * this.usual)) this.reset();
  }

  /** Keeps memory for what is in use, `first` to below `next`, and no more: for when nothing happens. */
  fit(first: number, next: number): void {
    if (next === first) {
      this.reset();
      return;
    }
    let length = SMALLEST;
    while (length < next - first) length *= 2;
    if (length < this.slots.length) this.move(first, next, length);
  }

  /** Makes it `length` slots long, a power of two, with what is from `first` to below `next`. */
  private move(first: number, next: number, length: number): void {
    const moved = new Array<T>(length).fill(this.empty);
    for (let at = first; at < next; at += 1) moved[at & (length - 1)] = this.get(at);
    this.slots = moved;
  }
}
