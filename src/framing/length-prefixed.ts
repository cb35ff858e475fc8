import { NinjaTcpError, show } from '../errors.js';
import type { DecoderLimits, Framing, SpanDecoder } from './framing.js';
import { LengthPrefixedDecoder } from './length-decoder.js';

export interface LengthPrefixedOptions {
  /** Bytes of the length. Default 4. */
  readonly bytes?: 1 | 2 | 4;
  /** Order of these bytes. Default `'big'`. */
  readonly endian?: 'big' | 'little';
  /** Whether the length counts itself too, as in SMPP. Default false. */
  readonly includesHeader?: boolean;
}

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
  /** The default. */
  private readonly plain: boolean;

  constructor(
    readonly headerLength: 1 | 2 | 4,
    private readonly little: boolean,
    includesHeader: boolean,
  ) {
    this.extra = includesHeader ? headerLength : 0;
    this.plain = headerLength === 4 && !little && !includesHeader;
    this.maxLength = 2 ** (8 * headerLength) - 1 - this.extra;
    this.name = `lengthPrefixed(${headerLength}, ${little ? 'little' : 'big'}${includesHeader ? ', includes header' : ''})`;
  }

  // Byte stores: a quarter of the time of writeUInt32BE. The default by itself, so that it is small enough to be inlined.
  writeHeader(target: Uint8Array, offset: number, length: number): void {
    if (this.plain) {
      target[offset] = length >>> 24;
      target[offset + 1] = length >>> 16;
      target[offset + 2] = length >>> 8;
      target[offset + 3] = length;
    } else {
      this.writeOther(target, offset, length + this.extra);
    }
  }

  private writeOther(target: Uint8Array, offset: number, value: number): void {
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

  decoder(limits: DecoderLimits): SpanDecoder {
    return new LengthPrefixedDecoder(
      this.headerLength,
      this.little,
      this.extra,
      Math.min(limits.maxFrameLength, this.maxLength),
    );
  }
}
