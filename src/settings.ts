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
  LONGEST_HANDSHAKE,
  lineNumbers,
  MAX_BYTES,
  MiB,
  type NumberRule,
  type Numbers,
  type OnConnect,
  type Resolved,
  SESSION_HEAD,
  serverNumbers,
} from './options.js';
import type { RecorderSettings } from './recorder/recorder.js';
import {
  addresses,
  checkedNumber,
  checkedTls,
  choice,
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
import { connectChoices, listenChoices } from './settings/names.js';
import { recorderSettings } from './settings/recorder.js';
import {
  type ClientSessionSettings,
  clientSession,
  type ServerSessionSettings,
  type SessionSettings,
  serverSession,
} from './settings/session.js';
import { type Target, targetWords } from './target.js';

/** The longest handshake of a session without credentials has 99 bytes. */
const LEAST_FRAME = 255;

/** What a line runs on: every choice made. */
export interface LineSettings extends Resolved<typeof lineNumbers> {
  readonly framing: Framing;
  readonly emptyFrames: 'heartbeat' | 'message';
  /** The longest frame that a socket takes, bytes: `maxFrameLength`, and what a session adds to it. */
  readonly frameLimit: number;
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
  readonly session: ClientSessionSettings | undefined;
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
  readonly session: ServerSessionSettings | undefined;
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

/** What is otherwise on a line that has a session: heartbeats of its own, messages of no bytes, and its window as the bound. */
export function inSession({ acknowledge }: SessionSettings) {
  const unbounded = Number.POSITIVE_INFINITY;
  const bounds = acknowledge === 'received' ? {} : { inboxBytes: unbounded, inboxMessages: unbounded };
  return { emptyFrames: 'message', ...bounds } as const;
}

/** The longest message that a framing leaves to a session, bytes. */
function longestInSession(framing: Framing, emptyFrames: unknown): number {
  if (framing.maxLength < LEAST_FRAME) {
    refuse('framing with session', `one of messages of at least ${LEAST_FRAME} bytes`, `${framing.maxLength} bytes`);
  }
  if (emptyFrames === 'message') {
    refuse('emptyFrames', "'heartbeat' where there is a session, in which a message may be empty anyhow", emptyFrames);
  }
  return framing.maxLength - SESSION_HEAD;
}

function lineSettings(
  given: Numbers<typeof lineNumbers> & LineChoices,
  fallback: Environment,
  inSession: boolean,
): LineSettings {
  const isFraming = 'a framing, such as lengthPrefixed()';
  const framing = optional('framing', given.framing, 'object', isFraming) ?? lengthPrefixed();
  if (typeof framing.maxLength !== 'number') refuse('framing', isFraming, framing);
  const longest = inSession ? longestInSession(framing, given.emptyFrames) : framing.maxLength;
  checkReckonable(given);
  const emptyFrames = choice('emptyFrames', given.emptyFrames, ['heartbeat', 'message']);
  const staleAfter = given.staleAfter ?? lineNumbers.staleAfter.default;
  const maxFrameLength = given.maxFrameLength ?? Math.min(8 * MiB, longest);
  const room = (given.outboxBytes ?? Number.POSITIVE_INFINITY) - maxFrameLength;
  const highWaterMark = given.highWaterMark ?? Math.max(1, Math.min(MiB, room));
  const settings = numbers(lineNumbers, given, {
    heartbeatInterval: staleAfter > 0 ? Math.min(1000, Math.max(10, Math.floor(staleAfter / 3))) : 1000,
    maxFrameLength,
    highWaterMark,
    outboxBytes: Math.max(8 * MiB, Math.min(MAX_BYTES, maxFrameLength + highWaterMark)),
  });
  if (settings.maxFrameLength > longest) {
    const whose = `the longest message of ${framing.name}${inSession ? ' in a session' : ''}`;
    refuse('maxFrameLength', `at most ${longest}, ${whose}`, maxFrameLength);
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
    frameLimit: inSession
      ? Math.min(framing.maxLength, Math.max(settings.maxFrameLength + SESSION_HEAD, LONGEST_HANDSHAKE))
      : settings.maxFrameLength,
    discardIncoming: flag('discardIncoming', given.discardIncoming, false),
    copy: flag('copy', given.copy, false),
    noDelay: flag('noDelay', given.noDelay, true),
    inspect: given.inspect === undefined ? undefined : checkedInspector('inspect', given.inspect),
    flightRecorder: recorderSettings(given.flightRecorder),
    environment: optional('environment', given.environment, 'object', 'an Environment') ?? fallback,
  };
}

/** @throws NinjaTcpError `NINJA_INVALID_OPTION`, naming option, rule and value */
export function connectionSettings(given: ConnectOptions, fallback: Environment): ConnectionSettings {
  if (given === null || typeof given !== 'object') refuse('connect(options)', 'an object', given);
  refuseUnknown('connect', given, lineNumbers, connectionNumbers, connectChoices);
  checkSignal(given.signal);
  const session = clientSession(given.session, given.environment ?? fallback);
  if (session && given.onConnect !== undefined) {
    refuse(
      'onConnect',
      'absent where there is a session: its credentials are for what a login is for',
      given.onConnect,
    );
  }
  const line = lineSettings(given, fallback, session !== undefined);
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
    session,
    ...(session && inSession(session)),
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
  const session = serverSession(given.session, given.environment ?? fallback);
  const line = lineSettings(given, fallback, session !== undefined);
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
    session,
    name: optional('name', given.name, 'string', 'a string') ?? given.path ?? `${host ?? '*'}:${target}`,
  };
}
