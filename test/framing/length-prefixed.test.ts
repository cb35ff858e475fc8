// Titles are a grammar: <encode|decode|view|hold> <what> <how it is cut>. Bytes are literal; `|` cuts.
import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { chunkOf, cutAt, cutEvery, decode, decodeSpans, encode, hex, LIMIT, presets, textsOf } from './wire.js';

const framing = lengthPrefixed();

describe('encode', () => {
  for (const preset of presets) {
    const { name, bytes, maxLength, empty, hi, long, header } = preset;
    const framing = lengthPrefixed(preset);
    /** The header between two bytes that must stay as they are. */
    const headerOf = (length: number): string => {
      const target = hex(`ee ${'55'.repeat(bytes)} ee`);
      framing.writeHeader(target, 1, length);
      expect([target[0], target.at(-1)]).toEqual([0xee, 0xee]);
      return target.subarray(1, -1).toString('hex');
    };

    test(`encode ${name}`, () => {
      expect(framing).toMatchObject({ name, headerLength: bytes, maxLength });
      expect(encode(framing, [Buffer.from('hi')])).toEqual(Buffer.from(hex(hi)));
      expect(encode(framing, [Buffer.alloc(0)])).toEqual(Buffer.from(hex(empty)));
      expect(headerOf(long)).toBe(header.replaceAll(' ', ''));
      expect(headerOf(maxLength)).toBe('ff'.repeat(bytes));
    });
  }

  test('encode the default, which is lengthPrefixed(4, big)', () => {
    expect(framing.name).toBe('lengthPrefixed(4, big)');
    expect(encode(framing, [Buffer.from('hello')]).toString('hex')).toBe('0000000568656c6c6f');
  });

  test('encode into a plain Uint8Array', () => {
    const target = new Uint8Array(6).fill(9);
    framing.writeHeader(target, 1, 0x80000001);
    expect([...target]).toEqual([9, 0x80, 0, 0, 1, 9]);
  });
});

// 'a' × 36, so that the second header lies at bytes 40 to 43 of 95.
const a36 = '61'.repeat(36);
const b51 = '62'.repeat(51);
const [a, b] = ['a'.repeat(36), 'b'.repeat(51)];

// biome-ignore format: a table
const cuttings: readonly [title: string, chunks: string, messages: string[]][] = [
  // the six of NinjaTCP's own tests
  ['one message in one chunk', '00 00 00 02 68 69', ['hi']],
  ['one message in two halves', '00 00 00 04 68 | 69 79 6f', ['hiyo']],
  ['two messages in four pieces', '00 00 00 03 61 | 62 63 | 00 00 00 03 64 | 65 66', ['abc', 'def']],
  ['three messages in one chunk', '00 00 00 01 61 00 00 00 02 62 63 00 00 00 03 64 65 66', ['a', 'bc', 'def']],
  ['two messages, 42 bytes and 53 bytes, second header cut after 2', `00 00 00 24 ${a36} 00 00 | 00 33 ${b51}`, [a, b]],
  ['one message, header cut after 1 byte', '00 | 00 00 02 68 69', ['hi']],
  // the other places of a cut
  ['one message, header cut after 2 bytes', '00 00 | 00 02 68 69', ['hi']],
  ['one message, header cut after 3 bytes', '00 00 00 | 02 68 69', ['hi']],
  ['one message, header cut everywhere', '00 | 00 | 00 | 02 | 68 69', ['hi']],
  ['one message, cut behind the header', '00 00 00 02 | 68 69', ['hi']],
  ['one message, cut everywhere', '00 | 00 | 00 | 02 | 68 | 69', ['hi']],
  ['one message, empty chunks everywhere', '| 00 || 00 00 | | 02 || 68 || 69 |', ['hi']],
  ['two messages cut between them', '00 00 00 02 68 69 | 00 00 00 02 79 6f', ['hi', 'yo']],
  ['two messages, body of the first cut, second whole', '00 00 00 02 68 | 69 00 00 00 02 79 6f', ['hi', 'yo']],
  ['two messages, body of the first and header of the second cut', '00 00 00 02 68 | 69 00 00 00 | 02 79 6f', ['hi', 'yo']],
  ['two messages, both headers cut', '00 00 00 | 02 68 69 00 | 00 00 02 79 6f', ['hi', 'yo']],
  ['two messages, both bodies cut', '00 00 00 02 68 | 69 00 00 00 02 79 | 6f', ['hi', 'yo']],
  ['a long message after a short one, both cut', '00 00 00 01 | 61 00 00 00 03 62 | 63 64', ['a', 'bcd']],
  ['a short message after a long one, both cut', '00 00 00 03 61 62 | 63 00 00 00 | 01 64', ['abc', 'd']],
  ['an empty message in one chunk', '00 00 00 00', ['']],
  ['an empty message, header cut after 1 byte', '00 | 00 00 00', ['']],
  ['an empty message, header cut after 3 bytes', '00 00 00 | 00', ['']],
  ['an empty message, cut everywhere', '00 | 00 | 00 | 00', ['']],
  ['empty messages around one, in one chunk', '00 00 00 00 00 00 00 01 61 00 00 00 00', ['', 'a', '']],
  ['empty messages around one, headers cut', '00 00 | 00 00 00 | 00 00 01 | 61 00 00 00 | 00', ['', 'a', '']],
  ['an empty message behind a cut body', '00 00 00 02 68 | 69 00 00 00 00', ['hi', '']],
  ['a message and half a header', '00 00 00 01 61 00 00', ['a']],
  ['a message and a header', '00 00 00 01 61 00 00 00 05', ['a']],
  ['a message and half a message', '00 00 00 01 61 00 00 00 05 62 63', ['a']],
];

describe('decode', () => {
  for (const [title, chunks, messages] of cuttings) {
    test(`decode ${title}`, () => {
      expect(textsOf(decode(framing, chunks.split('|').map(hex)).messages)).toEqual(messages);
    });
  }

  test('decode nothing', () => {
    expect(decode(framing, [])).toMatchObject({ messages: [], unfinished: false });
    expect(decode(framing, [hex('')])).toMatchObject({ messages: [], unfinished: false });
  });

  for (const preset of presets) {
    const framing = lengthPrefixed(preset);
    const stream = hex(`${preset.empty} ${preset.hi} ${preset.empty} ${preset.empty} ${preset.hi}`);
    const messages = ['', 'hi', '', '', 'hi'];

    test(`decode ${preset.name} in one chunk`, () => {
      expect(textsOf(decode(framing, [stream]).messages)).toEqual(messages);
    });

    test(`decode ${preset.name} cut anywhere once or twice`, () => {
      for (let first = 0; first <= stream.length; first += 1) {
        for (let second = first; second <= stream.length; second += 1) {
          const { messages: got, unfinished } = decode(framing, cutAt(stream, first, second));
          expect(textsOf(got), `cut at ${first} and ${second}`).toEqual(messages);
          expect(unfinished).toBe(false);
        }
      }
    });

    test(`decode ${preset.name} cut everywhere`, () => {
      expect(textsOf(decode(framing, cutEvery(stream, 1)).messages)).toEqual(messages);
    });

    test(`decode ${preset.name}, a length with a different digit in every byte`, () => {
      const message = Buffer.alloc(preset.long, 'abcdefg');
      const whole = Buffer.concat([hex(preset.header), message, hex(preset.hi)]);
      for (let cut = 0; cut <= preset.bytes + 1; cut += 1) {
        const { messages: got } = decode(framing, cutAt(whole, cut));
        expect(got.length, `cut at ${cut}`).toBe(2);
        expect(message.equals(got[0]!)).toBe(true);
        expect(got[1]!.toString()).toBe('hi');
      }
    });
  }

  test('decode with two decoders of one framing, which know nothing of each other', () => {
    const [one, two] = [framing.decoder({ maxFrameLength: LIMIT }), framing.decoder({ maxFrameLength: LIMIT })];
    const got: string[] = [];
    one.push(hex('00 00 00 02 68'), (message) => got.push(`one ${message}`));
    two.push(hex('00 00 00 01 61'), (message) => got.push(`two ${message}`));
    one.push(hex('69'), (message) => got.push(`one ${message}`));
    expect(got).toEqual(['two a', 'one hi']);
  });

  test('decode at once: each message is given before push returns, none later', () => {
    const decoder = framing.decoder({ maxFrameLength: LIMIT });
    const pushed = (digits: string): number => {
      let count = 0;
      decoder.push(hex(digits), () => {
        count += 1;
      });
      return count;
    };
    const chunks = ['00 00 00 02 68', '69', '00 00 00', '00', '00 00 00 01 61 00 00 00 01 62'];
    expect(chunks.map(pushed)).toEqual([0, 1, 0, 1, 2]);
  });
});

describe('view', () => {
  const inside: readonly [title: string, chunks: string[], offset: number][] = [
    ['in one chunk', ['00 00 00 02 68 69'], 4],
    ['in one chunk behind another message', ['00 00 00 01 61 00 00 00 02 68 69'], 9],
    ['whose header was cut', ['00 00', '00 02 68 69'], 2],
    ['whose header was cut, before another', ['00 00', '00 02 68 69 00'], 2],
    ['behind the rest of another message', ['00 00 00 02 61', '62 00 00 00 02 68 69'], 5],
  ];
  for (const [title, digits, offset] of inside) {
    test(`view a message ${title}: it shares memory with its chunk`, () => {
      const chunks = digits.map(hex);
      const message = decode(framing, chunks).messages.at(-1)!;
      const chunk = chunks.at(-1)!;
      expect(message.buffer).toBe(chunk.buffer);
      expect(message.byteOffset).toBe(chunk.byteOffset + offset);
      chunk[offset] = 0x48;
      expect(message.toString()).toBe('Hi');
      const span = decodeSpans(framing, chunks).messages.at(-1)!;
      expect([span.buffer, span.byteOffset]).toEqual([message.buffer, message.byteOffset]);
    });
  }

  test('view a message that lies across chunks: it shares memory with none', () => {
    const chunks = [hex('00 00 00 02 68'), hex('69')];
    const message = decode(framing, chunks).messages[0]!;
    for (const chunk of chunks) {
      expect(message.buffer).not.toBe(chunk.buffer);
      chunk.fill(0);
    }
    expect(message.toString()).toBe('hi');
  });

  test('view two messages that lie across chunks: they share no bytes with each other', () => {
    const { messages } = decode(framing, ['00 00 00 02 68', '69 00 00 00 02 79', '6f'].map(hex));
    messages[0]!.fill(0x21);
    expect(textsOf(messages)).toEqual(['!!', 'yo']);
  });

  const wholeOrCut: readonly [title: string, chunks: string[]][] = [
    ['in one chunk', ['00 00 00 02 68 69 00 00 00 00']],
    ['across chunks', ['00', '00 00 02 68', '69 00 00 00', '00']],
    ['with cut headers', ['00', '00 00 02 68 69 00 00', '00 00']],
  ];
  for (const [title, chunks] of wholeOrCut) {
    test(`view messages ${title}: they are Buffers to everybody`, () => {
      const buffers = chunks.map(hex);
      for (const given of [buffers, buffers.map((chunk) => new Uint8Array(chunk))]) {
        const { messages } = decode(framing, given);
        for (const message of messages) {
          expect(message).toBeInstanceOf(Buffer);
          expect(Buffer.isBuffer(message)).toBe(true);
          expect(Object.getPrototypeOf(message)).toBe(Buffer.prototype);
        }
        assert.deepStrictEqual(messages, [Buffer.from('hi'), Buffer.alloc(0)]);
      }
    });
  }
});

describe('hold', () => {
  test('hold at each stage what unfinished and heldBytes say', () => {
    const decoder = framing.decoder({ maxFrameLength: LIMIT });
    const stages: readonly [chunk: string, unfinished: boolean, heldBytes: number][] = [
      ['', false, 0],
      ['00', true, 0],
      ['00 00', true, 0],
      ['', true, 0],
      ['03', true, 3],
      ['61', true, 3],
      ['', true, 3],
      ['62 63', false, 0],
      ['00 00 00 01 61', false, 0],
      ['00 00 00 00', false, 0],
      ['00 00 00', true, 0],
      ['00', false, 0],
      ['00 00 00 02', true, 2],
      ['61 62 00', true, 0],
      ['00 00 01 63', false, 0],
      // a long one: nothing is held for it before its first byte came
      ['00 00 00 01 61 00 10 00 00', true, 0],
      ['', true, 0],
      ['61', true, 4096],
    ];
    const got = stages.map(([chunk]) => {
      decoder.push(hex(chunk), () => {});
      return [chunk, decoder.unfinished, decoder.heldBytes];
    });
    expect(got).toEqual(stages);
  });

  test('hold while a message is given: it is no longer unfinished, nor held', () => {
    const decoder = framing.decoder({ maxFrameLength: LIMIT });
    const seen: unknown[] = [];
    // Cut in the header, in the body, not at all.
    for (const digits of '00 00 00 | 02 68 69 | 00 00 00 02 68 | 69 | 00 00 00 02 68 69'.split('|')) {
      decoder.push(hex(digits), () => seen.push(decoder.unfinished, decoder.heldBytes));
    }
    expect(seen).toEqual([false, 0, false, 0, false, 0]);
  });

  const drips: readonly [title: string, sizes: (arrived: number) => number][] = [
    ['1 byte at a time', () => 1],
    ['1460 bytes at a time', () => 1460],
    ['64 KiB at a time', () => 65_536],
    ['1 byte and 16 KiB in turn', (arrived) => (arrived % 2 === 0 ? 1 : 16_384)],
  ];
  for (const header of ['00 80 00 00', '00 | 80 00 00']) {
    for (const [title, sizeAt] of drips) {
      test(`hold what arrived, never what the header ${header} says, ${title}`, () => {
        const decoder = framing.decoder({ maxFrameLength: LIMIT });
        for (const chunk of header.split('|').map(hex)) decoder.push(chunk, () => {});
        expect(decoder.heldBytes).toBeLessThanOrEqual(4096);
        const end = Math.min(sizeAt(0) * 20_000, 3 * 1024 * 1024);
        const source = chunkOf(Buffer.alloc(65_536));
        for (let arrived = 0; arrived < end; ) {
          const chunk = source.subarray(0, sizeAt(arrived));
          decoder.push(chunk, () => {});
          arrived += chunk.length;
          if (decoder.heldBytes >= arrived && decoder.heldBytes <= Math.max(4096, 2 * arrived)) continue;
          assert.fail(`${decoder.heldBytes} bytes held when ${arrived} had arrived`);
        }
        expect(decoder.unfinished).toBe(true);
      });
    }
  }

  test('hold all of a long message when half of it came, and not before', () => {
    const decoder = framing.decoder({ maxFrameLength: LIMIT });
    const got: number[] = [];
    for (const chunk of [
      hex('00 01 00 01'),
      ...[32_768, 1, 32_767, 1].map((length) => Buffer.allocUnsafeSlow(length)),
    ]) {
      decoder.push(chunk, ({ length }) => got.push(length));
      got.push(decoder.heldBytes);
    }
    expect(got).toEqual([0, 32_768, 65_537, 65_537, 65_537, 0]);
  });

  test('hold the first part of a long message that came with its header', () => {
    const decoder = framing.decoder({ maxFrameLength: LIMIT });
    decoder.push(chunkOf(Buffer.concat([hex('00 80 00 00'), Buffer.alloc(60_000)])), () => {});
    expect(decoder.heldBytes).toBeGreaterThanOrEqual(60_000);
    expect(decoder.heldBytes).toBeLessThanOrEqual(120_000);
  });
});
