// Titles are a grammar: parts <what came>: <what became of it>.
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Parts } from '../../src/framing/parts.js';
import { chunkOf, ownMemory } from './wire.js';

const KiB = 1024;

/** Bytes that differ from their neighbours. */
function bytesOf(length: number, seed = 0): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24));
}

function joined(parts: Parts, length: number): Buffer {
  const target = Buffer.alloc(length);
  parts.copyTo(target);
  return target;
}

describe('parts', () => {
  // biome-ignore format: a table
  const one: readonly [what: string, chunk: Buffer, kept: boolean, heldBytes: number][] = [
    ['a chunk of 16 KiB that is all of its memory', ownMemory(bytesOf(16 * KiB)), true, 16 * KiB],
    ['a chunk of 16 KiB less 1', ownMemory(bytesOf(16 * KiB - 1)), false, 16 * KiB - 1],
    ['a chunk of 16 KiB inside a larger memory', chunkOf(bytesOf(16 * KiB)), false, 16 * KiB],
    ['a chunk of 64 KiB inside a larger memory', chunkOf(bytesOf(64 * KiB)), false, 64 * KiB],
    ['a chunk of 64 KiB + 1 inside a larger memory', chunkOf(bytesOf(64 * KiB + 1)), false, 68 * KiB],
    ['a byte', ownMemory(bytesOf(1)), false, 4 * KiB],
  ];
  test.each(one)('parts %s: kept or copied', (_, chunk, kept, heldBytes) => {
    const parts = new Parts();
    const was = Buffer.from(chunk);
    parts.add(chunk, 0, chunk.length);
    expect(parts.heldBytes).toBe(heldBytes);
    // Who holds the very memory sees what is done to it.
    chunk.fill(0);
    expect(joined(parts, chunk.length).equals(kept ? chunk : was)).toBe(true);
  });

  test('parts a piece of a chunk: copied, however large it is, since what lies beside it belongs to others', () => {
    for (const [from, to] of [
      [1, 64 * KiB],
      [0, 64 * KiB - 1],
    ] as const) {
      const chunk = ownMemory(bytesOf(64 * KiB));
      const was = Buffer.from(chunk.subarray(from, to));
      const parts = new Parts();
      parts.add(chunk, from, to);
      chunk.fill(0);
      expect(joined(parts, to - from).equals(was)).toBe(true);
    }
  });

  test('parts bytes between large chunks: they share one block, in order', () => {
    const parts = new Parts();
    const chunks = Array.from({ length: 40 }, (_, i) => ownMemory(bytesOf(i % 2 === 0 ? 1 + (i % 20) : 16 * KiB, i)));
    for (const chunk of chunks) parts.add(chunk, 0, chunk.length);
    expect(parts.heldBytes).toBe(20 * 16 * KiB + 4 * KiB);
    const whole = Buffer.concat(chunks);
    expect(joined(parts, whole.length).equals(whole)).toBe(true);
  });

  test('parts one byte at a time: blocks grow with what came, up to 64 KiB', () => {
    const parts = new Parts();
    const held = new Set<number>();
    const byte = ownMemory(bytesOf(1));
    for (let came = 0; came < 256 * KiB; came += 1) {
      parts.add(byte, 0, 1);
      held.add(parts.heldBytes / KiB);
    }
    expect([...held]).toEqual([4, 8, 16, 32, 64, 128, 192, 256]);
  });

  const anyLength = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70_000 }));
  const anyCome = fc.record({ length: anyLength, own: fc.boolean(), cut: fc.integer({ min: 0, max: 5 }) });
  property.prop([fc.array(anyCome, { maxLength: 20 })])('parts whatever comes: the same bytes, in order', (all) => {
    const parts = new Parts();
    const expected: Buffer[] = [];
    for (const [seed, { length, own, cut }] of all.entries()) {
      const chunk = own ? ownMemory(bytesOf(length, seed)) : chunkOf(bytesOf(length, seed));
      const from = Math.min(cut, length);
      parts.add(chunk, from, length);
      expected.push(chunk.subarray(from));
    }
    const whole = Buffer.concat(expected);
    expect(joined(parts, whole.length).equals(whole)).toBe(true);
    expect(parts.heldBytes).toBeGreaterThanOrEqual(whole.length);
    expect(parts.heldBytes).toBeLessThanOrEqual(Math.max(4 * KiB, 2 * whole.length));
  });
});
