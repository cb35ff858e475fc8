import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import type { Cut } from './intake.js';

// Taken at import, as are the timers: a test runner's fake timers must not stop a real network.
const { performance } = globalThis;

/** What a way needs of a socket of node:net. */
export interface ProxyEnd {
  readonly destroyed: boolean;
  write(bytes: Uint8Array, written: (error?: Error | null) => void): unknown;
  end(): unknown;
  resetAndDestroy(): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** How bytes travel through a proxy. */
export interface ProxyLink {
  readonly latencyMs: number;
  readonly bytesPerSecond: number;
  readonly cut: Cut;
  /** The longest piece, bytes. */
  readonly chunkSize: number;
}

/** A way holds at most so many bytes; then its source is read no more, and its sender feels it. */
const heldLimit = 262_144;
/** A slow way writes pieces so large as it carries in this time, milliseconds. */
const paceMs = 10;

type Parcel = { readonly what: Uint8Array | 'fin' | 'reset'; readonly cameAt: number };

/** One direction of one line through a proxy: bytes in, the same bytes out, later and cut otherwise. */
export class ProxyWay {
  private to: ProxyEnd | undefined;
  private readonly parcels: Parcel[] = [];
  private heldBytes = 0;
  private freeAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing = false;
  private isCut = false;
  private isStalled = false;
  private isLost = false;
  private isOver = false;

  constructor(
    private readonly from: ProxyEnd,
    private readonly link: () => ProxyLink,
    private readonly random: () => number,
    /** A reset came out at the other end. */
    private readonly broke: () => void,
  ) {}

  /** Where it leads: what came before has waited. */
  lead(to: ProxyEnd): void {
    this.to = to;
    this.pump();
  }

  take(what: Uint8Array | 'fin' | 'reset'): void {
    if (this.isOver || this.isLost) return;
    if (typeof what !== 'string') this.heldBytes += what.length;
    this.parcels.push({ what, cameAt: performance.now() });
    this.pump();
    this.readOrNot();
  }

  cut(on: boolean): void {
    this.isCut = on;
    this.pump();
  }

  stall(on: boolean): void {
    this.isStalled = on;
    this.readOrNot();
  }

  /** From here on whatever comes is lost. */
  lose(): void {
    this.isLost = true;
    this.drop();
    this.readOrNot();
  }

  /** Nothing of it is left. */
  stop(): void {
    this.isOver = true;
    this.drop();
  }

  /** The link has changed. */
  pump(): void {
    const { to } = this;
    if (this.timer) clearTimeout(this.timer);
    this.timer = undefined;
    const parcel = this.parcels[0];
    if (!to || !parcel || this.writing || this.isCut || this.isOver) return;
    const wait = Math.max(parcel.cameAt + this.link().latencyMs, this.freeAt) - performance.now();
    if (wait > 0) this.timer = setTimeout(() => this.pump(), wait);
    else if (typeof parcel.what === 'string') this.finish(to, parcel.what);
    else this.write(to, parcel.what, parcel.cameAt);
  }

  private write(to: ProxyEnd, bytes: Uint8Array, cameAt: number): void {
    const { bytesPerSecond, cut } = this.link();
    const piece = bytes.subarray(0, this.pieceOf(bytes.length));
    const rest = bytes.subarray(piece.length);
    if (rest.length > 0) this.parcels[0] = { what: rest, cameAt };
    else this.parcels.shift();
    this.freeAt = Math.max(this.freeAt, performance.now()) + (1000 * piece.length) / bytesPerSecond;
    this.writing = true;
    const next = (): void => {
      this.writing = false;
      this.heldBytes = Math.max(0, this.heldBytes - piece.length);
      this.readOrNot();
      this.pump();
    };
    // A turn of the loop lies between two pieces, so that the reader sees them apart.
    to.write(piece, () => void (cut === 'asWritten' ? next() : setImmediate(next)));
  }

  private pieceOf(length: number): number {
    const { bytesPerSecond, cut, chunkSize } = this.link();
    const pace = Math.max(1, Math.floor((bytesPerSecond * paceMs) / 1000));
    const longest = Math.min(length, chunkSize, pace);
    if (cut === 'bytes') return 1;
    return cut === 'random' ? 1 + Math.floor(this.random() * Math.min(longest, 1460)) : longest;
  }

  private finish(to: ProxyEnd, how: 'fin' | 'reset'): void {
    this.stop();
    if (how === 'fin') {
      to.end();
      return;
    }
    to.resetAndDestroy();
    this.broke();
  }

  private readOrNot(): void {
    if (this.isStalled || (this.heldBytes >= heldLimit && !this.isLost)) this.from.pause();
    else if (!this.from.destroyed) this.from.resume();
  }

  private drop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = undefined;
    this.parcels.length = 0;
    this.heldBytes = 0;
  }
}
