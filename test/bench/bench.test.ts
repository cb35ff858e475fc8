import { describe, expect, test } from 'vitest';
// @ts-expect-error: plain modules, since the benchmark is one
import { counter, kindsOf, makeMessages } from './messages.mjs';
// @ts-expect-error
import { ReferenceDecoder, SlabWriter } from './reference.mjs';
// @ts-expect-error
import { growthWords, tablesOf } from './report.mjs';
// @ts-expect-error
import { judge, median } from './statistics.mjs';
// @ts-expect-error
import { cliffs, workOf } from './suites/growth.mjs';
// @ts-expect-error
import { plot } from './svg.mjs';

// Speed itself is measured by `npm run bench`; here only that the benchmark would notice what is wrong.

const frameOf = (message: string): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(message.length);
  return Buffer.concat([header, Buffer.from(message)]);
};
const sent = ['a', '', 'nine byte', 'x'.repeat(300)];
const wire = Buffer.concat(sent.map(frameOf));

describe('the hand-written reference', () => {
  test.each([1, 2, 3, 5, 7, 64, wire.length])('decodes what chunks of %i bytes cut', (length) => {
    const received: string[] = [];
    const decoder = new ReferenceDecoder(300, (message: Buffer) => received.push(message.toString()));
    for (let at = 0; at < wire.length; at += length) decoder.push(Buffer.from(wire.subarray(at, at + length)));
    expect(received).toEqual(sent);
  });

  test.each([1, 4, wire.length])('refuses a length over its limit, in chunks of %i bytes', (length) => {
    const decoder = new ReferenceDecoder(299, () => undefined);
    expect(() => {
      for (let at = 0; at < wire.length; at += length) decoder.push(Buffer.from(wire.subarray(at, at + length)));
    }).toThrow('300 bytes');
  });

  test('writes frames in order, large payloads too, in few writes', async () => {
    const written: Buffer[] = [];
    const socket = {
      write: (bytes: Uint8Array, taken?: () => void) => {
        written.push(Buffer.from(bytes));
        taken?.();
        return true;
      },
      cork: () => undefined,
      uncork: () => undefined,
    };
    const writer = new SlabWriter(socket);
    const large = 'y'.repeat(40_000);
    for (const message of [...sent, large, ...sent]) writer.send(Buffer.from(message));
    await new Promise(setImmediate);
    expect(Buffer.concat(written)).toEqual(Buffer.concat([...sent, large, ...sent].map(frameOf)));
    expect(written).toHaveLength(4);
  });
});

describe('what arrived is compared with what was sent', () => {
  const size = 64;
  const [first, second, third] = makeMessages(size) as Buffer[];
  const changedAt = (place: number): Buffer => {
    const message = Buffer.from(first as Buffer);
    message[place] = (message[place] as number) ^ 1;
    return message;
  };
  const wrongOf = (...messages: (Buffer | undefined)[]): number => {
    let told = -1;
    const accept = counter(
      { size, warm: 1, count: messages.length - 1 },
      () => undefined,
      (wrong: number) => {
        told = wrong;
      },
    );
    const receive = accept();
    for (const message of messages) receive(message);
    return told;
  };

  test.each([
    ['all as sent', [first, second, third], 0],
    ['one is missing', [first, third, third], 1],
    ['one came twice', [first, first, third], 1],
    ['two changed places', [second, first, third], 2],
    ['a number is another', [changedAt(0), second], 1],
    ['an end is another', [changedAt(size - 1), second], 1],
    ['a byte inside is another', [changedAt(size / 2), second], 1],
    ['one is short', [first, second?.subarray(1)], 1],
  ])('%s', (_, messages, wrong) => {
    expect(wrongOf(...messages)).toBe(wrong);
  });

  test('over several connections each has its own numbers', () => {
    let told = -1;
    const accept = counter(
      { size, warm: 2, count: 2, connections: 2 },
      () => undefined,
      (wrong: number) => {
        told = wrong;
      },
    );
    const [one, two] = [accept(), accept()];
    one(first);
    one(second);
    two(first);
    two(second);
    expect(told).toBe(0);
  });

  test.each([4, 16, 1024, 2 ** 20, 2 ** 23])('messages of %i bytes differ in number', (bytes) => {
    const kinds = kindsOf(bytes);
    expect([kinds & (kinds - 1), kinds * bytes <= Math.max(2 ** 20, 4 * bytes)]).toEqual([0, true]);
  });
});

describe('verdicts', () => {
  const row = (aim: object) => ({ id: 'x', group: 'g', what: 'w', unit: 'u', ours: 'ours', other: 'raw', aim });
  const samples = { ours: [90, 100, 80], raw: [100, 100, 100] };

  test.each([
    [{ atLeast: 0.9 }, 0.9, true],
    [{ atLeast: 0.95 }, 0.9, false],
    [{ atMost: 0.9 }, 0.9, true],
    [{ atMost: 0.85 }, 0.9, false],
    [{ addAtMost: -10 }, -10, true],
    [{ addAtMost: -11 }, -10, false],
  ])('aim %j: %d, reached %s', (aim, figure, reached) => {
    const judged = judge(row(aim), samples);
    expect([judged.figure.median, judged.reached]).toEqual([figure, reached]);
    expect(tablesOf([judged])).toContain(reached ? '| yes |' : '| **no** |');
  });

  test('the median of an even number lies between', () => expect(median([4, 1, 3, 2])).toBe(2.5));

  test('a cliff is found between points ten and more times apart, and nowhere else', () => {
    const flat = [16, 64, 256, 1024].map((x) => ({ x, y: x }));
    expect(cliffs(flat, workOf.size)).toEqual([]);
    const steep = flat.map(({ x, y }) => ({ x, y: x === 1024 ? 1.3 * y : y }));
    expect(cliffs(steep, workOf.size)).toMatchObject([{ from: 64, to: 1024 }]);
    const costly = [1, 10, 100].map((x) => ({ x, y: x === 100 ? 1.3 : 1 }));
    expect(cliffs(costly, workOf.connections)).toMatchObject([{ from: 10, to: 100 }]);
    const [verdict] = growthWords([{ id: 'size', title: 'Length', lines: [{ name: 'ours', points: steep }] }]);
    expect(verdict).toMatchObject({ good: false });
  });
});

test('a plot has a line with its spread for each way, and no words that break it', () => {
  const points = [16, 256].map((x) => ({ x, y: x / 100, least: x / 200, most: x / 50 }));
  const svg = plot({ title: 'a < b & c', x: 'bytes', y: 'µs', lines: [{ name: 'ours', points }] });
  expect(svg.match(/<circle /g)).toHaveLength(2);
  expect(svg).toContain('a &#60; b &#38; c');
  expect(svg).not.toMatch(/NaN|undefined/);
});
