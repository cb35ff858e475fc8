/** Bytes that several senders may retain together; within those of a larger one, if there is one. */
export class Budget {
  bytes = 0;

  constructor(
    readonly most: number,
    private readonly parent?: Budget,
  ) {}

  has(length: number): boolean {
    return this.bytes + length <= this.most && (this.parent === undefined || this.parent.has(length));
  }

  take(length: number): void {
    this.bytes += length;
    this.parent?.take(length);
  }

  give(length: number): void {
    this.bytes -= length;
    this.parent?.give(length);
  }
}
