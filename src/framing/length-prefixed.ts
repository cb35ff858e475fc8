import { NinjaTcpError, show } from '../errors.js';
import type { Decoder, DecoderLimits, Framing } from './framing.js';
import { viewOf } from './view.js';

export interface LengthPrefixedOptions {
  /** Bytes of the length. Default 4. */
  readonly bytes?: 1 | 2 | 4;
  /** Order of these bytes. Default `'big'`. */
  readonly endian?: 'big' | 'little';
  /** Whether the length counts itself too, as in SMPP. Default false. */
  readonly includesHeader?: boolean;
}

/** A frame's memory begins at most this large, whatever its header says, and then doubles as bytes arrive. */
const FIRST_CARRY = 4096;
const NO_BYTES = Buffer.alloc(0);

/**
 * Every message is preceded by its length. The default is NinjaTCP's frame:
 *
 * ```text
 * send("hello")  →  00 00 00 05  68 65 6c 6c 6f
 * ```
 *
 * | protocol | options |
 * |---|---|
 * | NinjaTCP, Erlang `{packet, 4}` | the default |
 * | payment switches (ISO 8583), Erlang `{packet, 2}` | `{ bytes: 2 }` |
 * | SMPP | `{ includesHeader: true }` |
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Framing {
  demand(typeof options === 'object' && options !== null, 'options', 'must be an object', options);
  const { bytes = 4, endian = 'big', includesHeader = false } = options;
  demand([1, 2, 4].includes(bytes), 'bytes', 'must be 1, 2 or 4', bytes);
  demand(endian === 'big' || endian === 'little', 'endian', "must be 'big' or 'little'", endian);
  demand(typeof includesHeader === 'boolean', 'includesHeader', 'must be true or false', includesHeader);
  return new LengthPrefixed(bytes, endian === 'little', includesHeader);
}

function demand(holds: boolean, option: string, rule: string, value: unknown): void {
  if (holds) return;
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `lengthPrefixed: ${option} ${rule}, got ${show(value)}`);
}

class LengthPrefixed implements Framing {
  readonly name: string;
  readonly maxLength: number;
  /** What the header adds to the message's length. */
  private readonly extra: number;

  constructor(
    readonly headerLength: 1 | 2 | 4,
    private readonly little: boolean,
    includesHeader: boolean,
  ) {
    this.extra = includesHeader ? headerLength : 0;
    this.maxLength = 2 ** (8 * headerLength) - 1 - this.extra;
    this.name = `lengthPrefixed(${headerLength}, ${little ? 'little' : 'big'}${includesHeader ? ', includes header' : ''})`;
  }

  // Byte stores: a quarter of the time of writeUInt32BE.
  writeHeader(target: Uint8Array, offset: number, length: number): void {
    const value = length + this.extra;
    if (this.headerLength === 1) {
      target[offset] = value;
    } else if (this.headerLength === 2) {
      target[offset] = this.little ? value : value >>> 8;
      target[offset + 1] = this.little ? value >>> 8 : value;
    } else if (this.little) {
      target[offset] = value;
      target[offset + 1] = value >>> 8;
      target[offset + 2] = value >>> 16;
      target[offset + 3] = value >>> 24;
    } else {
      target[offset] = value >>> 24;
      target[offset + 1] = value >>> 16;
      target[offset + 2] = value >>> 8;
      target[offset + 3] = value;
    }
  }

  decoder(limits: DecoderLimits): Decoder {
    return new LengthPrefixedDecoder(
      this.headerLength,
      this.little,
      this.extra,
      Math.min(limits.maxFrameLength, this.maxLength),
    );
  }
}

/**
 * Two states and nothing more: in the header (`need < 0`; its bytes so far are the number `header`), or in the body
 * (`need` bytes are wanted; those that came are in `carry[0 … filled)`).
 */
class LengthPrefixedDecoder implements Decoder {
  private header = 0;
  private headerFilled = 0;
  private need = -1;
  private carry: Buffer = NO_BYTES;
  private filled = 0;
  /** Behind a bad header there is no next frame to be found. */
  private refused: NinjaTcpError | undefined;

  constructor(
    private readonly headerLength: 1 | 2 | 4,
    private readonly little: boolean,
    private readonly extra: number,
    private readonly maxFrameLength: number,
  ) {}

  get unfinished(): boolean {
    return this.need >= 0 || this.headerFilled > 0;
  }

  get heldBytes(): number {
    return this.carry.length;
  }

  get progress(): string {
    return this.need >= 0
      ? `${this.filled} of ${this.need} bytes`
      : `${this.headerFilled} of ${this.headerLength} header bytes`;
  }

  push(chunk: Uint8Array, receive: (message: Buffer) => void): void {
    const end = chunk.length;
    let at = 0;
    if (this.refused) throw this.refused;
    if (this.need >= 0) {
      at = this.continueBody(chunk, 0, receive);
    } else if (this.headerFilled > 0) {
      at = this.continueHeader(chunk, receive);
    }
    // From here on: at the start of a frame, or at the end of the chunk.
    const { headerLength } = this;
    const memory = chunk.buffer;
    const base = chunk.byteOffset;
    while (end - at >= headerLength) {
      const length = this.lengthAt(chunk, at);
      if (!this.believes(length)) throw this.refuse(length, chunk.subarray(at));
      const start = at + headerLength;
      if (end - start < length) {
        this.beginBody(length, end - start);
        this.continueBody(chunk, start, receive);
        return;
      }
      at = start + length;
      receive(viewOf(memory, base + start, length));
    }
    while (at < end) this.addHeaderByte(chunk[at++] as number);
  }

  /** The length announced by the whole header at `at`. Byte loads: a quarter of the time of readUInt32BE. */
  private lengthAt(chunk: Uint8Array, at: number): number {
    const a = chunk[at] as number;
    if (this.headerLength === 1) return a - this.extra;
    const b = chunk[at + 1] as number;
    if (this.headerLength === 2) return (this.little ? a | (b << 8) : (a << 8) | b) - this.extra;
    const c = chunk[at + 2] as number;
    const d = chunk[at + 3] as number;
    // >>> 0, since a length of 2^31 and more is a large number, not a negative one
    const value = this.little ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d;
    return (value >>> 0) - this.extra;
  }

  private addHeaderByte(byte: number): void {
    const place = this.little ? this.headerFilled : this.headerLength - 1 - this.headerFilled;
    this.header = (this.header | (byte << (8 * place))) >>> 0;
    this.headerFilled += 1;
  }

  /** Goes on with a header that an earlier chunk began; gives the offset behind what it used. */
  private continueHeader(chunk: Uint8Array, receive: (message: Buffer) => void): number {
    let at = 0;
    while (this.headerFilled < this.headerLength) {
      if (at === chunk.length) return at;
      this.addHeaderByte(chunk[at++] as number);
    }
    const length = this.header - this.extra;
    if (!this.believes(length)) throw this.refuse(length, this.withHeader(chunk.subarray(at)));
    this.headerFilled = 0;
    this.header = 0;
    if (chunk.length - at >= length) {
      receive(viewOf(chunk.buffer, chunk.byteOffset + at, length));
      return at + length;
    }
    this.beginBody(length, chunk.length - at);
    return this.continueBody(chunk, at, receive);
  }

  private beginBody(length: number, available: number): void {
    this.need = length;
    this.filled = 0;
    this.carry = Buffer.allocUnsafe(Math.min(length, Math.max(FIRST_CARRY, 2 * available)));
  }

  /** Copies what the chunk has of the body; gives the offset behind it. */
  private continueBody(chunk: Uint8Array, at: number, receive: (message: Buffer) => void): number {
    const taken = Math.min(chunk.length - at, this.need - this.filled);
    if (this.filled + taken > this.carry.length) this.growCarry(this.filled + taken);
    this.carry.set(at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken), this.filled);
    this.filled += taken;
    if (this.filled === this.need) {
      const message = this.carry;
      this.carry = NO_BYTES;
      this.need = -1;
      this.filled = 0;
      receive(message);
    }
    return at + taken;
  }

  /** Doubles: memory follows the bytes that came, at most twice of them, and each byte is copied at most twice more. */
  private growCarry(least: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.need, Math.max(2 * this.carry.length, least)));
    larger.set(this.carry.subarray(0, this.filled));
    this.carry = larger;
  }

  /** The header's bytes, taken out of the number again, before what follows them. For the error alone. */
  private withHeader(rest: Uint8Array): Uint8Array {
    const bytes = Buffer.alloc(this.headerLength);
    for (let i = 0; i < this.headerLength; i += 1) {
      bytes[i] = this.header >>> (8 * (this.little ? i : this.headerLength - 1 - i));
    }
    return Buffer.concat([bytes, rest.subarray(0, 16)]);
  }

  private believes(length: number): boolean {
    return length >= 0 && length <= this.maxFrameLength;
  }

  private refuse(length: number, from: Uint8Array): NinjaTcpError {
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
