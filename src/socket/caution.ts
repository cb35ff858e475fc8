/** Caution before proof: how much is written to a line on which no byte has come yet. A stopped process would swallow it. */
export class Caution {
  private bytes = 0;

  /** @param limit bytes; Infinity where silence is not watched, and says nothing */
  constructor(private readonly limit: number) {}

  /** Whether a message of this size may be written; the first always, else whoever answers only long questions is never asked. */
  allows(size: number): boolean {
    return this.bytes === 0 || this.bytes + size <= this.limit;
  }

  wrote(size: number): void {
    this.bytes += size;
  }
}
