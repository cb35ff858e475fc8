import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Fifo } from '../../src/delivery/fifo.js';

describe('a fifo', () => {
  test('gives first what came first, and undefined when it is empty', () => {
    const fifo = new Fifo<string>();
    expect([fifo.shift(), fifo.first(), fifo.last(), fifo.length]).toEqual([undefined, undefined, undefined, 0]);
    for (const one of ['a', 'b', 'c']) fifo.push(one);
    expect([fifo.first(), fifo.last(), fifo.length, [...fifo]]).toEqual(['a', 'c', 3, ['a', 'b', 'c']]);
    expect([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()]).toEqual(['a', 'b', 'c', undefined]);
    expect([fifo.first(), fifo.last(), fifo.length]).toEqual([undefined, undefined, 0]);
  });

  test('extract() takes out what passes, in order, and leaves the rest in order', () => {
    const fifo = new Fifo<number>();
    for (let n = 0; n < 10; n += 1) fifo.push(n);
    fifo.shift();
    expect(fifo.extract((n) => n % 3 === 0)).toEqual([3, 6, 9]);
    expect([...fifo]).toEqual([1, 2, 4, 5, 7, 8]);
  });

  test('holds on to nothing that was taken', () => {
    const fifo = new Fifo<object>();
    for (let n = 0; n < 3000; n += 1) fifo.push({});
    for (let n = 0; n < 2999; n += 1) fifo.shift();
    const entries = (fifo as unknown as { entries: unknown[] }).entries;
    expect(entries.filter((entry) => entry !== undefined)).toHaveLength(1);
    expect(entries.length).toBeLessThan(2000);
  });

  test('is an array whose shift is quick: any life of it', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ push: fc.integer({ min: 1, max: 3000 }) }),
        fc.record({ shift: fc.integer({ min: 1, max: 3000 }) }),
        fc.record({ take: fc.integer({ min: 2, max: 5 }) }),
        fc.record({ extract: fc.integer({ min: 2, max: 5 }) }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (life) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        let next = 0;
        for (const step of life) {
          if ('push' in step) {
            for (let n = 0; n < step.push; n += 1) {
              fifo.push(next);
              model.push(next);
              next += 1;
            }
          } else if ('shift' in step) {
            const want = model.splice(0, step.shift);
            for (const one of want) expect(fifo.shift()).toBe(one);
            if (want.length < step.shift) expect(fifo.shift()).toBeUndefined();
          } else if ('take' in step) {
            const wanted = (n: number) => n % step.take === 0;
            const at = model.findIndex(wanted);
            expect(fifo.take(wanted)).toBe(at < 0 ? undefined : model.splice(at, 1)[0]);
          } else {
            const leaves = (n: number) => n % step.extract === 0;
            expect(fifo.extract(leaves)).toEqual(model.filter(leaves));
            model = model.filter((n) => !leaves(n));
          }
          expect([fifo.length, fifo.first(), fifo.last()]).toEqual([model.length, model[0], model.at(-1)]);
        }
        expect([...fifo]).toEqual(model);
      }),
      { numRuns: 60 },
    );
  });
});
