/** What becomes of the options: every choice made, every rule checked. */
import type { AddressMatcher } from './addresses.js';
import type { Backoff } from './backoff.js';
import type { ClientTls, Environment, LookupFunction, ServerTls } from './environment.js';
import type { Framing } from './framing/framing.js';
import { lengthPrefixed } from './framing/length-prefixed.js';
import { checkedInspector, type InspectorFunction } from './inspection.js';
import {
  type ConnectOptions,
  connectionNumbers,
  type LineChoices,
  type ListenOptions,
  lineNumbers,
  MAX_BYTES,
  MiB,
  type NumberRule,
  type Numbers,
  type OnConnect,
  type Resolved,
  serverNumbers,
} from './options.js';
import type { RecorderSettings } from './recorder/recorder.js';
import {
  addresses,
  checkedNumber,
  checkedTls,
  optional,
  port,
  portUnlessPath,
  refuse,
  refuseUnknown,
  ruleOf,
  trustedProxies,
} from './settings/checks.js';
import { endpointsOf } from './settings/endpoints.js';
import { guardedLookup } from './settings/lookup.js';
import { recorderSettings } from './settings/recorder.js';
import { type Target, targetWords } from './target.js';

/** What a line runs on: every choice made. */
export interface LineSettings extends Resolved<typeof lineNumbers> {
  readonly framing: Framing;
  readonly emptyFrames: 'heartbeat' | 'message';
  readonly discardIncoming: boolean;
  readonly copy: boolean;
  readonly noDelay: boolean;
  readonly inspect: InspectorFunction | undefined;
  readonly flightRecorder: RecorderSettings | undefined;
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
  readonly tls: ClientTls | undefined;
}

export interface ServerSettings extends LineSettings, Resolved<typeof serverNumbers> {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly backlog: number | undefined;
  readonly tls: ServerTls | undefined;
  readonly blockList: AddressMatcher | undefined;
  readonly proxyProtocol: { readonly trusted: AddressMatcher } | undefined;
  readonly name: string;
}

function numbers<Table extends Record<string, NumberRule>>(
  table: Table,
  given: Numbers<Table>,
  computed: { readonly [Option in keyof Table]?: number },
): Resolved<Table> {
  const result: Record<string, number> = {};
  for (const [option, rule] of Object.entries(table)) {
    result[option] = checkedNumber(option, given[option] ?? computed[option] ?? rule.default, rule);
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

/** The signal of `connect` or `listen`, checked before anything is made. */
function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal', signal);
}

/** What others are reckoned from, before its own turn to be checked: a bigint or an object would throw there. */
function checkReckonable(given: Numbers<typeof lineNumbers>): void {
  for (const option of ['staleAfter', 'maxFrameLength', 'highWaterMark', 'outboxBytes'] as const) {
    const value: unknown = given[option] ?? 0;
    if (typeof value !== 'number') refuse(option, ruleOf(lineNumbers[option]), value);
  }
}

function lineSettings(given: Numbers<typeof lineNumbers> & LineChoices, fallback: Environment): LineSettings {
  const isFraming = 'a framing, such as lengthPrefixed()';
  const framing = optional('framing', given.framing, 'object', isFraming) ?? lengthPrefixed();
  if (typeof framing.maxLength !== 'number') refuse('framing', isFraming, framing);
  checkReckonable(given);
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
    inspect: given.inspect === undefined ? undefined : checkedInspector('inspect', given.inspect),
    flightRecorder: recorderSettings(given.flightRecorder),
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
  inspect: true,
  flightRecorder: true,
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
  tls: true,
  signal: true,
};

const listenChoices: Names<ListenOptions, typeof lineNumbers & typeof serverNumbers> = {
  ...lineChoices,
  host: true,
  port: true,
  path: true,
  backlog: true,
  tls: true,
  blockList: true,
  proxyProtocol: true,
  name: true,
  signal: true,
};

/** @throws NinjaTcpError `NINJA_INVALID_OPTION`, naming option, rule and value */
export function connectionSettings(given: ConnectOptions, fallback: Environment): ConnectionSettings {
  if (given === null || typeof given !== 'object') refuse('connect(options)', 'an object', given);
  refuseUnknown('connect', given, lineNumbers, connectionNumbers, connectChoices);
  checkSignal(given.signal);
  const line = lineSettings(given, fallback);
  const { tls = false } = given;
  const endpoints = endpointsOf(given);
  const lookup = optional('lookup', given.lookup, 'function', 'a function like dns.lookup');
  return {
    ...line,
    ...numbers(connectionNumbers, given, {}),
    endpoints,
    name: optional('name', given.name, 'string', 'a string') ?? endpoints.map(targetWords).join(', '),
    whenDisconnected: choice('whenDisconnected', given.whenDisconnected, ['queue', 'fail']),
    backoff: optional('backoff', given.backoff, 'function', 'a function (failures, reason) => ms | false'),
    onConnect: optional('onConnect', given.onConnect, 'function', 'a function'),
    localAddress: optional('localAddress', given.localAddress, 'string', 'an address'),
    localPort: given.localPort === undefined ? undefined : port('localPort', given.localPort, 1),
    lookup: lookup && guardedLookup(lookup),
    tls: tls === false ? undefined : checkedTls(tls === true ? {} : tls, line.environment),
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
    tls: given.tls === undefined ? undefined : checkedTls(given.tls, line.environment),
    blockList: given.blockList === undefined ? undefined : addresses('blockList', given.blockList),
    proxyProtocol: trustedProxies(given.proxyProtocol),
    name: optional('name', given.name, 'string', 'a string') ?? given.path ?? `${host ?? '*'}:${target}`,
  };
}
