import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Outbox } from '../../src/delivery/outbox.js';
import { NinjaTcpError } from '../../src/errors.js';

const NEVER = Number.POSITIVE_INFINITY;

/** An outbox with messages 1 … n, of n bytes each, that expire at the given times. */
function holding(...expiries: number[]): Outbox {
  const outbox = new Outbox();
  expiries.forEach((expiresAt, index) => {
    outbox.push({ payload: Buffer.alloc(index + 1), number: index + 1, expiresAt });
  });
  return outbox;
}

describe('the outbox', () => {
  test('holds messages in order, and tells its range', () => {
    const outbox = holding(NEVER, NEVER, NEVER);
    expect([outbox.messages, outbox.bytes, outbox.range]).toEqual([3, 6, { from: 1, to: 3, messages: 3, bytes: 6 }]);
    expect(outbox.first()?.number).toBe(1);
    expect(outbox.shift()?.number).toBe(1);
    expect(outbox.range).toEqual({ from: 2, to: 3, messages: 2, bytes: 5 });
    outbox.shift();
    outbox.shift();
    expect([outbox.shift(), outbox.first(), outbox.range, outbox.bytes]).toEqual([undefined, undefined, undefined, 0]);
  });

  const rows: [string, number[], number, number[][]][] = [
    ['none, where none expires', [NEVER, NEVER], 1e12, []],
    ['none before its time', [100, 100], 99, []],
    ['all of a row as one range', [100, 100, 100], 100, [[1, 3, 3, 6]]],
    ['the first of a row', [100, 200, 300], 100, [[1, 1, 1, 1]]],
    [
      'neighbours as one range, others as another',
      [50, 100, NEVER, 70, NEVER, 20, 10],
      100,
      [
        [1, 2, 2, 3],
        [4, 4, 1, 4],
        [6, 7, 2, 13],
      ],
    ],
    ['the last alone', [NEVER, NEVER, 1], 2, [[3, 3, 1, 3]]],
  ];
  test.each(rows)('expire() drops %s', (_, expiries, now, ranges) => {
    const outbox = holding(...expiries);
    const { bytes, messages } = outbox;
    const gone = outbox.expire(now);
    expect(gone.map(({ from, to, messages, bytes }) => [from, to, messages, bytes])).toEqual(ranges);
    expect(outbox.bytes).toBe(bytes - gone.reduce((sum, range) => sum + range.bytes, 0));
    expect(outbox.messages).toBe(messages - gone.reduce((sum, range) => sum + range.messages, 0));
    expect(outbox.expire(now)).toEqual([]);
  });

  test('expire() goes on to the next expiry after the first', () => {
    const outbox = holding(100, 200, 300);
    expect([100, 199, 200, 300].map((now) => outbox.expire(now).length)).toEqual([1, 0, 1, 1]);
  });

  test('expire() looks at nothing until the soonest expiry', () => {
    const outbox = holding(100, 50);
    const looked = { times: 0 };
    const held = (outbox as unknown as { held: { extract: (leaves: unknown) => unknown } }).held;
    const { extract } = held;
    held.extract = (leaves) => {
      looked.times += 1;
      return extract.call(held, leaves);
    };
    outbox.expire(49);
    expect(looked.times).toBe(0);
    outbox.expire(50);
    expect(looked.times).toBe(1);
    outbox.expire(99);
    expect(looked.times).toBe(1);
  });

  test('clear() drops everything as ranges', () => {
    const outbox = holding(NEVER, 1, NEVER);
    outbox.expire(1);
    expect(outbox.clear()).toEqual([
      { from: 1, to: 1, messages: 1, bytes: 1 },
      { from: 3, to: 3, messages: 1, bytes: 3 },
    ]);
    expect([outbox.bytes, outbox.messages, outbox.clear()]).toEqual([0, 0, []]);
  });

  describe('who waits for what becomes of a message is told', () => {
    const waiting = () => {
      const told: string[] = [];
      const outbox = new Outbox();
      const receipts = [1, 2, 3].map((number) => {
        const receipt = {
          handled: () => told.push(`${number} handled`),
          failed: ({ code, outcome, message }: NinjaTcpError) => told.push(`${number} ${code} ${outcome}: ${message}`),
        };
        outbox.push({ payload: Buffer.alloc(number), number, expiresAt: number === 2 ? 100 : NEVER, receipt });
        return receipt;
      });
      return { outbox, told, receipts };
    };

    test('that it has expired', () => {
      const { outbox, told } = waiting();
      outbox.expire(100);
      expect(told).toEqual(['2 NINJA_EXPIRED notSent: it waited for longer than its ttl']);
    });

    test('that all are dropped, and why', () => {
      const { outbox, told } = waiting();
      outbox.clear(() => new NinjaTcpError('NINJA_GAVE_UP', 'no more', undefined, 'notSent'));
      expect(told).toEqual([1, 2, 3].map((number) => `${number} NINJA_GAVE_UP notSent: no more`));
      outbox.clear();
      expect(told).toHaveLength(3);
    });

    test('that it was taken back, itself alone', () => {
      const { outbox, told, receipts } = waiting();
      const why = () => new NinjaTcpError('NINJA_ABORTED', 'taken back', undefined, 'notSent');
      const [, second] = receipts as [never, (typeof receipts)[number]];
      expect(outbox.withdraw(second, why)).toEqual([{ from: 2, to: 2, messages: 1, bytes: 2 }]);
      expect(told).toEqual(['2 NINJA_ABORTED notSent: taken back']);
      expect([outbox.messages, outbox.bytes]).toEqual([2, 4]);
      // It is not here any more: nothing is told a second time.
      expect(outbox.withdraw(second, why)).toEqual([]);
      expect(told).toHaveLength(1);
      expect([outbox.shift()?.number, outbox.shift()?.number]).toEqual([1, 3]);
    });

    test('nothing, where it is written: then others tell', () => {
      const { outbox, told, receipts } = waiting();
      expect(outbox.shift()?.receipt).toBe(receipts[0]);
      expect(told).toEqual([]);
    });
  });

  test('whatever its life: pushed = shifted + dropped + held, in messages and in bytes', () => {
    const step = fc.oneof(
      fc.record({ size: fc.nat(100), ttl: fc.oneof(fc.constant(NEVER), fc.nat(50)) }),
      fc.constant('shift' as const),
      fc.record({ pass: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (life) => {
        const outbox = new Outbox();
        let [now, number, bytes] = [0, 0, 0];
        const out: number[] = [];
        for (const one of life) {
          if (one === 'shift') {
            const entry = outbox.shift();
            if (entry) {
              out.push(entry.number);
              bytes -= entry.payload.length;
            }
          } else if ('pass' in one) {
            now += one.pass;
            for (const range of outbox.expire(now)) {
              expect(range.messages).toBe(range.to - range.from + 1);
              for (let gone = range.from; gone <= range.to; gone += 1) out.push(gone);
              bytes -= range.bytes;
            }
          } else {
            number += 1;
            bytes += one.size;
            outbox.push({ payload: Buffer.alloc(one.size), number, expiresAt: now + one.ttl });
          }
          expect(outbox.bytes).toBe(bytes);
          expect(outbox.messages).toBe(number - out.length);
        }
        expect(new Set(out).size).toBe(out.length);
      }),
    );
  });
});
