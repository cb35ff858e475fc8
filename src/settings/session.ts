/** What the option `session` comes to, checked. */
import type { Environment } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import {
  type AcknowledgeMode,
  type Authenticate,
  type ClientSessionOptions,
  type Credentials,
  type NumberRule,
  type Numbers,
  type Resolved,
  type ServerSessionOptions,
  type SessionChoices,
  sessionNumbers,
  sessionServerNumbers,
  windowNumbers,
} from '../options.js';
import type { SessionStore } from '../store/contract.js';
import { checkedNumber, choice, optional, refuse, refuseUnknown } from './checks.js';

const NAME = 'session';

export interface SessionSettings extends Resolved<typeof sessionNumbers> {
  readonly acknowledge: AcknowledgeMode;
  readonly window: Resolved<typeof windowNumbers>;
  readonly store: SessionStore | undefined;
}

export interface ClientSessionSettings extends SessionSettings {
  readonly onSessionLost: 'fail' | 'new';
  readonly credentials: Credentials | undefined;
  readonly storeName: string;
}

export interface ServerSessionSettings extends SessionSettings, Resolved<typeof sessionServerNumbers> {
  readonly mode: 'require' | 'accept';
  readonly authenticate: Authenticate | undefined;
}

function numbers<Table extends Record<string, NumberRule>>(
  name: string,
  table: Table,
  given: Numbers<Table>,
  computed: { readonly [Option in keyof Table]?: number } = {},
): Resolved<Table> {
  const entries = Object.entries(table).map(([option, rule]) => {
    const value = given[option] ?? computed[option] ?? rule.default;
    return [option, checkedNumber(`${name}.${option}`, value, rule)];
  });
  return Object.fromEntries(entries) as Resolved<Table>;
}

function common(given: SessionChoices): SessionSettings {
  const window = optional(`${NAME}.window`, given.window, 'object', '{ bytes, messages }') ?? {};
  refuseUnknown(`${NAME}.window`, window, windowNumbers);
  return {
    ...numbers(NAME, sessionNumbers, given),
    acknowledge: choice(`${NAME}.acknowledge`, given.acknowledge, ['handled', 'received', 'manual']),
    window: numbers(`${NAME}.window`, windowNumbers, window),
    store: checkedStore(given.store),
  };
}

const STORE_METHODS = ['find', 'load', 'claim', 'write', 'close'] as const;

function checkedStore(given: SessionStore | undefined): SessionStore | undefined {
  if (given === undefined) return undefined;
  const missing = STORE_METHODS.find(
    (method) => typeof (given as Partial<SessionStore> | null)?.[method] !== 'function',
  );
  return missing ? refuse(`${NAME}.store`, `a session store, with a method ${missing}()`, given) : given;
}

function checkEnvironment({ randomBytes }: Environment): void {
  if (randomBytes) return;
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `${NAME}: the environment that was given has no randomBytes`);
}

const choices = { acknowledge: true, window: true, store: true } as const;

export function clientSession(
  given: boolean | ClientSessionOptions | undefined,
  environment: Environment,
): ClientSessionSettings | undefined {
  if (given === undefined || given === false) return undefined;
  checkEnvironment(environment);
  const options = given === true ? {} : given;
  if (options === null || typeof options !== 'object') refuse(NAME, 'true, false or { acknowledge, … }', given);
  refuseUnknown(NAME, options, sessionNumbers, choices, { onSessionLost: true, credentials: true, storeName: true });
  const { credentials } = options;
  const shows = credentials instanceof Uint8Array || ['undefined', 'string', 'function'].includes(typeof credentials);
  if (!shows) refuse(`${NAME}.credentials`, 'bytes, a string, or a function that gives them', credentials);
  return {
    ...common(options),
    onSessionLost: choice(`${NAME}.onSessionLost`, options.onSessionLost, ['fail', 'new']),
    credentials,
    storeName: optional(`${NAME}.storeName`, options.storeName, 'string', 'a name') ?? 'client',
  };
}

export function serverSession(
  given: 'require' | 'accept' | boolean | ServerSessionOptions | undefined,
  environment: Environment,
): ServerSessionSettings | undefined {
  if (given === undefined || given === false) return undefined;
  checkEnvironment(environment);
  const options = given === true ? {} : given === 'require' || given === 'accept' ? { mode: given } : given;
  if (options === null || typeof options !== 'object') {
    refuse(NAME, "'require', 'accept', true, false or { mode, … }", given);
  }
  refuseUnknown(NAME, options, sessionNumbers, sessionServerNumbers, choices, { mode: true, authenticate: true });
  const { maxSessions = sessionServerNumbers.maxSessions.default } = options;
  const { retainedBytes = sessionServerNumbers.retainedBytes.default } = options;
  return {
    ...common(options),
    ...numbers(NAME, sessionServerNumbers, options, {
      maxSessionsPerPrincipal: maxSessions,
      // A bigint would throw here, before its own turn to be checked.
      retainedBytesPerPrincipal: typeof retainedBytes === 'number' ? Math.max(1, Math.floor(retainedBytes / 4)) : 1,
    }),
    mode: choice(`${NAME}.mode`, options.mode, ['require', 'accept']),
    authenticate: optional(
      `${NAME}.authenticate`,
      options.authenticate,
      'function',
      'a function (credentials) => name',
    ),
  };
}
