/** Slabs are at least and at most so large, bytes; each size is twice the one before. */
const SMALLEST = 1024;
export const LARGEST_SLAB = 128 * 1024;
/**
 * Bytes of slabs that are kept for use again, for all sockets of the process: a tick of 10,000 busy sockets needs 80 MiB, and
 * made afresh they cost as much as all the rest. What is not needed any more is let go, see `ease`.
 */
export const MAX_SPARE_BYTES = 128 * 1024 * 1024;
/** So many slabs are given back, and four times as many as are spare, between two looks at what was needed. */
const LOOK = 1024;
/** A closed socket counts as so many: who leaves will need none. */
const LEAVER = 16;

const log2 = (size: number) => 31 - Math.clz32(size);
const FIRST = log2(SMALLEST);

/** Memory in which frames are collected, used again and again. A socket has some only while it has something to write. */
export class Slabs {
  /** Those that nobody uses, by size. */
  private readonly spare: Buffer[][] = Array.from({ length: log2(LARGEST_SLAB) - FIRST + 1 }, () => []);
  /** Bytes of these, and how many there are. */
  spareBytes = 0;
  private spares = 0;
  /** Of each size, how many were spare at the least since the last look: nobody needed these. */
  private readonly least = this.spare.map(() => 0);
  /** Given back since then. */
  private given = 0;

  /** A slab of at least `size` bytes, which are at most `LARGEST_SLAB`; less than twice as much, where it is not the smallest. */
  take(size: number): Buffer {
    const place = size <= SMALLEST ? 0 : log2(size - 1) + 1 - FIRST;
    const spare = this.spare[place] as Buffer[];
    const slab = spare.pop();
    if (!slab) return Buffer.allocUnsafeSlow(SMALLEST << place);
    if (spare.length < (this.least[place] as number)) this.least[place] = spare.length;
    this.spares -= 1;
    this.spareBytes -= slab.length;
    return slab;
  }

  /** Nobody reads or writes this slab any more. */
  give(slab: Buffer): void {
    const { length } = slab;
    if (this.spareBytes + length <= MAX_SPARE_BYTES) {
      this.spareBytes += length;
      this.spares += 1;
      (this.spare[log2(length) - FIRST] as Buffer[]).push(slab);
    }
    this.count(1);
  }

  /** A socket is closed. */
  left(): void {
    this.count(LEAVER);
  }

  private count(uses: number): void {
    this.given += uses;
    if (this.given >= Math.max(LOOK, 4 * this.spares)) this.ease();
  }

  /** Lets go half of those that nobody needed. By use and not by time: there is always some, if only heartbeats. */
  private ease(): void {
    this.given = 0;
    for (const [place, spare] of this.spare.entries()) {
      const gone = Math.ceil((this.least[place] as number) / 2);
      spare.length -= gone;
      this.spares -= gone;
      this.spareBytes -= gone * (SMALLEST << place);
      this.least[place] = spare.length;
    }
  }
}

/** Those of the process. */
export const slabs = new Slabs();
