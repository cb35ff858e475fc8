import { viewOf } from './view.js';

/** The least memory that is taken for what comes in small chunks. */
const FIRST_BLOCK = 4096;
/** The most. */
const LAST_BLOCK = 65_536;
/** Chunks from this length on are kept as they are; smaller ones are copied together. */
const KEPT_FROM = 16_384;
/** Up to this length a loop is quicker than a view and a copy. */
const LOOPED = 8;
const NO_BYTES: Uint8Array = Buffer.alloc(0);

/** Copies `chunk[from … to)` into `target` at `place`. */
export function copyBytes(chunk: Uint8Array, from: number, to: number, target: Uint8Array, place: number): void {
  if (to - from > LOOPED) {
    target.set(to - from === chunk.length ? chunk : viewOf(chunk.buffer, chunk.byteOffset + from, to - from), place);
    return;
  }
  for (let at = from, into = place; at < to; at += 1, into += 1) target[into] = chunk[at] as number;
}

/**
 * The beginning of a long message, as it came. Its memory follows the bytes: a large chunk is kept and not copied, small
 * ones are copied behind each other into blocks, which grow.
 *
 * ```text
 * chunks    64 KiB | 1 | 1 | 64 KiB | 1
 * parts     chunk  | block | chunk  | block, where it was left
 * ```
 */
export class Parts {
  /** Bytes of memory held: what came, and at most as much again, or the first block, or the last. */
  heldBytes = 0;
  private came = 0;
  private readonly parts: Uint8Array[] = [];
  private block = NO_BYTES;
  /** What lies in the block and is not yet among the parts. */
  private from = 0;
  private to = 0;

  /** Takes `chunk[from … to)`. */
  add(chunk: Uint8Array, from: number, to: number): void {
    // Only what is all of its memory: else it would hold more than itself, and others might have it too.
    if (to - from >= KEPT_FROM && to - from === chunk.buffer.byteLength) {
      this.closePart();
      this.parts.push(chunk);
      this.heldBytes += chunk.length;
    } else {
      this.copy(chunk, from, to);
    }
    this.came += to - from;
  }

  /** Copies all of it to the beginning of `target`. */
  copyTo(target: Uint8Array): void {
    this.closePart();
    let at = 0;
    for (const part of this.parts) {
      target.set(part, at);
      at += part.length;
    }
  }

  private copy(chunk: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; ) {
      if (this.to === this.block.length) this.openBlock(to - at);
      const end = Math.min(to, at + this.block.length - this.to);
      copyBytes(chunk, at, end, this.block, this.to);
      this.to += end - at;
      at = end;
    }
  }

  /** For the `coming` bytes, and for as much again as came before. */
  private openBlock(coming: number): void {
    this.closePart();
    this.block = Buffer.allocUnsafe(Math.min(LAST_BLOCK, Math.max(FIRST_BLOCK, this.came, coming)));
    this.heldBytes += this.block.length;
    this.from = 0;
    this.to = 0;
  }

  private closePart(): void {
    if (this.to > this.from) this.parts.push(this.block.subarray(this.from, this.to));
    this.from = this.to;
  }
}
