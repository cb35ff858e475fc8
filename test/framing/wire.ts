import { NinjaTcpError } from '../../src/errors.js';
import type { Decoder, Framing, ReceiveSpan, SpanDecoder, TakeRun } from '../../src/framing/framing.js';
import type { LengthPrefixedOptions } from '../../src/framing/length-prefixed.js';

/** The default of the connection; most tests do not come near it. */
export const LIMIT = 8 * 1024 * 1024;

/** A chunk as the kernel gives it: it lies somewhere inside a larger memory, which is full of other bytes. */
export function chunkOf(bytes: Uint8Array): Buffer {
  const memory = new ArrayBuffer(bytes.length + 16);
  new Uint8Array(memory).fill(0xee);
  const chunk = Buffer.from(memory, 5, bytes.length);
  chunk.set(bytes);
  return chunk;
}

/** A chunk that is all of its memory, as Node gives what it read from a socket. */
export function ownMemory(bytes: Uint8Array): Buffer {
  const chunk = Buffer.allocUnsafeSlow(bytes.length);
  chunk.set(bytes);
  return chunk;
}

/** `'00 01 68'` as a chunk. */
export function hex(digits: string): Buffer {
  return chunkOf(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
}

/** The stream in pieces, each a chunk of its own memory. */
export function cutAt(stream: Uint8Array, ...places: number[]): Buffer[] {
  return [...places, stream.length].map((end, i) => chunkOf(stream.subarray(places[i - 1] ?? 0, end)));
}

export function cutEvery(stream: Uint8Array, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) chunks.push(chunkOf(stream.subarray(at, at + size)));
  return chunks;
}

export function encode(framing: Framing, messages: readonly Uint8Array[]): Buffer {
  const { headerLength } = framing;
  const frames = messages.map((message) => {
    const frame = Buffer.alloc(headerLength + message.length, 0xee);
    framing.writeHeader(frame, 0, message.length);
    frame.set(message, headerLength);
    return frame;
  });
  return Buffer.concat(frames);
}

export interface Decoded {
  readonly messages: Buffer[];
  /** What ended the decoding before the end of the chunks. */
  readonly error: NinjaTcpError | undefined;
  readonly unfinished: boolean;
}

/** Pushes the chunks until one is refused, as a socket does. */
export function decode(framing: Framing, chunks: readonly Uint8Array[], maxFrameLength = LIMIT): Decoded {
  const messages: Buffer[] = [];
  const decoder: Decoder = framing.decoder({ maxFrameLength });
  const receive = (message: Buffer): void => {
    messages.push(message);
  };
  let error: NinjaTcpError | undefined;
  try {
    for (const chunk of chunks) decoder.push(chunk, receive);
  } catch (thrown) {
    if (!(thrown instanceof NinjaTcpError)) throw thrown;
    error = thrown;
  }
  return { messages, error, unfinished: decoder.unfinished };
}

/** The same by spans: each message as a view of where it is told to lie. `run` takes what it likes before. */
export function decodeSpans(
  framing: Framing,
  chunks: readonly Uint8Array[],
  maxFrameLength = LIMIT,
  run?: (messages: Buffer[]) => TakeRun,
): Decoded {
  const messages: Buffer[] = [];
  const decoder = framing.decoder({ maxFrameLength }) as SpanDecoder;
  let error: NinjaTcpError | undefined;
  try {
    for (const chunk of chunks) {
      const receive: ReceiveSpan = (source, start, length, memory) => {
        if (memory !== source.buffer) throw new Error('the memory is not that of the source');
        messages.push(Buffer.from(memory, source.byteOffset + start, length));
      };
      decoder.spans(chunk, receive, run?.(messages));
    }
  } catch (thrown) {
    if (!(thrown instanceof NinjaTcpError)) throw thrown;
    error = thrown;
  }
  return { messages, error, unfinished: decoder.unfinished };
}

/** Each message as latin1 text, which shows every byte. */
export function textsOf(messages: readonly Buffer[]): string[] {
  return messages.map((message) => message.toString('latin1'));
}

interface Preset extends Required<LengthPrefixedOptions> {
  readonly name: string;
  readonly maxLength: number;
  /** The frame of no bytes. */
  readonly empty: string;
  /** The frame of `hi`. */
  readonly hi: string;
  /** A length whose header has a different digit in every byte, and that header. */
  readonly long: number;
  readonly header: string;
}

// biome-ignore format: a table
export const presets: readonly Preset[] = [
  { name: 'lengthPrefixed(1, big)', bytes: 1, endian: 'big', includesHeader: false, maxLength: 255, empty: '00', hi: '02 68 69', long: 254, header: 'fe' },
  { name: 'lengthPrefixed(1, little)', bytes: 1, endian: 'little', includesHeader: false, maxLength: 255, empty: '00', hi: '02 68 69', long: 254, header: 'fe' },
  { name: 'lengthPrefixed(2, big)', bytes: 2, endian: 'big', includesHeader: false, maxLength: 65_535, empty: '00 00', hi: '00 02 68 69', long: 0x8182, header: '81 82' },
  { name: 'lengthPrefixed(2, little)', bytes: 2, endian: 'little', includesHeader: false, maxLength: 65_535, empty: '00 00', hi: '02 00 68 69', long: 0x8182, header: '82 81' },
  { name: 'lengthPrefixed(4, big)', bytes: 4, endian: 'big', includesHeader: false, maxLength: 4_294_967_295, empty: '00 00 00 00', hi: '00 00 00 02 68 69', long: 0x00010203, header: '00 01 02 03' },
  { name: 'lengthPrefixed(4, little)', bytes: 4, endian: 'little', includesHeader: false, maxLength: 4_294_967_295, empty: '00 00 00 00', hi: '02 00 00 00 68 69', long: 0x00010203, header: '03 02 01 00' },
  { name: 'lengthPrefixed(1, big, includes header)', bytes: 1, endian: 'big', includesHeader: true, maxLength: 254, empty: '01', hi: '03 68 69', long: 253, header: 'fe' },
  { name: 'lengthPrefixed(1, little, includes header)', bytes: 1, endian: 'little', includesHeader: true, maxLength: 254, empty: '01', hi: '03 68 69', long: 253, header: 'fe' },
  { name: 'lengthPrefixed(2, big, includes header)', bytes: 2, endian: 'big', includesHeader: true, maxLength: 65_533, empty: '00 02', hi: '00 04 68 69', long: 0x8182, header: '81 84' },
  { name: 'lengthPrefixed(2, little, includes header)', bytes: 2, endian: 'little', includesHeader: true, maxLength: 65_533, empty: '02 00', hi: '04 00 68 69', long: 0x8182, header: '84 81' },
  { name: 'lengthPrefixed(4, big, includes header)', bytes: 4, endian: 'big', includesHeader: true, maxLength: 4_294_967_291, empty: '00 00 00 04', hi: '00 00 00 06 68 69', long: 0x00010203, header: '00 01 02 07' },
  { name: 'lengthPrefixed(4, little, includes header)', bytes: 4, endian: 'little', includesHeader: true, maxLength: 4_294_967_291, empty: '04 00 00 00', hi: '06 00 00 00 68 69', long: 0x00010203, header: '07 02 01 00' },
];
