/** The option parser: whatever it is given, it refuses with NINJA_INVALID_OPTION, or gives settings that keep every rule. */
import fc from 'fast-check';
import type { Environment } from '../../src/environment.js';
import { NinjaTcpError } from '../../src/errors.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import {
  type ConnectOptions,
  connectionNumbers,
  type ListenOptions,
  lineNumbers,
  MAX_BYTES,
  type NumberRule,
  serverNumbers,
} from '../../src/options.js';
import {
  type ConnectionSettings,
  connectionSettings,
  type ServerSettings,
  serverSettings,
} from '../../src/settings.js';
import { demand, meet, same } from './demand.js';

type Bag = Readonly<Record<string, unknown>>;

const fallback = { fallback: true } as unknown as Environment;
const rules: Readonly<Record<string, NumberRule>> = { ...lineNumbers, ...connectionNumbers, ...serverNumbers };

const edges = [0, 1, -1, 0.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 31 - 1, 2 ** 31];
const junk = fc.oneof(
  fc.constantFrom<unknown>(...edges, 2 ** 53, 1e308, undefined, null, true, false, '', '80', 'x', '__proto__'),
  fc.constantFrom<unknown>({}, [], [80], { port: 80 }, () => 1, new Date(0), /x/, new Map(), Buffer.from('80')),
  fc.constantFrom<unknown>(
    Object.create(null),
    3000n,
    Symbol('x'),
    { maxLength: 9n },
    Object.freeze({}),
    AbortSignal.abort(),
    lengthPrefixed({ bytes: 2 }),
  ),
  fc.string({ maxLength: 50 }),
  fc.integer(),
  fc.double(),
);

/** A value that its rule allows, often at its bounds. */
function allowed({ min, max, also }: NumberRule): fc.Arbitrary<number> {
  const bounds = fc.constantFrom(min, min + 1, max, ...(also ? [also[0]] : []));
  return fc.oneof(bounds, fc.integer({ min, max }), fc.integer({ min, max: Math.min(max, min + 5000) }));
}

const endpoint = fc.oneof(
  junk,
  fc.record({ host: fc.constantFrom('a', '::1', ''), port: fc.integer({ min: 1, max: 65_535 }) }),
  fc.record({ path: fc.constantFrom('/x', '') }),
  fc.record({ port: junk, more: junk }, { requiredKeys: [] }),
);

/** What is no number: values of the right kind. */
const choices: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  framing: fc.constantFrom(...([1, 2, 4] as const).map((bytes) => lengthPrefixed({ bytes }))),
  emptyFrames: fc.constantFrom('heartbeat', 'message'),
  discardIncoming: fc.boolean(),
  copy: fc.boolean(),
  noDelay: fc.boolean(),
  environment: fc.constant({}),
  host: fc.constantFrom('localhost', '::1', ''),
  port: fc.integer({ min: 0, max: 65_536 }),
  path: fc.constantFrom('/x', ''),
  endpoints: fc.array(endpoint, { maxLength: 3 }),
  name: fc.string({ maxLength: 5 }),
  whenDisconnected: fc.constantFrom('queue', 'fail'),
  backoff: fc.constant(() => 1),
  onConnect: fc.constant(() => {}),
  localAddress: fc.constant('127.0.0.1'),
  localPort: fc.integer({ min: 0, max: 65_536 }),
  lookup: fc.constant(() => {}),
  backlog: fc.integer({ min: 0, max: 1000 }),
  signal: fc.constant(new AbortController().signal),
};

const names = [...Object.keys(rules), ...Object.keys(choices)];
const right = fc.oneof(
  ...names.map((name) => {
    const rule = rules[name];
    return fc.tuple(fc.constant(name), rule ? allowed(rule) : (choices[name] as fc.Arbitrary<unknown>));
  }),
);
const wrong = fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 12 })), junk);
const options: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: junk },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.array(right, { maxLength: 6 }), fc.array(wrong, { maxLength: 2 }), fc.boolean())
      .map(([some, others, sane]) =>
        Object.fromEntries([['port', 80] as const, ...some, ...(sane ? [] : others)] as [string, unknown][]),
      ),
  },
);

function checkNumbers(table: Readonly<Record<string, NumberRule>>, settings: Bag, given: Bag): void {
  for (const [name, { min, max, also }] of Object.entries(table)) {
    const value = settings[name];
    const holds = typeof value === 'number' && ((value >= min && value <= max) || value === also?.[0]);
    demand(holds, () => `${name} became ${String(value)}`);
    same(value, given[name] ?? value, name);
  }
}

function checkLine(settings: ConnectionSettings | ServerSettings, given: Bag): void {
  const { maxFrameLength, highWaterMark, outboxBytes, staleAfter, heartbeatInterval, emptyFrames, framing } = settings;
  checkNumbers(lineNumbers, settings as unknown as Bag, given);
  demand(maxFrameLength <= framing.maxLength, () => 'maxFrameLength is more than the framing can say');
  demand(outboxBytes >= Math.min(MAX_BYTES, maxFrameLength + highWaterMark), () => 'outboxBytes is too small');
  demand(staleAfter === 0 || heartbeatInterval <= staleAfter / 2, () => 'heartbeatInterval is too long');
  demand(emptyFrames === 'heartbeat' || heartbeatInterval === 0, () => 'heartbeats would be messages');
  same(settings.environment, given.environment ?? fallback, 'environment');
}

function checkConnection(settings: ConnectionSettings, given: Bag): void {
  checkLine(settings, given);
  checkNumbers(connectionNumbers, settings as unknown as Bag, given);
  demand(settings.endpoints.length >= 1 && settings.endpoints.length <= 256, () => 'no endpoint, or too many');
  for (const { host, port, path } of settings.endpoints) {
    const isPort = Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;
    demand(typeof host === 'string' && (path === undefined ? isPort : port === undefined), () => 'a bad endpoint');
  }
}

function checkServer(settings: ServerSettings, given: Bag): void {
  checkLine(settings, given);
  checkNumbers(serverNumbers, settings as unknown as Bag, given);
  demand(settings.unfinishedBytes >= settings.maxFrameLength, () => 'the budget is less than one message');
  const { port, path } = settings;
  demand((port === undefined) !== (path === undefined), () => 'neither port nor path, or both');
}

export const optionParser = fc.property(options, fc.boolean(), (given, connects) => {
  let settings: ConnectionSettings | ServerSettings;
  try {
    settings = connects
      ? connectionSettings(given as ConnectOptions, fallback)
      : serverSettings(given as ListenOptions, fallback);
  } catch (error) {
    demand(error instanceof NinjaTcpError, () => `something else was thrown: ${String(error)}`);
    same(error.code, 'NINJA_INVALID_OPTION', 'the code');
    demand(error.message.length < 5000, () => `a message of ${error.message.length} characters`);
    meet('options refused');
    return;
  }
  meet('options taken');
  if (connects) checkConnection(settings as ConnectionSettings, given as Bag);
  else checkServer(settings as ServerSettings, given as Bag);
});

const prefixedOptions = fc.oneof(
  junk,
  fc.record(
    {
      bytes: fc.oneof(fc.constantFrom(1, 2, 4), junk),
      endian: fc.oneof(fc.constantFrom('big', 'little'), junk),
      includesHeader: fc.oneof(fc.boolean(), junk),
    },
    { requiredKeys: [] },
  ),
);

export const framingOptions = fc.property(prefixedOptions, (given) => {
  try {
    const { headerLength, maxLength } = lengthPrefixed(given as object);
    demand([1, 2, 4].includes(headerLength) && maxLength > 0, () => 'a framing that cannot be');
    meet('framings taken');
  } catch (error) {
    demand(error instanceof NinjaTcpError, () => `something else was thrown: ${String(error)}`);
    same(error.code, 'NINJA_INVALID_OPTION', 'the code');
    meet('framings refused');
  }
});
