const SMALLEST = 4;

/** What belongs to numbers in a row, by number, in constant time and without an object for each. */
export class Ring<T> {
  private slots: T[] = [];

  constructor(private readonly empty: T) {}

  get(number: number): T {
    return this.slots[number & (this.slots.length - 1)] as T;
  }

  /** Sets the value of `number`, where all numbers in use lie from `first` on, and not beyond `number`. */
  set(number: number, value: T, first: number): void {
    if (number - first >= this.slots.length) this.grow(number, first);
    this.slots[number & (this.slots.length - 1)] = value;
  }

  clear(number: number): void {
    this.slots[number & (this.slots.length - 1)] = this.empty;
  }

  /** Forgets all, and their memory. */
  reset(): void {
    this.slots = [];
  }

  private grow(number: number, first: number): void {
    const grown = new Array<T>(Math.max(SMALLEST, this.slots.length * 2)).fill(this.empty);
    for (let at = first; at < number; at += 1) grown[at & (grown.length - 1)] = this.get(at);
    this.slots = grown;
  }
}
