import { inspect } from 'node:util';
// Titles are a grammar: <believe|refuse> <what> <where>. What is refused, in which words, and what was given before.
import { describe, expect, test } from 'vitest';
import { NinjaTcpError } from '../../src/errors.js';
import { type LengthPrefixedOptions, lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { chunkOf, cutAt, cutEvery, decode, encode, hex, presets, textsOf } from './wire.js';

/** The header alone, as digits. */
function headerOf(options: LengthPrefixedOptions, length: number): string {
  const framing = lengthPrefixed(options as object);
  const header = Buffer.alloc(framing.headerLength);
  framing.writeHeader(header, 0, length);
  return header.toString('hex').replace(/(..)(?=.)/g, '$1 ');
}

/** Every way of cutting a frame that begins with a header of so many bytes: whole, cut once inside or behind it, everywhere. */
function cuttings(stream: Uint8Array, headerLength: number): [where: string, chunks: Buffer[]][] {
  const once = Array.from({ length: headerLength }, (_, i): [string, Buffer[]] => [
    `cut after ${i + 1}`,
    cutAt(stream, i + 1),
  ]);
  return [['whole', [chunkOf(stream)]], ...once, ['cut everywhere', cutEvery(stream, 1)]];
}

describe('limit', () => {
  for (const preset of presets) {
    const framing = lengthPrefixed(preset);
    const five = headerOf(preset, 5);

    test(`believe ${preset.name} below and at the limit`, () => {
      for (const text of ['abc', 'abcd']) {
        const stream = encode(framing, [Buffer.from(text), Buffer.from(text)]);
        for (const [where, chunks] of cuttings(stream, preset.bytes)) {
          const { messages, error } = decode(framing, chunks, 4);
          expect(error, where).toBeUndefined();
          expect(textsOf(messages), where).toEqual([text, text]);
        }
      }
    });

    test(`refuse ${preset.name} one above the limit, on its header alone`, () => {
      const text = [...hex(five)].map(() => '.').join('');
      for (const [where, chunks] of cuttings(hex(five), preset.bytes)) {
        const { messages, error } = decode(framing, chunks, 4);
        expect(messages, where).toEqual([]);
        expect(error, where).toMatchObject({
          name: 'NinjaTcpError',
          code: 'NINJA_FRAME_TOO_LARGE',
          outcome: 'unknown',
          message: `a header announced a message of 5 bytes, the limit maxFrameLength is 4; the stream went on with ${five} ("${text}")`,
        });
      }
    });

    test(`refuse ${preset.name} only after the messages before it were given`, () => {
      const good = encode(framing, [Buffer.from('a'), Buffer.alloc(0), Buffer.from('bc')]);
      const stream = Buffer.concat([good, hex(five), Buffer.from('xxxxx')]);
      for (let cut = 0; cut <= stream.length; cut += 1) {
        const { messages, error } = decode(framing, cutAt(stream, cut), 4);
        expect(textsOf(messages), `cut at ${cut}`).toEqual(['a', '', 'bc']);
        expect(error?.code, `cut at ${cut}`).toBe('NINJA_FRAME_TOO_LARGE');
      }
    });

    test(`believe ${preset.name} up to what its header can say, when the limit is above that`, () => {
      const { error, unfinished } = decode(framing, [hex('ff'.repeat(preset.bytes))], 2 ** 40);
      expect({ error, unfinished }).toEqual({ error: undefined, unfinished: true });
    });
  }

  test('believe empty messages at a limit of 0', () => {
    expect(textsOf(decode(lengthPrefixed(), [hex('00 00 00 00 00 00'), hex('00 00')], 0).messages)).toEqual(['', '']);
    expect(decode(lengthPrefixed(), [hex('00 00 00 01')], 0).error?.code).toBe('NINJA_FRAME_TOO_LARGE');
  });

  // biome-ignore format: a table
  const huge: readonly [options: LengthPrefixedOptions, header: string, length: number, text: string][] = [
    [{}, 'ff ff ff ff', 4_294_967_295, '....'],
    [{}, '80 00 00 00', 2_147_483_648, '....'],
    [{}, '7f ff ff ff', 2_147_483_647, '....'],
    [{}, '00 80 00 01', 8_388_609, '....'],
    [{ endian: 'little' }, 'ff ff ff ff', 4_294_967_295, '....'],
    [{ endian: 'little' }, '00 00 00 80', 2_147_483_648, '....'],
    [{ endian: 'little' }, '01 00 80 00', 8_388_609, '....'],
    [{ includesHeader: true }, 'ff ff ff ff', 4_294_967_291, '....'],
    [{ includesHeader: true }, '80 00 00 00', 2_147_483_644, '....'],
    [{ includesHeader: true, endian: 'little' }, 'ff ff ff ff', 4_294_967_291, '....'],
  ];
  for (const [options, header, length, text] of huge) {
    const framing = lengthPrefixed(options as object);
    test(`refuse ${header} of ${framing.name} as ${length} bytes, wherever it is cut`, () => {
      for (const [where, chunks] of cuttings(hex(header), 4)) {
        const { error } = decode(framing, chunks);
        expect(error, where).toMatchObject({
          code: 'NINJA_FRAME_TOO_LARGE',
          message: `a header announced a message of ${length} bytes, the limit maxFrameLength is 8388608; the stream went on with ${header} ("${text}")`,
        });
      }
    });
  }

  test('believe ff ff ff ff as 4 GiB, and hold 4 KiB for it', () => {
    for (const [where, chunks] of cuttings(hex('ff ff ff ff 61'), 4)) {
      const decoder = lengthPrefixed().decoder({ maxFrameLength: 2 ** 32 - 1 });
      for (const chunk of chunks) decoder.push(chunk, () => expect.unreachable());
      expect([decoder.unfinished, decoder.heldBytes], where).toEqual([true, 4096]);
    }
  });
});

describe('first bytes', () => {
  const request = chunkOf(Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n'));
  const words =
    'a header announced a message of 1195725856 bytes, the limit maxFrameLength is 8388608; the stream went on with';
  const sixteen = '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a ("GET / HTTP/1.1..")';

  // biome-ignore format: a table
  const rows: readonly [where: string, chunks: Buffer[], shown: string][] = [
    ['in one chunk: 16 of them', [request], sixteen],
    ['cut after 1: 16 of them', cutAt(request, 1), sixteen],
    ['cut after 3: 16 of them', cutAt(request, 3), sixteen],
    ['cut after 16: 16 of them', cutAt(request, 16), sixteen],
    ['cut after 15: those that came', cutAt(request, 15), '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d ("GET / HTTP/1.1.")'],
    ['cut after 2 and 6: those that came', cutAt(request, 2, 6), '47 45 54 20 2f 20 ("GET / ")'],
    ['cut everywhere: those that came', cutEvery(request, 1), '47 45 54 20 ("GET ")'],
    ['behind a message', [chunkOf(Buffer.concat([hex('00 00 00 01 61'), request]))], sixteen],
    ['behind a cut message', cutAt(Buffer.concat([hex('00 00 00 01 61'), request]), 2), sixteen],
  ];
  for (const [where, chunks, shown] of rows) {
    test(`refuse a request of HTTP and show its first bytes, ${where}`, () => {
      expect(decode(lengthPrefixed(), chunks).error?.message).toBe(`${words} ${shown}`);
    });
  }

  test('refuse and show as text what can be printed, and a dot for what cannot', () => {
    const { error } = decode(lengthPrefixed(), [hex('ff 1f 20 7e 7f 80 00 41')]);
    expect(error?.message).toMatch(/went on with ff 1f 20 7e 7f 80 00 41 \("\.\. ~\.\.\.A"\)$/);
  });
});

describe('header that includes itself', () => {
  for (const preset of presets.filter(({ includesHeader }) => includesHeader)) {
    const framing = lengthPrefixed(preset);
    const { bytes } = preset;

    test(`refuse ${preset.name} announcing less than its own length`, () => {
      for (let declared = 0; declared < bytes; declared += 1) {
        // The same header without `includesHeader`.
        const header = headerOf({ bytes, endian: preset.endian }, declared);
        for (const [where, chunks] of cuttings(hex(header), bytes)) {
          const { messages, error } = decode(framing, chunks);
          expect(messages, where).toEqual([]);
          expect(error, where).toMatchObject({
            code: 'NINJA_FRAME_INVALID',
            outcome: 'unknown',
            message: `a header announced ${declared} bytes, less than its own ${bytes}, which it includes; the stream went on with ${header} ("${'.'.repeat(bytes)}")`,
          });
        }
      }
    });

    test(`refuse ${preset.name} announcing nothing only after the messages before it were given`, () => {
      const stream = Buffer.concat([hex(`${preset.hi} ${preset.empty} ${preset.hi}`), Buffer.alloc(bytes + 3)]);
      for (let cut = 0; cut <= stream.length; cut += 1) {
        const { messages, error } = decode(framing, cutAt(stream, cut));
        expect(textsOf(messages), `cut at ${cut}`).toEqual(['hi', '', 'hi']);
        expect(error?.code, `cut at ${cut}`).toBe('NINJA_FRAME_INVALID');
      }
    });
  }
});

describe('options', () => {
  // biome-ignore format: a table
  const bad: readonly [options: object | null, message: string][] = [
    [{ bytes: 3 }, 'lengthPrefixed: bytes must be 1, 2 or 4, got 3'],
    [{ bytes: 0 }, 'lengthPrefixed: bytes must be 1, 2 or 4, got 0'],
    [{ bytes: 8 }, 'lengthPrefixed: bytes must be 1, 2 or 4, got 8'],
    [{ bytes: '4' }, "lengthPrefixed: bytes must be 1, 2 or 4, got '4'"],
    [{ bytes: 4n }, 'lengthPrefixed: bytes must be 1, 2 or 4, got 4'],
    [{ bytes: Number.NaN }, 'lengthPrefixed: bytes must be 1, 2 or 4, got NaN'],
    [null, 'lengthPrefixed: options must be an object, got null'],
    [{ bytes: null }, 'lengthPrefixed: bytes must be 1, 2 or 4, got null'],
    [{ endian: 'BE' }, `lengthPrefixed: endian must be 'big' or 'little', got 'BE'`],
    [{ endian: 1 }, `lengthPrefixed: endian must be 'big' or 'little', got 1`],
    [{ bytes: 2, endian: null }, `lengthPrefixed: endian must be 'big' or 'little', got null`],
    [{ includesHeader: 'yes' }, "lengthPrefixed: includesHeader must be true or false, got 'yes'"],
    [{ includesHeader: 1 }, 'lengthPrefixed: includesHeader must be true or false, got 1'],
  ];
  for (const [options, message] of bad) {
    test(`refuse ${inspect(options)}`, () => {
      let error: unknown;
      try {
        lengthPrefixed(options as object);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(NinjaTcpError);
      expect(error).toMatchObject({ code: 'NINJA_INVALID_OPTION', outcome: 'refused', message });
    });
  }
});

describe('a decoder behind a bad header', () => {
  for (const cut of [1, 4, 8]) {
    test(`refuses everything that follows, header cut after ${cut} bytes`, () => {
      const decoder = lengthPrefixed().decoder({ maxFrameLength: 16 });
      const bytes = Buffer.from('ffffffff00000001', 'hex');
      const push = (chunk: Buffer) => decoder.push(chunk, (message) => expect.unreachable(`invented ${message}`));
      const first = () => {
        push(bytes.subarray(0, cut));
        push(bytes.subarray(cut));
      };
      expect(first).toThrow(/4294967295 bytes/);
      // A good frame, which would be decoded if the decoder had forgotten.
      expect(() => push(Buffer.from('0000000168', 'hex'))).toThrow(/4294967295 bytes/);
    });
  }

  test('without a limit believes nothing', () => {
    const decoder = lengthPrefixed().decoder({ maxFrameLength: Number.NaN });
    expect(() => decoder.push(Buffer.from('0000000168', 'hex'), () => {})).toThrow(NinjaTcpError);
  });
});
