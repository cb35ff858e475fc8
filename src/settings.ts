/** What becomes of the options: every choice made, every rule checked. */
import { type Target, targetWords } from './address.js';
import type { Backoff } from './backoff.js';
import type { Environment, LookupFunction } from './environment.js';
import { NinjaTcpError, show } from './errors.js';
import type { Framing } from './framing/framing.js';
import { lengthPrefixed } from './framing/length-prefixed.js';
import {
  type ConnectOptions,
  connectionNumbers,
  type Endpoint,
  type LineChoices,
  type ListenOptions,
  lineNumbers,
  MAX_BYTES,
  MAX_ENDPOINTS,
  MiB,
  type NumberRule,
  type Numbers,
  type OnConnect,
  type Resolved,
  serverNumbers,
} from './options.js';

/** What a line runs on: every choice made. */
export interface LineSettings extends Resolved<typeof lineNumbers> {
  readonly framing: Framing;
  readonly emptyFrames: 'heartbeat' | 'message';
  readonly discardIncoming: boolean;
  readonly copy: boolean;
  readonly noDelay: boolean;
  readonly environment: Environment;
}

export interface ConnectionSettings extends LineSettings, Resolved<typeof connectionNumbers> {
  readonly endpoints: readonly [Target, ...Target[]];
  readonly name: string;
  readonly whenDisconnected: 'queue' | 'fail';
  readonly backoff: Backoff | undefined;
  readonly onConnect: OnConnect | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly lookup: LookupFunction | undefined;
}

export interface ServerSettings extends LineSettings, Resolved<typeof serverNumbers> {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly backlog: number | undefined;
  readonly name: string;
}

function refuse(option: string, rule: string, value: unknown): never {
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `${option} must be ${rule}, got ${show(value)}`);
}

function ruleOf({ unit, min, max, also }: NumberRule): string {
  const range = `a whole number of ${unit} from ${min} to ${max}`;
  return also ? `${range}, or ${also[0]} (${also[1]})` : range;
}

function numbers<Table extends Record<string, NumberRule>>(
  table: Table,
  given: Numbers<Table>,
  computed: { readonly [Option in keyof Table]?: number },
): Resolved<Table> {
  const result: Record<string, number> = {};
  for (const [option, rule] of Object.entries(table)) {
    const value = given[option] ?? computed[option] ?? rule.default;
    const allowed =
      typeof value === 'number' &&
      (value === rule.also?.[0] || (Number.isInteger(value) && value >= rule.min && value <= rule.max));
    if (!allowed) refuse(option, ruleOf(rule), value);
    result[option] = value;
  }
  return result as Resolved<Table>;
}

/** Without `undefined`, so that an option that is given as undefined counts as not given. */
function choice<T extends string>(option: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  return allowed.includes(value) ? value : refuse(option, allowed.map((one) => `'${one}'`).join(' or '), value);
}

function flag(option: string, value: boolean | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  return typeof value === 'boolean' ? value : refuse(option, 'true or false', value);
}

function optional<T>(
  option: string,
  value: T | undefined,
  type: 'string' | 'function' | 'object',
  rule: string,
): T | undefined {
  return value === undefined || (typeof value === type && value !== null) ? value : refuse(option, rule, value);
}

/** The signal of `connect` or `listen`, checked before anything is made. */
function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal', signal);
}

function port(option: string, value: unknown, min: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= 65_535) return value;
  return refuse(option, `a whole number from ${min} to 65535`, value);
}

/** @returns the port, or undefined where a path was given instead, alone */
function portUnlessPath(
  given: ConnectOptions | ListenOptions | Endpoint,
  min: number,
  forTcp: readonly (keyof ConnectOptions & string)[],
): number | undefined {
  const { path } = given;
  if (path === undefined) return port('port', given.port, min);
  if (typeof path !== 'string' || path === '') refuse('path', 'the path of a socket', path);
  const beside = forTcp.find((option) => (given as ConnectOptions)[option] !== undefined);
  if (beside === undefined) return undefined;
  return refuse('path', `given without ${forTcp.join(', ')}`, `path and ${beside}`);
}

/** One endpoint, with its defaults. */
function endpointOf(given: ConnectOptions | Endpoint, forTcp: readonly (keyof ConnectOptions & string)[]): Target {
  const host = optional('host', given.host, 'string', 'a name or an address') || 'localhost';
  const target = portUnlessPath(given, 1, forTcp);
  return { host, port: target, path: given.path };
}

/** Where to dial: several endpoints, or the one of `host` and `port`, or of `path`. */
function endpointsOf(given: ConnectOptions): readonly [Target, ...Target[]] {
  const { endpoints } = given;
  if (endpoints === undefined) return [endpointOf(given, ['host', 'port', 'localAddress', 'localPort', 'lookup'])];
  const isList = Array.isArray(endpoints) && endpoints.length >= 1 && endpoints.length <= MAX_ENDPOINTS;
  if (!isList) refuse('endpoints', `a list of 1 to ${MAX_ENDPOINTS} endpoints`, endpoints);
  const beside = (['host', 'port', 'path'] as const).find((option) => given[option] !== undefined);
  if (beside) refuse('endpoints', 'given without host, port and path', `endpoints and ${beside}`);
  return endpoints.map((one: Endpoint, at) => {
    if (one === null || typeof one !== 'object') refuse(`endpoints[${at}]`, 'a { host, port } or a { path }', one);
    refuseUnknown(`endpoints[${at}]`, one, { host: true, port: true, path: true });
    return endpointOf(one, ['host', 'port']);
  }) as [Target, ...Target[]];
}

function lineSettings(given: Numbers<typeof lineNumbers> & LineChoices, fallback: Environment): LineSettings {
  const framing =
    optional('framing', given.framing, 'object', 'a framing, such as lengthPrefixed()') ?? lengthPrefixed();
  const emptyFrames = choice('emptyFrames', given.emptyFrames, ['heartbeat', 'message']);
  const staleAfter = given.staleAfter ?? lineNumbers.staleAfter.default;
  const maxFrameLength = given.maxFrameLength ?? Math.min(8 * MiB, framing.maxLength);
  const room = (given.outboxBytes ?? Number.POSITIVE_INFINITY) - maxFrameLength;
  const highWaterMark = given.highWaterMark ?? Math.max(1, Math.min(MiB, room));
  const settings = numbers(lineNumbers, given, {
    heartbeatInterval: staleAfter > 0 ? Math.min(1000, Math.max(10, Math.floor(staleAfter / 3))) : 1000,
    maxFrameLength,
    highWaterMark,
    outboxBytes: Math.max(8 * MiB, Math.min(MAX_BYTES, maxFrameLength + highWaterMark)),
  });
  if (settings.maxFrameLength > framing.maxLength) {
    refuse('maxFrameLength', `at most ${framing.maxLength}, the longest message of ${framing.name}`, maxFrameLength);
  }
  // Else a program that waits whenever it is told to could still be refused.
  const least = Math.min(MAX_BYTES, settings.maxFrameLength + settings.highWaterMark);
  if (settings.outboxBytes < least) {
    refuse('outboxBytes', `at least maxFrameLength + highWaterMark, ${least}`, settings.outboxBytes);
  }
  if (staleAfter > 0 && settings.heartbeatInterval > staleAfter / 2) {
    refuse(
      'heartbeatInterval',
      `0 (off) or at most half of staleAfter, ${staleAfter / 2} ms`,
      settings.heartbeatInterval,
    );
  }
  if (emptyFrames === 'message' && settings.heartbeatInterval !== 0) {
    refuse(
      "heartbeatInterval with emptyFrames: 'message'",
      '0, since a heartbeat is an empty frame',
      settings.heartbeatInterval,
    );
  }
  return {
    ...settings,
    framing,
    emptyFrames,
    discardIncoming: flag('discardIncoming', given.discardIncoming, false),
    copy: flag('copy', given.copy, false),
    noDelay: flag('noDelay', given.noDelay, true),
    environment: optional('environment', given.environment, 'object', 'an Environment') ?? fallback,
  };
}

type Names<Options, Table> = { readonly [Option in Exclude<keyof Options, keyof Table>]-?: true };

/** What is no number, once more as values: a misspelled option must not be passed over. */
const lineChoices = {
  framing: true,
  emptyFrames: true,
  discardIncoming: true,
  copy: true,
  noDelay: true,
  environment: true,
} as const satisfies Names<LineChoices, object>;

const connectChoices: Names<ConnectOptions, typeof lineNumbers & typeof connectionNumbers> = {
  ...lineChoices,
  host: true,
  port: true,
  path: true,
  endpoints: true,
  name: true,
  whenDisconnected: true,
  backoff: true,
  onConnect: true,
  localAddress: true,
  localPort: true,
  lookup: true,
  signal: true,
};

const listenChoices: Names<ListenOptions, typeof lineNumbers & typeof serverNumbers> = {
  ...lineChoices,
  host: true,
  port: true,
  path: true,
  backlog: true,
  name: true,
  signal: true,
};

function refuseUnknown(call: string, given: object, ...known: readonly object[]): void {
  for (const option of Object.keys(given)) {
    if (known.some((names) => Object.hasOwn(names, option))) continue;
    throw new NinjaTcpError('NINJA_INVALID_OPTION', `${call}: ${option} is not an option; see docs/options.md`);
  }
}

/** @throws NinjaTcpError `NINJA_INVALID_OPTION`, naming option, rule and value */
export function connectionSettings(given: ConnectOptions, fallback: Environment): ConnectionSettings {
  if (given === null || typeof given !== 'object') refuse('connect(options)', 'an object', given);
  refuseUnknown('connect', given, lineNumbers, connectionNumbers, connectChoices);
  checkSignal(given.signal);
  const endpoints = endpointsOf(given);
  return {
    ...lineSettings(given, fallback),
    ...numbers(connectionNumbers, given, {}),
    endpoints,
    name: optional('name', given.name, 'string', 'a string') ?? endpoints.map(targetWords).join(', '),
    whenDisconnected: choice('whenDisconnected', given.whenDisconnected, ['queue', 'fail']),
    backoff: optional('backoff', given.backoff, 'function', 'a function (failures, reason) => ms | false'),
    onConnect: optional('onConnect', given.onConnect, 'function', 'a function'),
    localAddress: optional('localAddress', given.localAddress, 'string', 'an address'),
    localPort: given.localPort === undefined ? undefined : port('localPort', given.localPort, 1),
    lookup: optional('lookup', given.lookup, 'function', 'a function like dns.lookup'),
  };
}

/** @throws NinjaTcpError `NINJA_INVALID_OPTION`, naming option, rule and value */
export function serverSettings(given: ListenOptions, fallback: Environment): ServerSettings {
  if (given === null || typeof given !== 'object') refuse('listen(options)', 'an object', given);
  refuseUnknown('listen', given, lineNumbers, serverNumbers, listenChoices);
  checkSignal(given.signal);
  const host = optional('host', given.host, 'string', 'a name or an address');
  const target = portUnlessPath(given, 0, ['host', 'port']);
  if (given.backlog !== undefined && !(Number.isInteger(given.backlog) && given.backlog >= 1)) {
    refuse('backlog', 'a whole number from 1', given.backlog);
  }
  const line = lineSettings(given, fallback);
  const { maxFrameLength } = line;
  const serving = numbers(serverNumbers, given, { unfinishedBytes: Math.max(256 * MiB, maxFrameLength) });
  if (serving.unfinishedBytes < maxFrameLength) {
    refuse('unfinishedBytes', `at least maxFrameLength, ${maxFrameLength}`, serving.unfinishedBytes);
  }
  return {
    ...line,
    ...serving,
    host,
    port: target,
    path: given.path,
    backlog: given.backlog,
    name: optional('name', given.name, 'string', 'a string') ?? given.path ?? `${host ?? '*'}:${target}`,
  };
}
