import { excused } from './excuse.js';

/** How long the other side has taken none of the bytes that are pending. Pure: it is told the time. */
export class WriteStall {
  /** When the pending bytes last grew from nothing or became fewer, monotonic milliseconds. */
  private since = 0;
  private pending = false;

  /** @param timeout milliseconds without progress; 0 for no limit */
  constructor(private readonly timeout: number) {}

  /**
   * Bytes were handed over.
   *
   * @returns true if a new deadline runs
   */
  wrote(now: number): boolean {
    if (this.pending || this.timeout === 0) return false;
    this.pending = true;
    this.since = now;
    return true;
  }

  /** The kernel took some of them; others are left. */
  progressed(now: number): void {
    this.pending = this.timeout > 0;
    this.since = now;
  }

  /** The kernel took all of them. */
  settled(): void {
    this.pending = false;
  }

  /** We were away for so long until now, and so perhaps was the other side. */
  excuse(late: number, now: number): void {
    this.since = excused(this.since, this.timeout, late, now);
  }

  /** Monotonic milliseconds; Infinity where no deadline runs. */
  get dueAt(): number {
    return this.pending ? this.since + this.timeout : Number.POSITIVE_INFINITY;
  }
}
