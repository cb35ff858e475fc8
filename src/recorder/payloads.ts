import type { FlightMessage } from './dump.js';
import { Ring } from './ring.js';

/** What of a message may be kept: other bytes, or undefined for none. What it throws keeps them back as well. */
export type Redact = (message: Uint8Array, way: 'received' | 'sent') => Uint8Array | string | undefined;

/** The first bytes of the last messages, where they are asked for. */
export class Payloads {
  readonly ring: Ring<FlightMessage>;

  constructor(
    private readonly settings: {
      readonly entries: number;
      readonly payloads: number;
      readonly redact: Redact | undefined;
    },
    private readonly clock: { now(): number },
  ) {
    this.ring = new Ring(settings.entries);
  }

  /** A message passed. Its bytes are copied: a view would pin its whole chunk. */
  note(way: 'received' | 'sent', message: Uint8Array | string): void {
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    const kept = this.redacted(bytes, way);
    const base64 = kept && Buffer.from(kept).subarray(0, this.settings.payloads).toString('base64');
    this.ring.push({
      at: this.clock.now(),
      way,
      length: bytes.length,
      ...(base64 !== undefined && { base64 }),
    });
  }

  private redacted(bytes: Uint8Array, way: 'received' | 'sent'): Uint8Array | string | undefined {
    const { redact } = this.settings;
    if (!redact) return bytes;
    try {
      const kept = redact(bytes, way);
      return typeof kept === 'string' || kept instanceof Uint8Array ? kept : undefined;
    } catch {
      return undefined;
    }
  }
}
