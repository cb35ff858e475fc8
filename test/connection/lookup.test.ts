/** A `lookup` of the program's own: whatever it does is an attempt that failed, and the next one follows. */
import { describe, expect, test } from 'vitest';
import type { ConnectOptions, LookupFunction } from '../../src/index.js';
import { guardedLookup } from '../../src/settings/lookup.js';
import { collect, journal, stage } from '../connection/stage.js';

const broken = new TypeError('no resolver');
const found = [{ address: '127.0.0.1', family: 4 }];

/** By what it does; `any`, since they break the rules. */
// biome-ignore lint/suspicious/noExplicitAny: they break the rules on purpose
const faulty: readonly [string, (host: string, options: any, tell: any) => unknown, message: string][] = [
  [
    'throws',
    () => {
      throw broken;
    },
    'no resolver',
  ],
  [
    'throws what is no Error',
    () => {
      throw 'nothing';
    },
    'lookup of till.example: nothing',
  ],
  ['rejects', async () => Promise.reject(broken), 'no resolver'],
  ['answers with an error', (_, __, tell) => tell(broken), 'no resolver'],
  ['answers with what is no Error', (_, __, tell) => tell('nothing'), 'lookup of till.example: nothing'],
  ['answers with nothing', (_, __, tell) => tell(null), 'lookup of till.example gave no address'],
  ['answers with an empty list', (_, __, tell) => tell(null, []), 'lookup of till.example gave no address'],
  ['answers with a list of junk', (_, __, tell) => tell(null, [null, 7, {}]), 'lookup of till.example gave no address'],
];

describe('a lookup that', () => {
  test.each(faulty)('%s: the attempt has failed, and is followed by another', async (_, lookup, message) => {
    const at = stage();
    let calls = 0;
    const connection = at.dial({
      host: 'till.example',
      lookup: (...given: Parameters<LookupFunction>) => {
        calls += 1;
        return lookup(...given);
      },
    } as ConnectOptions);
    const heard = journal(connection);
    await at.clock.advance(150);
    expect(heard.slice(0, 3)).toEqual([
      'connecting 1 attempt 1',
      'disconnected 1 CONNECT_FAILED',
      'connecting 2 attempt 2',
    ]);
    expect([connection.reason?.message, calls]).toEqual([message, 2]);
    await connection.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test.each<[string, LookupFunction]>([
    ['answers with a list', (_, __, tell) => tell(null, found)],
    ['answers with one address, though it is asked for all', (_, __, tell) => tell(null, '127.0.0.1')],
    [
      'answers twice',
      (_, __, tell) => {
        tell(null, found);
        tell(broken, undefined);
      },
    ],
    [
      'throws behind its answer',
      (_, __, tell) => {
        tell(null, found);
        throw broken;
      },
    ],
  ])('%s: connected', async (_, lookup) => {
    const at = stage();
    const received: string[] = [];
    const server = await at.serve(collect(received));
    const connection = at.dial({ host: 'till.example', lookup });
    connection.send('hello');
    await at.clock.advance(20);
    expect([received, connection.epoch]).toEqual([['hello'], 1]);
    await Promise.all([connection.dispose(), server.dispose()]);
  });
});

describe('what Node is answered', () => {
  test.each([
    ['a list, asked for all', true, found, undefined, [null, found]],
    ['a list, asked for one', false, found, undefined, [null, '127.0.0.1', 4]],
    ['one address, asked for all', true, '::1', 6, [null, [{ address: '::1', family: 6 }]]],
    ['one address without its family, asked for all', true, '::1', undefined, [null, [{ address: '::1', family: 6 }]]],
    ['one address, asked for one', false, '127.0.0.1', 4, [null, '127.0.0.1', 4]],
  ])('%s', (_, all, given, family, expected) => {
    const told: unknown[][] = [];
    const lookup = guardedLookup((_host, _options, tell) => tell(null, given, family));
    lookup('till.example', { all }, (...answer) => told.push(answer));
    expect(told).toEqual([expected]);
  });
});
