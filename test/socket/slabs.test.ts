import { describe, expect, test } from 'vitest';
import { lengthPrefixed } from '../../src/index.js';
import { MAX_SPARE_BYTES, Slabs, slabs } from '../../src/socket/slabs.js';
import { Writer } from '../../src/socket/writer.js';
import { createVirtualClock } from '../../src/testing/index.js';
import { FakeTransport, framesIn } from './fakes.js';

const KiB = 1024;

describe('the store of slabs', () => {
  const sizes: [number, number][] = [
    [1, KiB],
    [KiB, KiB],
    [KiB + 1, 2 * KiB],
    [2 * KiB, 2 * KiB],
    [4224, 8 * KiB],
    [64 * KiB + 1, 128 * KiB],
    [128 * KiB, 128 * KiB],
  ];
  test.each(sizes)('%d bytes are had in a slab of %d, which is used again for the same', (size, length) => {
    const store = new Slabs();
    const slab = store.take(size);
    expect(slab.length).toBe(length);
    store.give(slab);
    expect([store.take(size), store.spareBytes]).toEqual([slab, 0]);
  });

  test('another size is not served from it', () => {
    const store = new Slabs();
    const small = store.take(KiB);
    store.give(small);
    expect(store.take(2 * KiB).length).toBe(2 * KiB);
    expect(store.take(KiB)).toBe(small);
  });

  test.each([KiB, 128 * KiB])('keeps no more than its bound, in slabs of %d bytes', (size) => {
    const store = new Slabs();
    const many = Array.from({ length: MAX_SPARE_BYTES / size + 1 }, () => store.take(size));
    for (const slab of many) store.give(slab);
    expect(store.spareBytes).toBe(MAX_SPARE_BYTES);
    const again = new Set(many.map(() => store.take(size)));
    expect(many.filter((slab) => !again.has(slab)).length).toBe(1);
    expect(store.spareBytes).toBe(0);
  });
});

describe('the store of slabs, behind a burst', () => {
  /** So many slabs of 8 KiB are taken at once, and given back. */
  const turn = (store: Slabs, count: number, size = 8 * KiB): Buffer[] => {
    const slabs = Array.from({ length: count }, () => store.take(size));
    for (const slab of slabs) store.give(slab);
    return slabs;
  };

  test('keeps what is needed again and again', () => {
    const store = new Slabs();
    const used = new Set<Buffer>();
    for (let tick = 0; tick < 50; tick += 1) for (const slab of turn(store, 2000)) used.add(slab);
    expect([used.size, store.spareBytes]).toEqual([2000, 2000 * 8 * KiB]);
  });

  test('lets go what nobody needs any more, while small ones come and go', () => {
    const store = new Slabs();
    turn(store, 2000);
    const seen: number[] = [];
    for (let tick = 0; tick < 400; tick += 1) {
      turn(store, 100, 100);
      if (tick % 100 === 49) seen.push(store.spareBytes / KiB);
    }
    expect(seen[0]).toBeLessThanOrEqual(2000 * 8 + 100);
    expect(seen.at(-1)).toBeLessThan(200);
  });

  test('lets it go when those who needed it are closed', () => {
    const store = new Slabs();
    turn(store, 2000);
    for (let closed = 0; closed < 2000; closed += 1) store.left();
    expect(store.spareBytes).toBeLessThan((2000 * 8 * KiB) / 8);
  });
});

/** Writers of one process; `used` are the memories in which they wrote. */
function crowd(count: number) {
  const clock = createVirtualClock();
  const members = Array.from({ length: count }, () => {
    const transport = new FakeTransport();
    const writer = new Writer(transport, lengthPrefixed(), clock, { wrote() {}, progressed() {}, flushed() {} });
    return { transport, writer };
  });
  const used = () => new Set(members.flatMap(({ transport }) => transport.writes.map(({ buffer }) => buffer)));
  const takeAll = () => {
    for (const { transport } of members) transport.take();
  };
  return { clock, members, used, takeAll };
}

const bytesOf = (memories: Iterable<ArrayBufferLike>) => [...memories].reduce((sum, one) => sum + one.byteLength, 0);
const message = (length: number) => Buffer.alloc(length, 'm');

describe('memory of a writer', () => {
  const needs: [string, number[], number][] = [
    ['one small message', [20], KiB],
    ['a few', [500, 500, 500], 2 * KiB],
    ['32 messages of 128 bytes', Array(32).fill(128), 8 * KiB],
    ['one of 20 KiB', [20 * KiB], 32 * KiB],
  ];
  test.each(needs)('follows what a tick puts: %s', async (_, lengths, bytes) => {
    const { clock, members, used } = crowd(1);
    for (const length of lengths) members[0]?.writer.put(message(length), 1);
    await clock.settle();
    expect(members[0]?.transport.writes.length).toBe(1);
    expect(bytesOf(used())).toBe(bytes);
  });

  test('1,000 writers with one small message each need 1 KiB each, and the next tick the same ones', async () => {
    const { clock, members, used, takeAll } = crowd(1000);
    for (let tick = 0; tick < 5; tick += 1) {
      for (const { writer } of members) writer.put(message(20), 1);
      await clock.settle();
      takeAll();
    }
    expect(used().size).toBe(1000);
    expect(bytesOf(used())).toBe(1000 * KiB);
  });

  test('what was put before it grew is still there, in order, in one write', async () => {
    const { clock, members } = crowd(1);
    const { writer, transport } = members[0] as (typeof members)[0];
    const sent = Array.from({ length: 200 }, (_, n) => `${n} `.padEnd(n * 5, '.'));
    for (const [n, text] of sent.entries()) writer.put(Buffer.from(text), n + 1);
    await clock.settle();
    expect(transport.writes.length).toBe(1);
    expect(framesIn(transport.bytes)).toEqual(sent);
  });

  test('begins as large as it was used lately, and half as large with each quiet tick', async () => {
    const { clock, members } = crowd(1);
    const { writer, transport } = members[0] as (typeof members)[0];
    for (const length of [30_000, 20, 20, 20, 20, 20, 20]) {
      writer.put(message(length), 1);
      await clock.settle();
      transport.take();
    }
    const sizes = transport.writes.map(({ buffer }) => buffer.byteLength / KiB);
    expect(sizes).toEqual([32, 32, 16, 8, 4, 2, 1]);
  });

  test('is given back when all is written', async () => {
    const { clock, members, takeAll } = crowd(50);
    const before = slabs.spareBytes;
    for (const { writer } of members) writer.put(message(3000), 1);
    await clock.settle();
    takeAll();
    const grown = slabs.spareBytes - before;
    expect(grown).toBeGreaterThanOrEqual(0);
    for (const { writer } of members) writer.put(message(3000), 1);
    await clock.settle();
    expect(slabs.spareBytes).toBeLessThanOrEqual(before);
    takeAll();
    expect(slabs.spareBytes - before).toBe(grown);
  });

  test('is given back by close(), but for what was handed over', async () => {
    const { clock, members } = crowd(1);
    const { writer, transport } = members[0] as (typeof members)[0];
    writer.put(Buffer.alloc(400 * KiB), 1);
    await clock.settle();
    writer.put(message(20 * KiB), 2);
    writer.put(Buffer.alloc(40 * KiB), 3);
    writer.put(message(10 * KiB), 4);
    const before = slabs.spareBytes;
    writer.close();
    expect(slabs.spareBytes - before).toBe(2 * 32 * KiB);
    transport.take();
    expect(slabs.spareBytes - before).toBe(2 * 32 * KiB);
  });
});
