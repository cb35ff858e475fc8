/** The decoder against a reference that is as simple as can be: any stream, any framing, any cutting, any limit. */
import fc from 'fast-check';
import { NinjaTcpError } from '../../src/errors.js';
import { type LengthPrefixedOptions, lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { createRandom } from '../../src/testing/random.js';
import { demand, same } from './demand.js';

type Preset = Required<LengthPrefixedOptions>;

const MiB = 2 ** 20;
/** An unfinished message takes at most so much memory at first, bytes: docs/limits.md. */
const FIRST = 4096;

const presets: readonly Preset[] = ([1, 2, 4] as const).flatMap((bytes) =>
  (['big', 'little'] as const).flatMap((endian) =>
    [false, true].map((includesHeader) => ({ bytes, endian, includesHeader })),
  ),
);

/** What a stream is made of: a kind, and two numbers for its size and its content. */
type Piece = readonly [kind: (typeof kinds)[number], size: number, chance: number];
const kinds = ['small', 'empty', 'large', 'flipped', 'garbage', 'atLimit', 'cutShort', 'highest'] as const;

function header({ bytes, endian }: Preset, value: number): Buffer {
  const written = Buffer.alloc(bytes);
  const fits = Math.max(0, Math.min(value, 2 ** (8 * bytes) - 1));
  if (endian === 'big') written.writeUIntBE(fits, 0, bytes);
  else written.writeUIntLE(fits, 0, bytes);
  return written;
}

/** A header that announces `declared` bytes, and a message of `length`. */
function framed(preset: Preset, declared: number, length: number, chance: number): Buffer {
  const extra = preset.includesHeader ? preset.bytes : 0;
  return Buffer.concat([header(preset, declared + extra), Buffer.alloc(length, chance || 1)]);
}

function bytesOf([kind, size, chance]: Piece, preset: Preset, limit: number): Buffer {
  const longest = Math.min(limit, 2 ** (8 * preset.bytes) - 1 - preset.bytes);
  const small = Math.min(size % 40, longest);
  switch (kind) {
    case 'small':
      return framed(preset, small, small, chance);
    case 'empty':
      return framed(preset, 0, 0, 0);
    case 'large': {
      const length = Math.min(size, longest);
      return framed(preset, length, length, chance);
    }
    case 'flipped': {
      const frame = framed(preset, small, small, chance);
      const at = chance % (preset.bytes + 1);
      if (at < frame.length) frame[at] = (frame[at] as number) ^ (1 << (size % 8));
      return frame;
    }
    case 'garbage': {
      const random = createRandom(chance, 'garbage');
      return Buffer.from(Array.from({ length: size % 13 }, () => Math.floor(random() * 256)));
    }
    case 'atLimit':
      return framed(preset, limit - 1 + (chance % 3), chance % 7, chance);
    case 'cutShort':
      return framed(preset, small, Math.floor(small / 2), chance);
    case 'highest':
      return Buffer.alloc(preset.bytes, 0xff);
  }
}

/** Keeps all bytes that it has not understood yet, looks at them anew each time, and copies every message. */
class Reference {
  rest: Buffer = Buffer.alloc(0);
  readonly messages: Buffer[] = [];
  code: string | undefined;

  constructor(
    private readonly preset: Preset,
    private readonly limit: number,
  ) {}

  push(chunk: Buffer): void {
    const { bytes, endian, includesHeader } = this.preset;
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= bytes) {
      const declared = endian === 'big' ? this.rest.readUIntBE(0, bytes) : this.rest.readUIntLE(0, bytes);
      const length = includesHeader ? declared - bytes : declared;
      if (length < 0) this.code = 'NINJA_FRAME_INVALID';
      else if (length > this.limit) this.code = 'NINJA_FRAME_TOO_LARGE';
      if (this.code !== undefined || this.rest.length < bytes + length) return;
      this.messages.push(Buffer.from(this.rest.subarray(bytes, bytes + length)));
      this.rest = this.rest.subarray(bytes + length);
    }
  }

  /** What may be held for the unfinished message, bytes. */
  get mayHold(): { readonly least: number; readonly most: number } {
    const { bytes, endian, includesHeader } = this.preset;
    if (this.rest.length < bytes) return { least: 0, most: 0 };
    const declared = endian === 'big' ? this.rest.readUIntBE(0, bytes) : this.rest.readUIntLE(0, bytes);
    const came = this.rest.length - bytes;
    return { least: came, most: Math.min(declared - (includesHeader ? bytes : 0), Math.max(FIRST, 2 * came)) };
  }
}

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (stream.length + 1)), stream.length].sort((a, b) => a - b);
  // Memory of its own for each chunk, as the kernel gives it.
  return ends.map((end, i) => Buffer.from(stream.subarray(ends[i - 1] ?? 0, end)));
}

function thrownBy(doing: () => void): unknown {
  try {
    doing();
    return undefined;
  } catch (error) {
    demand(error instanceof NinjaTcpError, () => `something else was thrown: ${String(error)}`);
    return error;
  }
}

const piece: fc.Arbitrary<Piece> = fc.tuple(fc.constantFrom(...kinds), fc.nat(12_000), fc.nat(255));
const anyLimit = fc.oneof(fc.nat(30), fc.constantFrom(255, FIRST, 2 * FIRST + 1, 20_000, 8 * MiB));

export const decoder = fc.property(
  fc.constantFrom(...presets),
  fc.array(piece, { maxLength: 8 }),
  fc.array(fc.nat(60_000), { maxLength: 10 }),
  anyLimit,
  (preset, pieces, places, limit) => {
    const framing = lengthPrefixed(preset);
    const most = Math.min(limit, framing.maxLength);
    const stream = Buffer.concat(pieces.map((one) => bytesOf(one, preset, most)));
    const chunks = cut(stream, places);
    const reference = new Reference(preset, most);
    const decoding = framing.decoder({ maxFrameLength: limit });
    const messages: Buffer[] = [];
    const receive = (message: Buffer) => void messages.push(message);
    for (const chunk of chunks) {
      const before = Buffer.from(chunk);
      reference.push(chunk);
      const error = thrownBy(() => decoding.push(chunk, receive)) as NinjaTcpError | undefined;
      same(error?.code, reference.code, 'the error');
      same(messages.length, reference.messages.length, 'the number of messages');
      demand(chunk.equals(before), () => 'the chunk was written to');
      if (error) {
        // The next frame cannot be found: nothing is, whatever comes.
        for (const more of [Buffer.alloc(0), chunk, Buffer.alloc(9)]) {
          demand(thrownBy(() => decoding.push(more, receive)) === error, () => 'another error, or none, the next time');
        }
        same(decoding.heldBytes, 0, 'bytes held after the error');
        break;
      }
      const { least, most: held } = reference.mayHold;
      const { heldBytes } = decoding;
      demand(heldBytes >= least && heldBytes <= held, () => `${heldBytes} bytes are held, not ${least} … ${held}`);
      same(decoding.unfinished, reference.rest.length > 0, 'unfinished');
      if (decoding.unfinished) demand(/^\d+ of \d+ (header )?bytes$/.test(decoding.progress), () => decoding.progress);
    }
    // Looked at last: a message must not change when others follow it. One that nobody sent would be one too many.
    same(messages.length, reference.messages.length, 'the number of messages');
    messages.forEach((message, i) => {
      demand(message.equals(reference.messages[i] as Buffer), () => `message ${i} is another one`);
    });
  },
);
