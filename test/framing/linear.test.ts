// Work is counted, not timed: bytes of memory taken and bytes copied stay within a small multiple of what arrived.
import { describe, expect, test } from 'vitest';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { chunkOf, ownMemory } from './wire.js';

const MiB = 1024 * 1024;
const framing = lengthPrefixed();

interface Work {
  /** Bytes of memory that were asked for. */
  allocated: number;
  /** Bytes that were copied from one memory to another. */
  copied: number;
}

/** Counts while `run` runs, at every way in which Node lets a program take memory for bytes or copy them. */
function workOf(run: () => void): Work {
  const work: Work = { allocated: 0, copied: 0 };
  const undo: (() => void)[] = [];
  const watch = (owner: object, method: string, count: (self: never, args: never[]) => void): void => {
    const own = Object.getOwnPropertyDescriptor(owner, method)!;
    const original = own.value as (...args: unknown[]) => unknown;
    function watched(this: never, ...args: never[]): unknown {
      count(this, args);
      return original.apply(this, args);
    }
    Object.defineProperty(owner, method, { ...own, value: watched });
    undo.push(() => Object.defineProperty(owner, method, own));
  };
  const sized = (_self: never, [size]: number[]): void => {
    work.allocated += size ?? 0;
  };
  for (const method of ['alloc', 'allocUnsafe', 'allocUnsafeSlow']) watch(Buffer, method, sized);
  watch(Buffer, 'concat', (_self, [list]: Uint8Array[][]) => {
    for (const part of list!) work.copied += part.length;
  });
  const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype) as object;
  watch(typedArray, 'set', (_self, [source]: Uint8Array[]) => {
    work.copied += source!.length;
  });
  watch(typedArray, 'slice', (self: Uint8Array) => {
    work.copied += self.length;
  });
  watch(Buffer.prototype, 'copy', (self: Uint8Array) => {
    work.copied += self.length;
  });
  try {
    run();
  } finally {
    for (const restore of undo) restore();
  }
  return work;
}

/** A frame whose bytes differ from their neighbours and from those a power of two away. */
function frameOf(length: number): Buffer {
  const frame = Buffer.alloc(framing.headerLength + length);
  for (let i = 0; i < frame.length; i += 1) frame[i] = Math.imul(i, 2_654_435_761) >>> 24;
  framing.writeHeader(frame, 0, length);
  return chunkOf(frame);
}

/** Decodes the stream cut every `size` bytes. */
function decodeCounted(stream: Buffer, size: number): { messages: Buffer[]; work: Work } {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
  return decodeChunks(chunks);
}

function decodeChunks(chunks: readonly Buffer[]): { messages: Buffer[]; work: Work } {
  const messages: Buffer[] = [];
  const decoder = framing.decoder({ maxFrameLength: 16 * MiB });
  const receive = (message: Buffer): void => {
    messages.push(message);
  };
  const work = workOf(() => {
    for (const chunk of chunks) decoder.push(chunk, receive);
  });
  expect(decoder.unfinished).toBe(false);
  return { messages, work };
}

describe('linear', () => {
  // biome-ignore format: a table
  const rows: readonly [title: string, length: number, size: number][] = [
    ['16 MiB in chunks of 1460 bytes', 16 * MiB, 1460],
    ['16 MiB in chunks of 64 KiB', 16 * MiB, 65_536],
    ['64 KiB one byte at a time', 65_536, 1],
    ['1 MiB + 1 in chunks of 7 bytes', MiB + 1, 7],
    ['4097 bytes one byte at a time', 4097, 1],
  ];
  for (const [title, length, size] of rows) {
    test(`a message of ${title} arrives whole, and takes linear work`, () => {
      const frame = frameOf(length);
      const { messages, work } = decodeCounted(frame, size);
      expect(messages.length).toBe(1);
      expect(frame.subarray(framing.headerLength).equals(messages[0]!)).toBe(true);
      // Itself, and blocks for the first half of it.
      expect(work.allocated).toBeGreaterThanOrEqual(length);
      expect(work.allocated).toBeLessThanOrEqual(1.5 * length + 65_536);
      // A few bytes are copied by a loop, which nobody counts.
      expect(work.copied).toBeGreaterThanOrEqual(size > 8 ? length : 0.49 * length);
      expect(work.copied).toBeLessThanOrEqual(1.5 * length);
    });
  }

  test('a long message in chunks that are memory of their own takes its own memory, and each byte is copied once', () => {
    const length = 4 * MiB + 1000;
    const frame = frameOf(length);
    const chunks: Buffer[] = [];
    for (let at = 0; at < frame.length; at += 65_536) chunks.push(ownMemory(frame.subarray(at, at + 65_536)));
    const { messages, work } = decodeChunks(chunks);
    expect(frame.subarray(framing.headerLength).equals(messages[0]!)).toBe(true);
    // What comes with the header may lie beside another message, and so is copied once more.
    const beside = 65_536 - framing.headerLength;
    expect(work).toEqual({ allocated: length + beside, copied: length + beside });
  });

  test('messages that lie inside their chunks take no memory and are not copied', () => {
    const stream = chunkOf(Buffer.concat(Array.from({ length: 1000 }, () => frameOf(96))));
    const { messages, work } = decodeCounted(stream, 100 * 50);
    expect(messages.length).toBe(1000);
    expect(work).toEqual({ allocated: 0, copied: 0 });
  });

  test('many messages in one chunk: only the two that are cut are copied', () => {
    const stream = chunkOf(Buffer.concat(Array.from({ length: 1000 }, () => frameOf(96))));
    const { messages, work } = decodeCounted(stream, 40_030);
    expect(messages.length).toBe(1000);
    expect(work).toEqual({ allocated: 2 * 96, copied: 2 * 96 });
  });
});
