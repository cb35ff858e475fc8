import { describe, expect, test } from 'vitest';
import { ALL, natural, type Query, RowTable } from '../../../src/inspector/page/list.js';
import type { Row } from '../../../src/inspector/page/wire.js';
import { row } from './scenes.js';

function table(...rows: Row[]): RowTable {
  const one = new RowTable();
  one.apply({ all: true, rows, gone: [] });
  return one;
}

const ids = (one: RowTable, query: Partial<Query> = {}) =>
  one
    .arrange({ ...ALL, ...query })
    .map(({ row: { id }, depth }) => '·'.repeat(depth) + id)
    .join(' ');

const some = () =>
  table(
    row('a', { name: 'till 10', rx: 5, since: 3 }),
    row('b', {
      name: 'till 9',
      rx: 50,
      since: 2,
      state: 'stale',
      reason: { code: 'NINJA_STALE', message: 'no byte', at: 1 },
    }),
    row('c', { name: 'Bank', rx: 0, since: 1, state: 'disconnected', substate: 'failed' }),
  );

describe('the list is sorted', () => {
  test.each<[string, Partial<Query>, string]>([
    ['by state, the worst first', {}, 'c b a'],
    ['by name, as people count', { sort: 'name' }, 'c b a'],
    ['downwards', { sort: 'name', down: true }, 'a b c'],
    ['by time', { sort: 'since' }, 'c b a'],
    ['by rate', { sort: 'rx', down: true }, 'b a c'],
  ])('%s', (_, query, order) => {
    expect(ids(some(), query)).toBe(order);
  });

  test('anew when a row changes', () => {
    const one = some();
    expect(ids(one, { sort: 'rx' })).toBe('c a b');
    one.apply({ all: false, rows: [row('c', { name: 'Bank', rx: 99 })], gone: [] });
    expect(ids(one, { sort: 'rx' })).toBe('a b c');
  });

  test('rows that are gone are gone, rows that are new are there', () => {
    const one = some();
    ids(one);
    one.apply({ all: false, rows: [row('d', { name: 'zz' })], gone: ['a', 'c'] });
    expect(ids(one, { sort: 'name' })).toBe('b d');
    one.apply({ all: true, rows: [row('e')], gone: [] });
    expect(ids(one)).toBe('e');
    expect(one.size).toBe(1);
  });

  test('natural order pads numbers', () => {
    expect(natural('Till 9')).toBe('till 000000000009');
  });
});

describe('the list is searched', () => {
  test.each<[string, Partial<Query>, string]>([
    ['by a part of the name', { text: 'TILL' }, 'b a'],
    ['by all words, anywhere', { text: 'till byte' }, 'b'],
    ['by a reason’s code', { text: 'ninja_stale' }, 'b'],
    ['by a state', { states: new Set(['connected']) }, 'a'],
    ['by two states', { states: new Set(['connected', 'disconnected']) }, 'c a'],
    ['in vain', { text: 'xyz' }, ''],
  ])('%s', (_, query, found) => {
    expect(ids(some(), query)).toBe(found);
  });

  test('what a row says now counts, not what it said before', () => {
    const one = some();
    one.apply({ all: false, rows: [row('b', { name: 'till 9' })], gone: [] });
    expect(ids(one, { text: 'stale' })).toBe('');
  });
});

test('states are counted, the worst first', () => {
  expect([...some().tally()]).toEqual([
    ['disconnected', 1],
    ['stale', 1],
    ['connected', 1],
  ]);
});

describe('peers stand under their servers', () => {
  const house = () =>
    table(
      row('s', { kind: 'server', name: 'server', state: 'listening' }),
      row('p2', { kind: 'peer', parent: 's', name: 'peer 2' }),
      row('p1', { kind: 'peer', parent: 's', name: 'peer 1' }),
      row('c', { name: 'client' }),
      row('x', { kind: 'peer', parent: 'gone', name: 'stray' }),
    );

  test.each<[string, Partial<Query>, string]>([
    ['in order', { sort: 'name' }, 'c s ·p1 ·p2 x'],
    ['folded away', { sort: 'name', folded: new Set(['s']) }, 'c s x'],
    ['with the server that the search did not find', { sort: 'name', text: '2' }, 's ·p2'],
  ])('%s', (_, query, order) => {
    expect(ids(house(), { ...query, grouped: true })).toBe(order);
  });

  test('a server says how many', () => {
    const [first] = house().arrange({ ...ALL, grouped: true, text: 'peer' });
    expect(first).toMatchObject({ members: 2, depth: 0, row: { id: 's' } });
  });
});
