import { NinjaTcpError } from '../errors.js';

/** One of those who share the budget. */
export interface BudgetHolder {
  /** It held the most: its unfinished frame is given up, and its line with it. */
  drop(error: NinjaTcpError): void;
}

/** What the unfinished frames of all peers hold together. Above the limit the one that holds the most is dropped. */
export class FrameBudget {
  private total = 0;
  private readonly holders = new Map<BudgetHolder, number>();

  /** @param limit bytes */
  constructor(private readonly limit: number) {}

  /** `holder` holds so many bytes now. */
  note(holder: BudgetHolder, claimed: number): void {
    // A program's own decoder may say anything.
    const bytes = claimed > 0 && Number.isFinite(claimed) ? claimed : 0;
    this.total += bytes - (this.holders.get(holder) ?? 0);
    if (bytes > 0) this.holders.set(holder, bytes);
    else this.holders.delete(holder);
    while (this.total > this.limit) this.dropLargest();
  }

  private dropLargest(): void {
    let largest: BudgetHolder | undefined;
    let most = 0;
    for (const [holder, bytes] of this.holders) {
      if (bytes <= most) continue;
      most = bytes;
      largest = holder;
    }
    const rule = `the unfinished frames of all peers may hold unfinishedBytes, ${this.limit} bytes`;
    const error = new NinjaTcpError(
      'NINJA_FRAME_BUDGET',
      `${rule}, and held ${this.total}; this one held the most, ${most}`,
    );
    if (!largest) return;
    this.note(largest, 0);
    largest.drop(error);
  }
}
