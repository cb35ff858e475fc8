// Memory for what is under way: it grows with it, and is given back.
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Ring } from '../../../src/protocol/session/ring.js';
import { bytes, dataFrame, Stage } from './stage.js';

/** A ring with the numbers from `first` to below `next`, each its own value. */
function filled(first: number, next: number): Ring<number> {
  const ring = new Ring<number>(0);
  for (let number = first; number < next; number += 1) ring.set(number, number, first);
  return ring;
}

describe('a ring', () => {
  test.each([
    ['nothing', 1, 1, 0],
    ['one', 1, 2, 4],
    ['four', 7, 11, 4],
    ['five', 7, 12, 8],
    ['a thousand', 1, 1001, 1024],
    ['a thousand, beyond 2^32', 2 ** 32 - 500, 2 ** 32 + 500, 1024],
  ])('has room for %s', (_, first, next, capacity) => {
    const ring = filled(first, next);
    expect(ring.capacity).toBe(capacity);
    for (let number = first; number < next; number += 1) expect(ring.get(number)).toBe(number);
  });

  test.each([
    ['nothing is in use', 1001, 1001, 0],
    ['one is', 1000, 1001, 4],
    ['five are', 996, 1001, 8],
    ['all are', 1, 1001, 1024],
  ])('fits what is in use, where %s', (_, first, next, capacity) => {
    const ring = filled(1, 1001);
    ring.fit(first, next);
    expect(ring.capacity).toBe(capacity);
    for (let number = first; number < next; number += 1) expect(ring.get(number)).toBe(number);
    ring.set(next, next, first);
    expect(ring.get(next)).toBe(next);
  });

  test.each([
    ['little memory', 4096, [0, 0, 0], [4096, 4096, 4096]],
    ['much that is in use again and again', 9000, [9000, 5000, 9000], [16_384, 16_384, 16_384]],
    ['much that was in use lately', 9000, [9000, 10, 10, 10], [16_384, 16_384, 0, 0]],
    ['no memory that is much, and was hardly used', 9000, [10], [0]],
  ])('emptied, keeps %s', (_, size, counts, capacities) => {
    const ring = filled(0, size);
    const seen = counts.map((count) => {
      ring.emptied(count);
      return ring.capacity;
    });
    expect(seen).toEqual(capacities);
  });

  const anyStep = fc.record({ add: fc.nat(20), drop: fc.nat(20), rest: fc.constantFrom('no', 'fit', 'emptied') });
  property.prop([fc.constantFrom(1, 2 ** 31 - 9, 2 ** 32 - 9, 2 ** 53 - 900), fc.array(anyStep, { maxLength: 40 })])(
    'has what was set, whatever came and went',
    (start, steps) => {
      const ring = new Ring<number>(-1);
      let [first, next] = [start, start];
      for (const { add, drop, rest } of steps) {
        for (let i = 0; i < add; i += 1, next += 1) ring.set(next, next, first);
        for (let i = 0; i < drop && first < next; i += 1, first += 1) ring.take(first);
        if (rest === 'fit') ring.fit(first, next);
        if (rest === 'emptied' && first === next) ring.emptied();
        for (let number = first; number < next; number += 1) expect(ring.get(number)).toBe(number);
      }
    },
  );
});

describe('a session after a burst of 5000 messages', () => {
  const capacityOf = (one: object): number => Object.values(one).find((value) => value instanceof Ring)!.capacity;
  const COUNT = 5000;

  /** All are sent, and with the other program, which is slow. */
  function burst(): { stage: Stage; line: ReturnType<Stage['dial']>; capacities: () => number[] } {
    const stage = new Stage({ window: { bytes: 1e6, messages: 65_536 } });
    const line = stage.dial();
    stage.far.quick = false;
    for (let number = 1; number <= COUNT; number += 1) {
      stage.client.send(bytes('a'));
      stage.session.receive(line.far, dataFrame(number, 'a'), 0);
    }
    line.near.take();
    return { stage, line, capacities: () => [capacityOf(stage.client.sender), capacityOf(stage.session.receiver)] };
  }
  const settleTo = (stage: Stage, last: number): void => {
    for (let number = stage.session.receiver.handled; number <= last; number += 1) stage.session.settle(number, 0);
  };

  test('keeps memory for each while they are under way', () => {
    expect(burst().capacities()).toEqual([8192, 8192]);
  });

  test('gives it back when all are handled, and a few more: another burst may be near', () => {
    const { stage, line, capacities } = burst();
    settleTo(stage, COUNT);
    stage.session.tick(25);
    stage.flow(line);
    expect(capacities()).toEqual([8192, 0]);
    const seen = [1, 2, 3].map((more) => {
      stage.client.send(bytes('a'));
      stage.session.receive(line.far, dataFrame(COUNT + more, 'a'), 0);
      line.near.take();
      settleTo(stage, COUNT + more);
      stage.session.tick(25 * (more + 1));
      stage.flow(line);
      return capacities()[0];
    });
    expect(seen).toEqual([8192, 0, 4]);
  });

  test.each([
    [
      'writes a sign of life',
      (stage: Stage, line: ReturnType<Stage['dial']>) => line.near.control(stage.client.signOfLife()!),
    ],
    ['loses its socket', (stage: Stage, line: ReturnType<Stage['dial']>) => stage.cut(line)],
  ] as const)('keeps no more than it needs when it %s', (_, happen) => {
    const { stage, line, capacities } = burst();
    settleTo(stage, COUNT - 10);
    stage.session.tick(25);
    stage.flow(line);
    expect([stage.client.retainedMessages, ...capacities()]).toEqual([10, 8192, 8192]);
    happen(stage, line);
    stage.flow(line);
    expect(capacities()).toEqual([16, 16]);
    settleTo(stage, COUNT);
    expect(stage.session.receiver.handled).toBe(COUNT + 1);
  });
});
