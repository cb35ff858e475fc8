import { NinjaTcpError } from '../errors.js';
import type { ReceiveSpan, SpanDecoder, TakeRun } from './framing.js';
import { copyBytes, Parts } from './parts.js';
import { viewOf } from './view.js';

/** So much memory is taken on the word of a header alone; for more, half of it has to have come. */
const SHORT = 4096;
const NO_BYTES = Buffer.alloc(0);
const nothing = (): void => {};

/**
 * Two states and nothing more: in the header (`need < 0`; its bytes so far are the number `header`), or in the body
 * (`need` bytes are wanted; the `filled` ones that came are in `parts` up to the half, then in `carry`).
 */
export class LengthPrefixedDecoder implements SpanDecoder {
  private header = 0;
  private headerFilled = 0;
  private need = -1;
  private filled = 0;
  /** As long as the message. */
  private carry = NO_BYTES;
  /** The beginning of a message for which no carry was made yet. */
  private parts: Parts | undefined;
  /** Behind a bad header there is no next frame to be found. */
  private refused: NinjaTcpError | undefined;
  /** The default's header: read where it lies, without asking what it is. */
  private readonly plain: boolean;

  constructor(
    private readonly headerLength: 1 | 2 | 4,
    private readonly little: boolean,
    private readonly extra: number,
    private readonly maxFrameLength: number,
  ) {
    this.plain = headerLength === 4 && !little && extra === 0;
  }

  get unfinished(): boolean {
    return this.need >= 0 || this.headerFilled > 0;
  }

  get heldBytes(): number {
    return this.parts === undefined ? this.carry.length : this.parts.heldBytes;
  }

  get progress(): string {
    return this.need >= 0
      ? `${this.filled} of ${this.need} bytes`
      : `${this.headerFilled} of ${this.headerLength} header bytes`;
  }

  push(chunk: Uint8Array, receive: (message: Buffer) => void): void {
    this.decode(chunk, receive);
  }

  spans(chunk: Uint8Array, receive: ReceiveSpan, run?: TakeRun): void {
    this.decode(chunk, nothing, receive, this.plain ? run : undefined);
  }

  /**
   * All in one, so that it is too large for V8 to inline it into its caller: what it calls for each message could not be
   * inlined then, which costs more than half as much again.
   */
  private decode(chunk: Uint8Array, receive: (message: Buffer) => void, span?: ReceiveSpan, run?: TakeRun): void {
    const { headerLength, plain } = this;
    const end = chunk.length;
    const memory = chunk.buffer;
    const base = chunk.byteOffset;
    let at = 0;
    if (this.need >= 0) {
      at = this.continueBody(chunk, 0, receive, span);
    } else if (this.headerFilled > 0) {
      // A header that an earlier chunk began.
      while (this.headerFilled < headerLength) {
        if (at === end) return;
        this.addHeaderByte(chunk[at++] as number);
      }
      const length = this.header - this.extra;
      if (!this.believes(length)) throw this.refuse(length, this.withHeader(chunk.subarray(at)));
      this.headerFilled = 0;
      this.header = 0;
      if (end - at >= length) {
        at += length;
        if (span === undefined) receive(viewOf(memory, base + at - length, length));
        else span(chunk, at - length, length, memory);
      } else {
        this.beginBody(length, end - at);
        at = this.continueBody(chunk, at, receive, span);
      }
    } else if (this.refused !== undefined) {
      throw this.refused;
    }
    // From here on: at the start of a frame, or at the end of the chunk.
    if (run !== undefined) at = run(chunk, at, end, memory);
    // Behind the loop stands nothing: V8 may compile it while it runs for the first time, and would fall out of what it made
    // at the end of each chunk, into what it has never seen.
    while (at < end) {
      if (end - at < headerLength) {
        this.beginHeader(chunk, at);
        return;
      }
      // Byte loads: a quarter of the time of readUInt32BE. >>> 0, since 2^31 and more is a large number, not a negative one.
      const length = plain
        ? (((chunk[at] as number) << 24) |
            ((chunk[at + 1] as number) << 16) |
            ((chunk[at + 2] as number) << 8) |
            (chunk[at + 3] as number)) >>>
          0
        : this.lengthAt(chunk, at);
      if (!this.believes(length)) throw this.refuse(length, chunk.subarray(at));
      const start = at + headerLength;
      at = start + length;
      if (at > end) {
        this.beginBody(length, end - start);
        this.continueBody(chunk, start, receive, span);
        return;
      }
      if (span === undefined) {
        receive(viewOf(memory, base + start, length));
      } else {
        span(chunk, start, length, memory);
        if (run !== undefined) at = run(chunk, at, end, memory);
      }
    }
  }

  /** The chunk ends within a header. */
  private beginHeader(chunk: Uint8Array, at: number): void {
    for (let next = at; next < chunk.length; next += 1) this.addHeaderByte(chunk[next] as number);
  }

  /** The length announced by the whole header at `at`, whatever kind of header it is. */
  private lengthAt(chunk: Uint8Array, at: number): number {
    let value = 0;
    for (let i = 0; i < this.headerLength; i += 1) value |= (chunk[at + i] as number) << this.shiftOf(i);
    return (value >>> 0) - this.extra;
  }

  /** How far byte `place` of a header stands to the left. */
  private shiftOf(place: number): number {
    return 8 * (this.little ? place : this.headerLength - 1 - place);
  }

  private addHeaderByte(byte: number): void {
    this.header = (this.header | (byte << this.shiftOf(this.headerFilled))) >>> 0;
    this.headerFilled += 1;
  }

  private beginBody(length: number, available: number): void {
    this.need = length;
    this.filled = 0;
    if (length <= Math.max(SHORT, 2 * available)) this.carry = Buffer.allocUnsafe(length);
    else this.parts = new Parts();
  }

  /** Takes what the chunk has of the body; gives the offset behind it. */
  private continueBody(chunk: Uint8Array, at: number, receive: (message: Buffer) => void, span?: ReceiveSpan): number {
    const end = Math.min(chunk.length, at + this.need - this.filled);
    if (this.parts !== undefined && !this.half(this.parts, this.filled + end - at)) this.parts.add(chunk, at, end);
    else copyBytes(chunk, at, end, this.carry, this.filled);
    this.filled += end - at;
    if (this.filled === this.need) {
      const message = this.carry;
      this.carry = NO_BYTES;
      this.need = -1;
      if (span === undefined) receive(message);
      else span(message, 0, message.length, message.buffer);
    }
    return end;
  }

  /** With half of the message there is memory for all of it, so that the other half is copied once, and none of it twice. */
  private half(parts: Parts, filled: number): boolean {
    if (2 * filled < this.need) return false;
    this.carry = Buffer.allocUnsafe(this.need);
    this.parts = undefined;
    parts.copyTo(this.carry);
    return true;
  }

  /** The header's bytes, taken out of the number again, before what follows them. For the error alone. */
  private withHeader(rest: Uint8Array): Uint8Array {
    const bytes = Buffer.alloc(this.headerLength);
    for (let i = 0; i < this.headerLength; i += 1) bytes[i] = this.header >>> this.shiftOf(i);
    return Buffer.concat([bytes, rest.subarray(0, 16)]);
  }

  private believes(length: number): boolean {
    return length >= 0 && length <= this.maxFrameLength;
  }

  private refuse(length: number, from: Uint8Array): NinjaTcpError {
    this.headerFilled = 0;
    this.refused = this.badLength(length, from);
    return this.refused;
  }

  private badLength(length: number, from: Uint8Array): NinjaTcpError {
    const first = Buffer.from(from.subarray(0, 16));
    const hex = first.toString('hex').replace(/(..)(?=.)/g, '$1 ');
    const text = first.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    const seen = `the stream went on with ${hex} ("${text}")`;
    if (length < 0) {
      const declared = length + this.extra;
      return new NinjaTcpError(
        'NINJA_FRAME_INVALID',
        `a header announced ${declared} bytes, less than its own ${this.extra}, which it includes; ${seen}`,
      );
    }
    return new NinjaTcpError(
      'NINJA_FRAME_TOO_LARGE',
      `a header announced a message of ${length} bytes, the limit maxFrameLength is ${this.maxFrameLength}; ${seen}`,
    );
  }
}
