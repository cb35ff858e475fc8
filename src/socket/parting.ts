/** How far the two sides of one socket have come in parting: our FIN, and theirs. Pure: it is told the time. */
export class Parting {
  /** We write no more: our FIN is on its way, behind all that was accepted. */
  ending = false;
  /** Their FIN came. */
  theirs = false;
  /** Monotonic milliseconds at which the kernel took our FIN. */
  private oursAt = Number.POSITIVE_INFINITY;

  /** @param timeout milliseconds that the other side may be silent before its FIN */
  constructor(private readonly timeout: number) {}

  /** The kernel took our FIN. */
  finished(now: number): void {
    this.oursAt = now;
  }

  /** Their FIN came. */
  ended(): void {
    this.theirs = true;
  }

  /** Both FINs passed. */
  get orderly(): boolean {
    return this.theirs && this.oursAt !== Number.POSITIVE_INFINITY;
  }

  /**
   * When we wait no longer for theirs, monotonic milliseconds. A peer that still speaks may still read, so it counts
   * from its last byte; `drainTimeout` bounds it all.
   */
  dueAt(quietSince: number): number {
    return Math.max(this.oursAt, quietSince) + this.timeout;
  }
}
