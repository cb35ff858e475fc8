import { describe, expect, test } from 'vitest';
import { Endpoints } from '../../src/line/endpoints.js';

const at = (port: number) => ({ host: 'h', port });
/** Chance that leaves every entry where it is. */
const UNSHUFFLED = () => 0.999;

function of(count: number, random = UNSHUFFLED) {
  const [first, ...others] = Array.from({ length: count }, (_, n) => at(n + 1));
  const endpoints = new Endpoints([first as ReturnType<typeof at>, ...others], random);
  return { endpoints, next: () => endpoints.next().port };
}

/** Goes through some attempts: `2!` fails at endpoint 2, `2+` proves it and then loses it. */
function live(count: number, life: string): string {
  const { endpoints, next } = of(count);
  return life
    .split(' ')
    .map((outcome) => {
      const port = next();
      if (outcome === '+') endpoints.proved();
      endpoints.failed();
      const all = !endpoints.untried || outcome === '+';
      if (all) endpoints.begin();
      return `${port}${outcome}${all ? ' |' : ''}`;
    })
    .join(' ');
}

describe('endpoints', () => {
  const lives: [string, number, string, string][] = [
    ['one: each failure is a round', 1, '! ! !', '1! | 1! | 1! |'],
    ['each is tried once in a round, in their order', 3, '! ! ! !', '1! 2! 3! | 1!'],
    ['a lost line begins a round; who failed least comes first', 3, '! + ! ! !', '1! 2+ | 3! 1! 2! |'],
    ['who fails for long comes last', 2, '! ! ! + + !', '1! 2! | 1! 2+ | 2+ | 2!'],
    ['of two that failed as often the one comes whose last try is longer ago', 2, '! + + +', '1! 2+ | 1+ | 2+ |'],
    ['who never failed is tried before who did', 3, '+ + + !', '1+ | 2+ | 3+ | 1!'],
  ];
  test.each(lives)('%s', (_, count, life, expected) => {
    expect(live(count, life)).toBe(expected);
  });

  test('are shuffled once, by chance, and nothing is drawn for one', () => {
    const drawn: number[] = [];
    const random = (): number => {
      drawn.push(0);
      return 0;
    };
    const { next } = of(4, random);
    expect([next(), next(), next(), next(), next()]).toEqual([2, 3, 4, 1, 2]);
    expect(drawn.length).toBe(3);
    of(1, random);
    expect(drawn.length).toBe(3);
  });

  test('current is that of the last attempt, and before the first where it will go', () => {
    const { endpoints, next } = of(2);
    expect(endpoints.current).toEqual(at(1));
    next();
    endpoints.failed();
    next();
    expect([endpoints.current, endpoints.size]).toEqual([at(2), 2]);
  });
});
