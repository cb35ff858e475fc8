import type { FlightTraffic } from './dump.js';
import { Ring } from './ring.js';

/** What passes within this time is one entry, milliseconds. */
const GRAIN = 100;

/** The running totals of a line. */
export interface Totals {
  readonly received: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly heardBytes: number;
}

const NOTHING = { messages: 0, bytes: 0, heardBytes: 0 };

/**
 * What passes a line, summed up for each tenth of a second in which something does. It is not told of messages: it looks
 * at the totals when a chunk comes and when bytes are written.
 */
export class Traffic {
  readonly ring: Ring<FlightTraffic>;
  /** When the running tenth began; undefined while nothing passes. */
  private from: number | undefined;
  /** The totals at its beginning. */
  private receivedBefore = { ...NOTHING };
  private sentBefore = { ...NOTHING };
  /** The totals when bytes were last written. */
  private sentThen = { ...NOTHING };

  constructor(
    entries: number,
    private readonly totals: Totals,
  ) {
    this.ring = new Ring(entries);
  }

  /** A chunk came, and is not counted yet. */
  heard(now: number): void {
    this.look(now);
  }

  /** Messages are written, and counted already. */
  wrote(now: number): void {
    this.look(now);
    const { messages, bytes } = this.totals.sent;
    this.sentThen.messages = messages;
    this.sentThen.bytes = bytes;
  }

  /** All that passed by now. */
  list(): FlightTraffic[] {
    const { messages, bytes } = this.totals.sent;
    const last = this.from === undefined ? undefined : this.entry(this.from, { messages, bytes });
    return [...this.ring.list(), ...(last ? [last] : [])];
  }

  private look(now: number): void {
    if (this.from === undefined) this.from = now;
    if (now - this.from < GRAIN) return;
    const entry = this.entry(this.from, this.sentThen);
    if (entry) this.ring.push(entry);
    const { received, heardBytes } = this.totals;
    this.receivedBefore = { messages: received.messages, bytes: received.bytes, heardBytes };
    this.sentBefore = { ...this.sentThen, heardBytes: 0 };
    this.from = now;
  }

  private entry(at: number, sent: { messages: number; bytes: number }): FlightTraffic | undefined {
    const { received, heardBytes } = this.totals;
    const { receivedBefore, sentBefore } = this;
    const entry = {
      at,
      received: {
        messages: received.messages - receivedBefore.messages,
        bytes: received.bytes - receivedBefore.bytes,
      },
      sent: { messages: sent.messages - sentBefore.messages, bytes: sent.bytes - sentBefore.bytes },
      heardBytes: heardBytes - receivedBefore.heardBytes,
    };
    return entry.heardBytes > 0 || entry.sent.messages > 0 ? entry : undefined;
  }
}
