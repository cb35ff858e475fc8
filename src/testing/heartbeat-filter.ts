import type { Decoder, Framing } from '../framing/framing.js';
import { frame } from './bytes.js';

/**
 * Takes the heartbeats, which are empty frames, out of a byte stream. It knows where frames begin, so nothing inside a
 * message is taken for one. A few bytes that may yet become a heartbeat are held back until that is clear.
 */
export class HeartbeatFilter {
  private readonly heartbeat: Buffer;
  private readonly decoder: Decoder;
  /** The beginning of what may be a heartbeat. */
  private held: number[] = [];
  private atStart = true;
  /** Behind a header that cannot be right there are no frames. */
  private lost = false;

  constructor(framing: Framing) {
    this.heartbeat = frame('', framing);
    this.decoder = framing.decoder({ maxFrameLength: framing.maxLength });
  }

  /** What is left of a chunk, with what was held back before. */
  pass(chunk: Uint8Array): Buffer {
    if (this.lost) return Buffer.from(chunk);
    const passed: number[] = [];
    for (const byte of chunk) this.take(byte, passed);
    return Buffer.from(passed);
  }

  private take(byte: number, passed: number[]): void {
    if (this.atStart) this.held.push(byte);
    else passed.push(byte);
    if (this.lost) return;
    try {
      this.decoder.push(Buffer.of(byte), () => {});
    } catch {
      this.lost = true;
    }
    if (this.atStart) this.look(passed);
    if (!this.decoder.unfinished && !this.lost) this.atStart = true;
  }

  private look(passed: number[]): void {
    const { held, heartbeat } = this;
    if (!this.lost && held.every((byte, place) => byte === heartbeat[place])) {
      if (held.length === heartbeat.length) this.held = [];
      return;
    }
    passed.push(...held);
    this.held = [];
    this.atStart = false;
  }
}
