import type { Clock, Transport } from '../environment.js';
import type { Framing } from '../framing/framing.js';

/** Small frames are collected in a slab of this size and written in one. */
const SLAB = 128 * 1024;
/** From here on a payload is written as it is, uncopied, in pieces of at most `PIECE` bytes; Node hands them over in one. */
const UNCOPIED = 32 * 1024;
const PIECE = 64 * 1024;
/** Stands for the number of a message of which more pieces follow: it is not flushed yet. */
const UNFINISHED = -1;
/** Slabs kept for use again, for all sockets of the process. */
const MAX_SPARE = 16;
const spare: Buffer[] = [];

export interface WriterOwner {
  /** Bytes are handed to the transport now. */
  wrote(now: number): void;
  /** The kernel took all up to and including message number `upTo`. */
  flushed(upTo: number): void;
}

/**
 * Puts frames on one transport: small ones are copied behind each other into a slab, which is written when it is full
 * or when the tick is over; large ones go uncopied. One write per message costs a hundred times as much.
 */
export class Writer {
  private slab: Buffer | undefined;
  private filled = 0;
  /** Bytes that the transport has, and has not called back for. */
  private handedOver = 0;
  private scheduled = false;
  private closed = false;
  /** The number of the last message that was put here. */
  private lastNumber = 0;

  constructor(
    private readonly transport: Transport,
    private readonly framing: Framing,
    private readonly clock: Clock,
    private readonly owner: WriterOwner,
  ) {}

  /** Bytes that the kernel has not taken yet. Counted here: to ask the transport for each message is slow. */
  get pendingBytes(): number {
    return this.filled + this.handedOver;
  }

  /** Puts one message, with its number, or an empty frame (number 0), behind what is there. */
  put(payload: Uint8Array, number: number): void {
    if (this.closed) return;
    const { headerLength } = this.framing;
    const { length } = payload;
    if (length >= UNCOPIED) {
      this.putUncopied(payload, number);
      return;
    }
    const size = headerLength + length;
    if (this.filled + size > SLAB) this.flush();
    const slab = this.slab ?? this.takeSlab();
    const at = this.filled;
    this.framing.writeHeader(slab, at, length);
    copy(payload, slab, at + headerLength);
    this.filled = at + size;
    if (number > 0) this.lastNumber = number;
    if (!this.scheduled) this.schedule();
  }

  private putUncopied(payload: Uint8Array, number: number): void {
    const { headerLength } = this.framing;
    if (this.filled + headerLength > SLAB) this.flush();
    const slab = this.slab ?? this.takeSlab();
    this.framing.writeHeader(slab, this.filled, payload.length);
    this.filled += headerLength;
    const { transport } = this;
    transport.cork();
    // The slab speaks for the messages before this one.
    this.flush();
    this.lastNumber = number;
    for (let at = 0; at < payload.length; at += PIECE) {
      const piece = payload.subarray(at, at + PIECE);
      const done = at + PIECE >= payload.length ? number : UNFINISHED;
      this.handedOver += piece.length;
      transport.write(piece, (error) => this.taken(error, piece.length, done));
    }
    transport.uncork();
  }

  /** Hands the slab over. */
  flush(): void {
    if (this.filled === 0 || this.closed) return;
    const slab = this.slab as Buffer;
    const number = this.lastNumber;
    const bytes = slab.subarray(0, this.filled);
    this.slab = undefined;
    this.filled = 0;
    this.handedOver += bytes.length;
    this.owner.wrote(this.clock.now());
    this.transport.write(bytes, (error) => {
      // A slab that failed may still be read by the system: it is left to the collector.
      if (!error && spare.length < MAX_SPARE) spare.push(slab);
      this.taken(error, bytes.length, number);
    });
  }

  /** Puts nothing more, and forgets what was not handed over. */
  close(): void {
    this.closed = true;
    this.slab = undefined;
    this.filled = 0;
  }

  private taken(error: Error | null | undefined, bytes: number, number: number): void {
    this.handedOver -= bytes;
    if (!error && !this.closed && number !== UNFINISHED) this.owner.flushed(number);
  }

  private schedule(): void {
    this.scheduled = true;
    this.clock.defer(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  // Nothing is taken before first use: an idle connection holds no slab.
  private takeSlab(): Buffer {
    this.slab = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB);
    return this.slab;
  }
}

/** `set` has a fixed cost of its own; for a few bytes a loop is quicker. */
function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  const { length } = from;
  if (length > 8) {
    to.set(from, at);
    return;
  }
  for (let i = 0; i < length; i += 1) to[at + i] = from[i] as number;
}
