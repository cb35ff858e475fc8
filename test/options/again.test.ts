import { describe, expect, test } from 'vitest';
import { onceInARow } from '../../src/settings/again.js';

/** How often it was made, of so many options given one behind the other. */
function made(...all: readonly (object | null)[]): number {
  let count = 0;
  const settings = onceInARow((given: object | null) => {
    count += 1;
    return { given };
  });
  for (const given of all) settings(given as object);
  return count;
}

class Options {
  host = 'a';
}

describe('settings are made once', () => {
  test.each([
    ['the same values', { host: 'a', port: 1 }, { host: 'a', port: 1 }],
    ['in another order', { host: 'a', port: 1 }, { port: 1, host: 'a' }],
    ['undefined is a value too', { session: undefined }, { session: undefined }],
  ])('%s', (_, one, other) => expect(made(one, other)).toBe(1));
});

describe('settings are made anew', () => {
  const onConnect = () => {};
  const inherited = Object.assign(Object.create({ port: 2 }), { host: 'a' });
  test.each([
    ['another value', { port: 1 }, { port: 2 }],
    ['one option more', { port: 1 }, { port: 1, host: 'a' }],
    ['one option less', { port: 1, host: 'a' }, { port: 1 }],
    ['absent, where it was undefined', { port: 1, host: undefined }, { port: 1 }],
    ['an object, in which something may have changed', { tls: {} }, { tls: {} }],
    ['a function, which would be kept', { onConnect }, { onConnect }],
    ['options of a class', new Options(), new Options()],
    ['options that inherit others', { host: 'a' }, inherited],
    ['none at all', null, null],
  ])('%s', (_, one, other) => expect(made(one, other)).toBe(2));

  test('the same object, with something else in it by now', () => {
    const options = { port: 1 };
    let count = 0;
    const settings = onceInARow((given: { port: number }) => {
      count += 1;
      return given.port;
    });
    settings(options);
    options.port = 2;
    expect([settings(options), count]).toEqual([2, 2]);
  });

  test('others came between', () => expect(made({ port: 1 }, { port: 2 }, { port: 1 })).toBe(3));
});
