/** Slabs are at least and at most so large, bytes; each size is twice the one before. */
const SMALLEST = 1024;
export const LARGEST_SLAB = 128 * 1024;
/**
 * Bytes of slabs that are kept for use again, for all sockets of the process. What a tick of thousands of busy sockets
 * needs beyond it is made afresh: that costs half a microsecond for 4 KiB, and eight for the largest.
 */
export const MAX_SPARE_BYTES = 8 * 1024 * 1024;

const log2 = (size: number) => 31 - Math.clz32(size);
const FIRST = log2(SMALLEST);

/** Memory in which frames are collected, used again and again. A socket has some only while it has something to write. */
export class Slabs {
  /** Those that nobody uses, by size. */
  private readonly spare: Buffer[][] = Array.from({ length: log2(LARGEST_SLAB) - FIRST + 1 }, () => []);
  /** Bytes of these. */
  spareBytes = 0;

  /** A slab of at least `size` bytes, which are at most `LARGEST_SLAB`; less than twice as much, where it is not the smallest. */
  take(size: number): Buffer {
    const place = size <= SMALLEST ? 0 : log2(size - 1) + 1 - FIRST;
    const slab = (this.spare[place] as Buffer[]).pop();
    if (!slab) return Buffer.allocUnsafeSlow(SMALLEST << place);
    this.spareBytes -= slab.length;
    return slab;
  }

  /** Nobody reads or writes this slab any more. */
  give(slab: Buffer): void {
    const { length } = slab;
    if (this.spareBytes + length > MAX_SPARE_BYTES) return;
    this.spareBytes += length;
    (this.spare[log2(length) - FIRST] as Buffer[]).push(slab);
  }
}

/** Those of the process. */
export const slabs = new Slabs();
