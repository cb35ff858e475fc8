/** Counts of one direction of a line. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Rates are taken over windows of this length, milliseconds. */
const WINDOW = 1000;

/**
 * Totals of one direction, and its rate over the last window: a second while there is traffic, and as long as the
 * silence where there was none. Pure: it is told the time.
 */
export class Meter {
  messages = 0;
  bytes = 0;
  private windowFrom: number;
  private messagesBefore = 0;
  private bytesBefore = 0;
  private messageRate = 0;
  private byteRate = 0;

  constructor(now: number) {
    this.windowFrom = now;
  }

  /** Closes the window when it is over. Called now and then, not for each message. */
  tick(now: number): void {
    const elapsed = now - this.windowFrom;
    if (elapsed < WINDOW) return;
    this.messageRate = Math.round(((this.messages - this.messagesBefore) * 1000) / elapsed);
    this.byteRate = Math.round(((this.bytes - this.bytesBefore) * 1000) / elapsed);
    this.messagesBefore = this.messages;
    this.bytesBefore = this.bytes;
    this.windowFrom = now;
  }

  get totals(): Pick<Traffic, 'messages' | 'bytes'> {
    return { messages: this.messages, bytes: this.bytes };
  }

  read(now: number): Traffic {
    this.tick(now);
    return {
      messages: this.messages,
      bytes: this.bytes,
      messagesPerSecond: this.messageRate,
      bytesPerSecond: this.byteRate,
    };
  }
}
