import { describe, expect, test } from 'vitest';
import type { ConnectOptions, ListenOptions, NinjaTcpError } from '../../src/index.js';
import { connectionNumbers, lineNumbers, type NumberRule, serverNumbers } from '../../src/options.js';
import { connectionSettings, serverSettings } from '../../src/settings.js';
import { nodeEnvironment } from '../../src/socket/node.js';

const MiB = 2 ** 20;
const MAX = 2 ** 31 - 1;

type Take = (options: object) => object;
const connection: Take = (options) => connectionSettings({ port: 1, ...options } as ConnectOptions, nodeEnvironment);
const server: Take = (options) => serverSettings({ port: 0, ...options } as ListenOptions, nodeEnvironment);

/** Written out once more, by hand: who changes a default has to change it here. */
const defaults: Record<string, number> = {
  staleAfter: 3000,
  heartbeatInterval: 1000,
  maxFrameLength: 8 * MiB,
  frameTimeout: 30_000,
  writeStallTimeout: 30_000,
  // maxFrameLength + highWaterMark
  outboxBytes: 9 * MiB,
  outboxMessages: 65_536,
  highWaterMark: MiB,
  unprovenBytes: 65_536,
  ttl: 0,
  inboxBytes: 8 * MiB,
  inboxMessages: 65_536,
  drainTimeout: 30_000,
  finTimeout: 2000,
  discardTimeout: 1000,
  connectTimeout: 5000,
  stableAfter: 3000,
  maxAttempts: Number.POSITIVE_INFINITY,
  maxConnections: 10_000,
  unfinishedBytes: 256 * MiB,
  maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  handshakeTimeout: 10_000,
  reservedDescriptors: 32,
};

/** What else has to be given so that a value of this option contradicts no other. */
const beside = (option: string): object => {
  if (option === 'staleAfter') return { heartbeatInterval: 0 };
  if (option === 'heartbeatInterval') return { staleAfter: 0 };
  if (option === 'maxFrameLength') return { outboxBytes: MAX };
  if (option === 'unfinishedBytes') return { maxFrameLength: 1 };
  if (option === 'outboxBytes') return { maxFrameLength: 1, highWaterMark: 1 };
  if (option === 'highWaterMark') return { outboxBytes: MAX };
  return {};
};

const tables: [string, Take, Record<string, NumberRule>][] = [
  ['a connection', connection, { ...lineNumbers, ...connectionNumbers }],
  ['a server', server, { ...lineNumbers, ...serverNumbers }],
];
const rows = tables.flatMap(([who, take, table]) =>
  Object.entries(table).map(([option, rule]) => ({ who, take, option, rule })),
);

test('every number has a row in the list of defaults here', () => {
  const all = Object.keys({ ...lineNumbers, ...connectionNumbers, ...serverNumbers });
  expect(all.sort()).toEqual(Object.keys(defaults).sort());
});

describe.each(rows)('$option of $who', ({ take, option, rule }) => {
  const given = (value: unknown) => take({ ...beside(option), [option]: value });
  const resolved = (value: unknown) => (given(value) as Record<string, number>)[option];
  const refusal = (value: unknown): NinjaTcpError => {
    try {
      given(value);
    } catch (error) {
      return error as NinjaTcpError;
    }
    throw new Error(`${option}: ${value} was taken`);
  };

  test('has its default, also where undefined is given', () => {
    expect((take({}) as Record<string, number>)[option]).toBe(defaults[option]);
    expect((take({ [option]: undefined }) as Record<string, number>)[option]).toBe(defaults[option]);
  });

  const bound = option === 'maxFrameLength' ? MAX : rule.max;
  test(`may be from ${rule.min} to ${bound}`, () => {
    // Two bytes are the least that has room for one message and one mark.
    const least = option === 'outboxBytes' ? 2 : rule.min;
    for (const value of [least, least + 1, bound - 1, bound]) expect(resolved(value)).toBe(value);
  });

  test('may be the one value beside', () => {
    if (rule.also) expect(resolved(rule.also[0])).toBe(rule.also[0]);
  });

  const bad: unknown[] = [
    ...[rule.min - 1, rule.max + 1, Number.POSITIVE_INFINITY, 0].filter((value) => value !== rule.also?.[0]),
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    2 ** 31,
    -1,
    rule.min + 0.5,
    `${rule.min}`,
    true,
    {},
  ].filter((value) => !(value === 0 && rule.min === 0));
  test.each(bad)('may not be %s', (value) => {
    const { code, message } = refusal(value);
    expect(code).toBe('NINJA_INVALID_OPTION');
    const words = `${option} must be a whole number of ${rule.unit} from ${rule.min} to ${rule.max}`;
    expect(message.startsWith(words)).toBe(true);
    const shown = typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? 'a Object' : String(value);
    expect(message.endsWith(`, got ${shown}`)).toBe(true);
    if (rule.also) expect(message).toContain(`, or ${rule.also[0]} (${rule.also[1]})`);
  });
});
