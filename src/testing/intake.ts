/**
 * How the stream is cut into chunks where it is read.
 *
 * - `'asWritten'`: a chunk for each write (or each corked bundle of writes), at most `chunkSize` long
 * - `'random'`: anywhere, from the seed; what lies in the buffer is split and merged without regard for writes
 * - `'bytes'`: one byte at a time
 */
export type Cut = 'asWritten' | 'random' | 'bytes';

interface Segment {
  readonly bytes: Buffer;
  readonly arrivedAt: number;
}

/** A socket's receive buffer: what the kernel has and the process has not read yet. */
export class Intake {
  size = 0;
  private readonly segments: Segment[] = [];
  private offset = 0;

  constructor(
    private readonly cut: Cut,
    private readonly chunkSize: number,
    private readonly random: () => number,
  ) {}

  /** When the first unread byte arrived. */
  get since(): number | undefined {
    return this.segments[0]?.arrivedAt;
  }

  push(bytes: Buffer, arrivedAt: number): void {
    this.segments.push({ bytes, arrivedAt });
    this.size += bytes.length;
  }

  clear(): void {
    this.segments.length = 0;
    this.offset = 0;
    this.size = 0;
  }

  /** The next chunk. Its memory is nobody else's. */
  take(): Buffer {
    const length = this.nextLength();
    this.size -= length;
    const [first] = this.segments;
    if (first !== undefined && this.offset === 0 && first.bytes.length === length) {
      this.segments.shift();
      return first.bytes;
    }
    const chunk = Buffer.alloc(length);
    for (let filled = 0; filled < length; ) {
      const { bytes } = this.segments[0] as Segment;
      const copied = bytes.copy(chunk, filled, this.offset);
      filled += copied;
      this.offset += copied;
      if (this.offset === bytes.length) {
        this.segments.shift();
        this.offset = 0;
      }
    }
    return chunk;
  }

  private nextLength(): number {
    const most = Math.min(this.size, this.chunkSize);
    if (this.cut === 'bytes') return Math.min(1, most);
    if (this.cut === 'asWritten') return Math.min(most, (this.segments[0]?.bytes.length ?? 0) - this.offset);
    // Headers are a few bytes long: cuts within them have to be common, or they would not be met.
    const kind = this.random();
    if (kind < 0.25) return most;
    return 1 + Math.floor(this.random() * (kind < 0.65 ? Math.min(most, 8) : most));
  }
}
