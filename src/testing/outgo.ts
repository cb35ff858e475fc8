type Written = (error?: Error | null) => void;

interface Bundle {
  readonly parts: Uint8Array[];
  readonly callbacks: Written[];
  length: number;
  taken: number;
}

/** What a process wrote and the kernel has not taken yet: bundles of writes, then perhaps a FIN. */
export class Outgo {
  /** Bytes not taken yet. */
  pendingBytes = 0;
  /** Whom to call back when the FIN was taken, once there is one. */
  finished: (() => void) | undefined;
  private readonly bundles: Bundle[] = [];
  private corked: Bundle | undefined;
  private corks = 0;

  /** All is taken and a FIN waits. */
  get finIsNext(): boolean {
    return this.finished !== undefined && this.bundles.length === 0 && this.corked === undefined;
  }

  get isEmpty(): boolean {
    return this.bundles.length === 0 && this.finished === undefined;
  }

  write(bytes: Uint8Array, written: Written): void {
    this.pendingBytes += bytes.length;
    if (this.corks === 0) {
      this.bundles.push({ parts: [bytes], callbacks: [written], length: bytes.length, taken: 0 });
      return;
    }
    this.corked ??= { parts: [], callbacks: [], length: 0, taken: 0 };
    this.corked.parts.push(bytes);
    this.corked.callbacks.push(written);
    this.corked.length += bytes.length;
  }

  cork(): void {
    this.corks += 1;
  }

  uncork(entirely = false): void {
    this.corks = entirely ? 0 : Math.max(0, this.corks - 1);
    if (this.corks > 0 || this.corked === undefined) return;
    this.bundles.push(this.corked);
    this.corked = undefined;
  }

  /**
   * The kernel takes up to so many bytes of the first bundle, and copies them: from now on the writer may change them.
   *
   * @returns what it took, and whom to tell when that was the end of a bundle; undefined when there is none
   */
  take(room: number, most: number): { readonly bytes: Buffer; readonly tell: readonly Written[] } | undefined {
    const [bundle] = this.bundles;
    if (bundle === undefined || (room <= 0 && bundle.length > bundle.taken)) return undefined;
    const length = Math.min(room, most, bundle.length - bundle.taken);
    const bytes = Buffer.alloc(length);
    let skip = bundle.taken;
    let filled = 0;
    for (const part of bundle.parts) {
      if (filled === length) break;
      if (skip < part.length) {
        const piece = part.subarray(skip, skip + length - filled);
        bytes.set(piece, filled);
        filled += piece.length;
      }
      skip = Math.max(0, skip - part.length);
    }
    bundle.taken += length;
    this.pendingBytes -= length;
    if (bundle.taken < bundle.length) return { bytes, tell: [] };
    this.bundles.shift();
    return { bytes, tell: bundle.callbacks };
  }

  /** Forgets all, and tells who was waiting for it. */
  drop(): readonly Written[] {
    const bundles = this.corked === undefined ? this.bundles : [...this.bundles, this.corked];
    const waiting = bundles.flatMap((bundle) => bundle.callbacks);
    this.bundles.length = 0;
    this.corked = undefined;
    this.finished = undefined;
    this.pendingBytes = 0;
    return waiting;
  }
}
