import { excused } from './excuse.js';

/** How long the unfinished frame of one socket has been under way. Pure: it is told the time. */
export class FrameDeadline {
  /** When the unfinished frame was begun, monotonic milliseconds. */
  private from: number | undefined;
  private framesBefore = 0;
  private frozenAt: number | undefined;

  /** @param timeout milliseconds from the first byte of a frame to its last; 0 for no limit */
  constructor(private readonly timeout: number) {}

  /**
   * A chunk was decoded.
   *
   * @param unfinished whether it ended in the middle of a frame
   * @param frames all frames finished so far
   * @returns true if a new deadline runs
   */
  note(unfinished: boolean, frames: number, now: number): boolean {
    if (!unfinished) {
      this.from = undefined;
      return false;
    }
    const another = this.from === undefined || frames !== this.framesBefore;
    this.framesBefore = frames;
    if (another) this.from = now;
    return another && this.timeout > 0;
  }

  /** Monotonic milliseconds; Infinity where no deadline runs. */
  get dueAt(): number {
    const runs = this.timeout > 0 && this.frozenAt === undefined;
    return runs && this.from !== undefined ? this.from + this.timeout : Number.POSITIVE_INFINITY;
  }

  /** We do not read, so no frame can be finished. */
  freeze(now: number): void {
    this.frozenAt ??= now;
  }

  thaw(now: number): void {
    if (this.frozenAt === undefined) return;
    if (this.from !== undefined) this.from += now - Math.max(this.frozenAt, this.from);
    this.frozenAt = undefined;
  }

  /** We were away for so long until now, and could not read what would have finished the frame. */
  excuse(late: number, now: number): void {
    if (this.from !== undefined) this.from = excused(this.from, this.timeout, late, now);
  }
}
