import type { Transport, TransportHandlers } from '../../src/environment.js';

/** A transport that does nothing by itself: what it is told is written down, and a test says when the kernel takes bytes. */
export class FakeTransport implements Transport {
  readonly log: string[] = [];
  /** Every write, as it was given. */
  readonly writes: Uint8Array[] = [];
  handlers: TransportHandlers | undefined;
  pendingBytes = 0;
  /** The kernel takes everything at once. */
  eager = false;
  finished: (() => void) | undefined;
  /** What the kernel took, as it was then: a slab is used again afterwards. */
  private readonly taken = new Map<Uint8Array, Buffer>();
  private readonly untaken: { bytes: Uint8Array; written: (error?: Error | null) => void }[] = [];

  attach(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.log.push(`write ${bytes.length}`);
    this.writes.push(bytes);
    if (this.eager) {
      void Promise.resolve().then(() => written());
      return;
    }
    this.pendingBytes += bytes.length;
    this.untaken.push({ bytes, written });
  }

  /** The kernel takes the next writes (or fails to). */
  take(count = Number.POSITIVE_INFINITY, error?: Error): void {
    for (const { bytes, written } of this.untaken.splice(0, count)) {
      this.pendingBytes -= bytes.length;
      this.taken.set(bytes, Buffer.from(bytes));
      written(error);
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.writes.map((bytes) => this.taken.get(bytes) ?? bytes));
  }

  cork(): void {
    this.log.push('cork');
  }

  uncork(): void {
    this.log.push('uncork');
  }

  end(finished: () => void): void {
    this.log.push('end');
    this.finished = finished;
  }

  destroy(): void {
    this.log.push('destroy');
  }

  reset(): void {
    this.log.push('reset');
  }

  pause(): void {
    this.log.push('pause');
  }

  resume(): void {
    this.log.push('resume');
  }

  ref(): void {
    this.log.push('ref');
  }

  unref(): void {
    this.log.push('unref');
  }
}

/** Frames in a stream, as texts; `~` for an empty one. */
export function framesIn(stream: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const end = at + 4 + stream.readUInt32BE(at);
    frames.push(end === at + 4 ? '~' : stream.toString('latin1', at + 4, end));
    at = end;
  }
  return frames;
}
