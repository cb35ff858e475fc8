import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { NumberMap, Receipts } from '../../src/delivery/receipts.js';
import { NinjaTcpError } from '../../src/errors.js';

function receiptsOf(...numbers: number[]) {
  const told: string[] = [];
  const receipts = new Receipts();
  for (const number of numbers) {
    receipts.add(number, {
      handled: () => told.push(`${number} handled`),
      failed: ({ outcome }) => told.push(`${number} ${outcome}`),
    });
  }
  return { receipts, told };
}

const lost = (outcome: 'unknown' | 'notSent') => new NinjaTcpError('NINJA_SESSION_LOST', 'lost', undefined, outcome);

describe('receipts', () => {
  test('are told once, in order, when all up to a number is handled', () => {
    const { receipts, told } = receiptsOf(1, 2, 5);
    receipts.handled(0);
    expect(told).toEqual([]);
    receipts.handled(1);
    expect(told).toEqual(['1 handled']);
    receipts.handled(1);
    receipts.handled(4);
    expect(told).toEqual(['1 handled', '2 handled']);
    receipts.handled(9);
    receipts.handled(9);
    expect(told).toEqual(['1 handled', '2 handled', '5 handled']);
  });

  test('of the others tell, once, what may be concluded of each', () => {
    const { receipts, told } = receiptsOf(1, 2, 3, 4);
    receipts.handled(1);
    receipts.fail((number) => lost(number <= 2 ? 'unknown' : 'notSent'));
    receipts.fail(() => lost('unknown'));
    receipts.handled(4);
    expect(told).toEqual(['1 handled', '2 unknown', '3 notSent', '4 notSent']);
  });

  test('go on after the loss of a session', () => {
    const { receipts, told } = receiptsOf(7);
    receipts.fail(() => lost('unknown'));
    receipts.add(1, { handled: () => told.push('again 1 handled'), failed: () => told.push('again 1 failed') });
    receipts.handled(1);
    expect(told).toEqual(['7 unknown', 'again 1 handled']);
  });
});

describe('which accepted message has which number', () => {
  const mapOf = (...pairs: readonly (readonly [number: number, accepted: number])[]) => {
    const map = new NumberMap();
    for (const pair of pairs) map.note(...pair);
    return map;
  };

  test('the same, where none was dropped', () => {
    const map = mapOf([1, 1], [2, 2], [3, 3]);
    expect([1, 2, 3].map((number) => map.acceptedOf(number))).toEqual([1, 2, 3]);
  });

  test('ahead by as many as were dropped before it', () => {
    const map = mapOf([1, 1], [2, 4], [3, 5], [4, 9]);
    expect([1, 2, 3, 4].map((number) => map.acceptedOf(number))).toEqual([1, 4, 5, 9]);
  });

  test('from the first one on, where a session begins later', () => {
    const map = mapOf([1, 41], [2, 42]);
    expect([1, 2].map((number) => map.acceptedOf(number))).toEqual([41, 42]);
  });

  test('a number that was never noted is taken as it is', () => {
    expect(mapOf().acceptedOf(5)).toBe(5);
    expect(mapOf([3, 9]).acceptedOf(2)).toBe(2);
  });

  test.each([
    [0, [1, 4, 5, 9]],
    [1, [1, 4, 5, 9]],
    [2, [undefined, 4, 5, 9]],
    [3, [undefined, undefined, 5, 9]],
    [4, [undefined, undefined, undefined, 9]],
    [9, [undefined, undefined, undefined, 9]],
  ])('what is below %d may be forgotten, and nothing else is', (below, accepted) => {
    const map = mapOf([1, 1], [2, 4], [3, 5], [4, 9]);
    map.forget(below);
    accepted.forEach((place, index) => {
      if (place !== undefined) expect(map.acceptedOf(index + 1)).toBe(place);
    });
  });

  test('holds a mark for each drop, and none for each message', () => {
    const map = new NumberMap();
    const marks = () => (map as unknown as { marks: readonly unknown[] }).marks.length;
    for (let number = 1; number <= 1000; number += 1) map.note(number, number + Math.floor(number / 100));
    expect(marks()).toBe(11);
    map.forget(950);
    expect(marks()).toBe(2);
    map.forget(1000);
    expect(marks()).toBe(1);
  });

  property.prop([fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 60 })])(
    'over any life: as a list has it, from what is acknowledged on',
    (steps) => {
      const map = new NumberMap();
      const list: number[] = [];
      let accepted = 0;
      let acknowledged = 0;
      for (const [dropped, acknowledges] of steps) {
        accepted += dropped + 1;
        list.push(accepted);
        map.note(list.length, accepted);
        if (acknowledges) {
          acknowledged += Math.ceil((list.length - acknowledged) / 2);
          map.forget(acknowledged);
        }
        for (let number = Math.max(1, acknowledged); number <= list.length; number += 1) {
          expect(map.acceptedOf(number)).toBe(list[number - 1]);
        }
      }
    },
  );
});
