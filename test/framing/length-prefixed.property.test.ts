// The decoder against a naive one, for every stream and every way of cutting it. A failure prints its seed and path.
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Framing } from '../../src/framing/framing.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { chunkOf, cutAt, decode, decodeSpans, encode, presets } from './wire.js';

type Preset = (typeof presets)[number];

interface Expected {
  readonly messages: Buffer[];
  readonly code: string | undefined;
  /** Where the frame begins that is bad or unfinished. */
  readonly at: number;
}

/** As simple as it can be: looks at the whole stream, reads numbers with Node's own methods, copies everything. */
function naiveDecode(preset: Preset, stream: Buffer, maxFrameLength: number): Expected {
  const { bytes, endian, includesHeader } = preset;
  const messages: Buffer[] = [];
  let at = 0;
  while (stream.length - at >= bytes) {
    const declared = endian === 'big' ? stream.readUIntBE(at, bytes) : stream.readUIntLE(at, bytes);
    const length = includesHeader ? declared - bytes : declared;
    if (length < 0) return { messages, code: 'NINJA_FRAME_INVALID', at };
    if (length > maxFrameLength) return { messages, code: 'NINJA_FRAME_TOO_LARGE', at };
    if (stream.length - at - bytes < length) break;
    messages.push(Buffer.concat([stream.subarray(at + bytes, at + bytes + length)]));
    at += bytes + length;
  }
  return { messages, code: undefined, at };
}

/** The same loop as programs write it today, over a buffer that grows by `Buffer.concat`. */
function concatDecode(preset: Preset, chunks: readonly Buffer[], maxFrameLength: number): Expected {
  const messages: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    const step = naiveDecode(preset, rest, maxFrameLength);
    messages.push(...step.messages);
    rest = rest.subarray(step.at);
    at += step.at;
    if (step.code !== undefined) return { messages, code: step.code, at };
  }
  return { messages, code: undefined, at };
}

const anyPreset = fc.constantFrom(...presets);
/** Fractions of the stream's length, so that cuts stay in it however it shrinks. */
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const anyMessage = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant(new Uint8Array(0)) },
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 251 }) },
  )
  .map((bytes) => Buffer.from(bytes));
/** Also messages that are longer than the decoder's first piece of memory. */
const anyLongMessage = fc
  .tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer())
  .map(([length, seed]) => Buffer.from(Array.from({ length }, (_, i) => (seed + i * 7 + (i >>> 8)) & 0xff)));
/** Small digits are likely, so that headers are often believed. */
const hostileByte = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
);
const hostileStream = fc.array(hostileByte, { maxLength: 80 }).map((bytes) => Buffer.from(bytes));

function cutting(stream: Buffer, fractions: readonly number[]): Buffer[] {
  return cutAt(stream, ...fractions.map((fraction) => Math.round(fraction * stream.length)).sort((a, b) => a - b));
}

describe('property', () => {
  property.prop([anyPreset, fc.array(anyMessage, { maxLength: 8 }), anyCuts], { numRuns: 1000 })(
    'what was encoded is decoded, however it is cut',
    (preset, messages, cuts) => {
      const framing = lengthPrefixed(preset);
      const stream = encode(framing, messages);
      expect(naiveDecode(preset, stream, framing.maxLength)).toEqual({ messages, code: undefined, at: stream.length });
      const decoded = decode(framing, cutting(stream, cuts));
      expect(decoded).toEqual({ messages, error: undefined, unfinished: false });
      expect(decodeSpans(framing, cutting(stream, cuts))).toEqual(decoded);
    },
  );

  property.prop([fc.array(anyMessage, { maxLength: 8 }), anyCuts, fc.integer({ min: 0, max: 3 })], { numRuns: 1000 })(
    'what a run takes and what it leaves are all of the messages in order, however it is cut',
    (messages, cuts, most) => {
      const framing = lengthPrefixed();
      let [asked, taken] = [0, 0];
      const runInto = (into: Buffer[]) => (chunk: Uint8Array, at: number, end: number, memory: ArrayBufferLike) => {
        asked += 1;
        const view = Buffer.from(memory, chunk.byteOffset, chunk.length);
        let place = at;
        for (let count = 0; count < most && end - place >= 4; count += 1) {
          const next = place + 4 + view.readUInt32BE(place);
          if (next > end) break;
          into.push(view.subarray(place + 4, next));
          place = next;
          taken += 1;
        }
        return place;
      };
      const chunks = cutting(encode(framing, messages), cuts);
      expect(decodeSpans(framing, chunks, undefined, runInto)).toEqual({
        messages,
        error: undefined,
        unfinished: false,
      });
      // In one chunk all are taken but those in its turn, one behind each run.
      if (chunks.length === 1) expect(taken).toBe(messages.length - Math.floor(messages.length / (most + 1)));
      expect(asked).toBeLessThanOrEqual(messages.length + chunks.length);
    },
  );

  property.prop([anyPreset.filter(({ name }) => name !== 'lengthPrefixed(4, big)')])(
    'a run is asked in the default framing alone',
    (preset) => {
      const framing = lengthPrefixed(preset);
      const run = () => () => expect.unreachable('it would not understand the header');
      const chunks = [encode(framing, [Buffer.from('a')])];
      expect(decodeSpans(framing, chunks, undefined, run).messages).toEqual([Buffer.from('a')]);
    },
  );

  property.prop([anyPreset.filter(({ bytes }) => bytes > 1), fc.array(anyLongMessage, { maxLength: 3 }), anyCuts])(
    'what was encoded is decoded, however it is cut, also long messages',
    (preset, messages, cuts) => {
      const framing = lengthPrefixed(preset);
      const decoded = decode(framing, cutting(encode(framing, messages), cuts));
      expect(decoded.unfinished).toBe(false);
      expect(decoded.messages.map((message) => message.toString('base64'))).toEqual(
        messages.map((message) => message.toString('base64')),
      );
    },
  );

  property.prop([anyPreset, hostileStream, anyCuts, fc.integer({ min: 0, max: 12 })], { numRuns: 3000 })(
    'hostile bytes give the same messages and the same error, however they are cut',
    (preset, stream, cuts, maxFrameLength) => {
      const framing = lengthPrefixed(preset);
      const chunks = cutting(stream, cuts);
      const expected = naiveDecode(preset, stream, maxFrameLength);
      expect(concatDecode(preset, chunks, maxFrameLength)).toEqual(expected);

      const whole = decode(framing, [chunkOf(stream)], maxFrameLength);
      const cut = decode(framing, chunks, maxFrameLength);
      expect(decodeSpans(framing, chunks, maxFrameLength)).toEqual(cut);
      for (const { messages, error, unfinished } of [whole, cut]) {
        expect({ messages, code: error?.code }).toEqual({ messages: expected.messages, code: expected.code });
        if (error === undefined) expect(unfinished).toBe(expected.at < stream.length);
      }
      // The words are the same up to the first bytes, which show what had come by then, from the bad header on.
      const [words, shown] = cut.error?.message.split('; the stream went on with ') ?? [];
      expect(words).toBe(whole.error?.message.split(';')[0]);
      if (shown === undefined) return;
      const digits = shown.slice(0, shown.indexOf(' (')).replaceAll(' ', '');
      expect(digits.length).toBeGreaterThanOrEqual(2 * preset.bytes);
      expect(
        stream
          .subarray(expected.at, expected.at + 16)
          .toString('hex')
          .startsWith(digits),
      ).toBe(true);
    },
  );
});

describe('exhaustive', () => {
  /** Three messages that make, with their headers, 14 bytes. */
  const threeFor = { 1: ['hello', '', 'worlds'], 2: ['ab', '', 'cdefgh'], 4: ['a', '', 'b'] } as const;

  /** Bit i of `ways` cuts behind byte i. The pieces are views of one memory, which is quick. */
  function decodeCut(framing: Framing, stream: Buffer, ways: number): Buffer[] {
    const messages: Buffer[] = [];
    const decoder = framing.decoder({ maxFrameLength: 8 });
    const receive = (message: Buffer): void => {
      messages.push(message);
    };
    let from = 0;
    for (let to = 1; to <= stream.length; to += 1) {
      if (to < stream.length && (ways & (1 << (to - 1))) === 0) continue;
      decoder.push(stream.subarray(from, to), receive);
      from = to;
    }
    if (decoder.unfinished || decoder.heldBytes > 0) throw new Error('unfinished');
    return messages;
  }

  for (const preset of presets) {
    const words = threeFor[preset.bytes];
    // The empty one first, in the middle, last.
    for (const order of [[1, 0, 2] as const, [0, 1, 2] as const, [0, 2, 1] as const]) {
      const messages = order.map((i) => Buffer.from(words[i]));
      test(`${preset.name}: ${messages.map((message) => `'${message}'`).join(' ')} in all 8192 cuttings`, () => {
        const framing = lengthPrefixed(preset);
        const stream = chunkOf(encode(framing, messages));
        expect(stream.length).toBe(14);
        let wrong: string | undefined;
        for (let ways = 0; ways < 2 ** (stream.length - 1); ways += 1) {
          const got = decodeCut(framing, stream, ways);
          if (got.length === 3 && got.every((message, i) => message.equals(messages[i]!))) continue;
          wrong ??= `${ways.toString(2)}: ${got.join(', ')}`;
        }
        expect(wrong).toBeUndefined();
      });
    }
  }
});
