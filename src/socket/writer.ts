import { Fifo } from '../delivery/fifo.js';
import type { Clock, Transport } from '../environment.js';
import type { Framing } from '../framing/framing.js';
import { viewOf } from '../framing/view.js';
import { DATA_HEAD, writeDataHead } from '../protocol/session/index.js';
import { LARGEST_SLAB, slabs } from './slabs.js';
import { type TickEnd, type TickEndCaller, tickEndOf } from './tick-end.js';

/** From here on a payload is written as it is, uncopied, in pieces of at most `PIECE` bytes. */
const UNCOPIED = 32 * 1024;
const PIECE = 64 * 1024;
/**
 * With so many bytes the transport is given no more until it calls back. Node hands over in one whatever it holds, and
 * calls back when all of it was taken: without a bound a slow reader of much could not be told from one that reads nothing.
 */
const WINDOW = 256 * 1024;
/** Stands for the number of a message of which more pieces follow: it is not flushed yet. */
const UNFINISHED = -1;
/** Stands for the slab of who has nothing to write: there is room for nothing. */
const NONE = Buffer.alloc(0);

export interface WriterOwner {
  /** Bytes are handed to the transport now. */
  wrote(now: number): void;
  /** The kernel took some of the bytes. */
  progressed(): void;
  /** The kernel took all up to and including message number `upTo`. */
  flushed(upTo: number): void;
}

/** What waits behind the window. */
interface Waiting {
  readonly bytes: Uint8Array;
  /** So much of it was handed over. */
  at: number;
  readonly number: number;
  /** The memory that is used again when it was taken; undefined for a program's own payload. */
  readonly slab: Buffer | undefined;
}

/**
 * Puts frames on one transport: small ones are copied behind each other into a slab, which is written when it is full
 * or when the tick is over; large ones go uncopied. One write per message costs a hundred times as much.
 */
export class Writer implements TickEndCaller {
  private slab: Buffer = NONE;
  private filled = 0;
  /** How much the slabs before this one were filled, the last one most: the next begins as large. */
  private usual = 0;
  private readonly waiting = new Fifo<Waiting>();
  private waitingBytes = 0;
  /** Bytes that the transport has, and has not called back for. */
  private handedOver = 0;
  private scheduled = false;
  private closed = false;
  /** The number of the last message that was put here. */
  private lastNumber = 0;
  private finished: (() => void) | undefined;
  private readonly tickEnd: TickEnd;

  constructor(
    private readonly transport: Transport,
    private readonly framing: Framing,
    private readonly clock: Clock,
    private readonly owner: WriterOwner,
  ) {
    this.tickEnd = tickEndOf(clock);
  }

  /** Bytes that the kernel has not taken yet. Counted here: to ask the transport for each message is slow. */
  get pendingBytes(): number {
    return this.filled + this.waitingBytes + this.handedOver;
  }

  /** Puts one message, with its number, or an empty frame (number 0), behind what is there. */
  put(payload: Uint8Array, number: number): void {
    const { headerLength } = this.framing;
    const { length } = payload;
    if (length >= UNCOPIED) {
      this.putUncopied(payload, number);
      return;
    }
    const size = headerLength + length;
    if (this.filled + size > this.slab.length && !this.makeRoom(size)) return;
    const { slab } = this;
    const at = this.filled;
    this.framing.writeHeader(slab, at, length);
    copy(payload, slab, at + headerLength);
    this.filled = at + size;
    if (number > 0) this.lastNumber = number;
  }

  /** The same for a message of a session: behind the frame's header stands the head with the message's number there. */
  putNumbered(payload: Uint8Array, place: number, number: number): void {
    const { headerLength } = this.framing;
    const length = DATA_HEAD + payload.length;
    if (length >= UNCOPIED) {
      this.putUncopied(payload, place, number);
      return;
    }
    const size = headerLength + length;
    if (this.filled + size > this.slab.length && !this.makeRoom(size)) return;
    const { slab } = this;
    const at = this.filled;
    this.framing.writeHeader(slab, at, length);
    writeDataHead(slab, at + headerLength, number);
    copy(payload, slab, at + headerLength + DATA_HEAD);
    this.filled = at + size;
    this.lastNumber = place;
  }

  /**
   * Another slab, for what the present one has no room for: larger, with what is in this one, or behind this one.
   *
   * @returns false where nothing is put any more
   */
  private makeRoom(size: number): boolean {
    if (this.closed) return false;
    if (this.filled + size > LARGEST_SLAB) this.seal();
    const { slab, filled } = this;
    this.slab = slabs.take(Math.max(filled + size, this.usual));
    if (filled > 0) this.slab.set(viewOf(slab.buffer, slab.byteOffset, filled));
    this.giveBack(slab);
    if (!this.scheduled) this.schedule();
    return true;
  }

  /** @param inSession its number there; 0 for none */
  private putUncopied(payload: Uint8Array, number: number, inSession = 0): void {
    if (this.closed) return;
    const { headerLength } = this.framing;
    const head = inSession > 0 ? DATA_HEAD : 0;
    const header = Buffer.allocUnsafe(headerLength + head);
    this.framing.writeHeader(header, 0, head + payload.length);
    if (inSession > 0) writeDataHead(header, headerLength, inSession);
    const { transport } = this;
    transport.cork();
    // The slab speaks for the messages before this one.
    this.seal();
    this.wait({ bytes: header, at: 0, number: UNFINISHED, slab: undefined });
    this.lastNumber = number;
    this.wait({ bytes: payload, at: 0, number, slab: undefined });
    this.pump();
    transport.uncork();
  }

  /** Hands the slab over; behind a shut window it goes on being filled. */
  flush(): void {
    if (this.filled > 0 && this.waitingBytes === 0 && this.handedOver < WINDOW) this.seal();
  }

  /** Hands over all that was put, then lets the transport end; calls back when the kernel has taken it all. */
  end(finished: () => void): void {
    this.finished = finished;
    this.seal();
    this.endIfEmpty();
  }

  /** Puts nothing more, and forgets what was not handed over. */
  close(): void {
    this.closed = true;
    slabs.left();
    this.giveBack(this.slab);
    this.slab = NONE;
    this.filled = 0;
    this.waitingBytes = 0;
    for (const { slab } of this.waiting.drain()) this.giveBack(slab);
  }

  /** Nothing more is put into the slab: it is handed over, or waits. */
  private seal(): void {
    if (this.filled === 0 || this.closed) return;
    const { slab, filled } = this;
    const bytes = viewOf(slab.buffer, slab.byteOffset, filled);
    this.slab = NONE;
    this.filled = 0;
    this.usual = Math.max(filled, this.usual >>> 1);
    if (this.waitingBytes === 0 && this.handedOver < WINDOW) this.handOver(bytes, this.lastNumber, slab);
    else this.wait({ bytes, at: 0, number: this.lastNumber, slab });
  }

  private wait(one: Waiting): void {
    this.waiting.push(one);
    this.waitingBytes += one.bytes.length;
  }

  /** Hands over what waits, as far as the window allows. */
  private pump(): void {
    for (let next = this.waiting.first(); next && this.handedOver < WINDOW; next = this.waiting.first()) {
      const { bytes, slab } = next;
      const piece = slab ? bytes : bytes.subarray(next.at, next.at + PIECE);
      next.at += piece.length;
      this.waitingBytes -= piece.length;
      const whole = next.at === bytes.length;
      if (whole) this.waiting.shift();
      this.handOver(piece, whole ? next.number : UNFINISHED, slab);
    }
  }

  private handOver(bytes: Uint8Array, number: number, slab: Buffer | undefined): void {
    this.handedOver += bytes.length;
    this.owner.wrote(this.clock.now());
    this.transport.write(bytes, (error) => {
      this.handedOver -= bytes.length;
      if (error) return;
      // A slab that failed may still be read by the system: it is left to the collector.
      this.giveBack(slab);
      if (this.closed) return;
      this.owner.progressed();
      this.refill();
      if (number !== UNFINISHED) this.owner.flushed(number);
    });
  }

  /** There is room in the window. */
  private refill(): void {
    if (this.waitingBytes > 0) {
      this.transport.cork();
      this.pump();
      this.transport.uncork();
    }
    if (!this.scheduled) this.flush();
    this.endIfEmpty();
  }

  private endIfEmpty(): void {
    const { finished } = this;
    if (!finished || this.closed || this.filled > 0 || this.waitingBytes > 0) return;
    this.finished = undefined;
    this.transport.end(finished);
  }

  private schedule(): void {
    this.scheduled = true;
    this.tickEnd.add(this);
  }

  tickEnded(): void {
    this.scheduled = false;
    this.flush();
  }

  private giveBack(slab: Buffer | undefined): void {
    if (slab && slab !== NONE) slabs.give(slab);
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
