/** The rules that options are checked by. */
import { type AddressMatcher, AddressSet } from '../addresses.js';
import type { ClientTls, Environment, ServerTls } from '../environment.js';
import { messageOf, NinjaTcpError, show } from '../errors.js';
import type { ConnectOptions, Endpoint, ListenOptions, NumberRule } from '../options.js';

/** Proxies on this machine. */
const THIS_MACHINE = ['127.0.0.0/8', '::1'];

export function refuse(option: string, rule: string, value: unknown): never {
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `${option} must be ${rule}, got ${show(value)}`);
}

export function ruleOf({ unit, min, max, also }: NumberRule): string {
  const range = `a whole number of ${unit} from ${min} to ${max}`;
  return also ? `${range}, or ${also[0]} (${also[1]})` : range;
}

export function checkedNumber(option: string, value: unknown, rule: NumberRule): number {
  const allowed =
    typeof value === 'number' &&
    (value === rule.also?.[0] || (Number.isInteger(value) && value >= rule.min && value <= rule.max));
  return allowed ? value : refuse(option, ruleOf(rule), value);
}

export function optional<T>(
  option: string,
  value: T | undefined,
  type: 'string' | 'function' | 'object',
  rule: string,
): T | undefined {
  return value === undefined || (typeof value === type && value !== null) ? value : refuse(option, rule, value);
}

/** Without `undefined`, so that an option that is given as undefined counts as not given. */
export function choice<T extends string>(option: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  return allowed.includes(value) ? value : refuse(option, allowed.map((one) => `'${one}'`).join(' or '), value);
}

export function refuseUnknown(call: string, given: object, ...known: readonly object[]): void {
  for (const option of Object.keys(given)) {
    if (known.some((names) => Object.hasOwn(names, option))) continue;
    throw new NinjaTcpError('NINJA_INVALID_OPTION', `${call}: ${option} is not an option; see docs/options.md`);
  }
}

export function port(option: string, value: unknown, min: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= 65_535) return value;
  return refuse(option, `a whole number from ${min} to 65535`, value);
}

/** @returns the port, or undefined where a path was given instead, alone */
export function portUnlessPath(
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

export function addresses(option: string, given: unknown): AddressMatcher {
  if (typeof (given as AddressMatcher | null | undefined)?.check === 'function') return given as AddressMatcher;
  if (!Array.isArray(given)) return refuse(option, 'a list of addresses, or a net.BlockList', given);
  try {
    return new AddressSet(given);
  } catch (error) {
    return refuse(option, 'a list of addresses and networks, such as 10.0.0.0/8', messageOf(error));
  }
}

/** The options of TLS, once the environment has looked at them. */
export function checkedTls<T extends ClientTls | ServerTls>(tls: T, environment: Environment): T {
  if (tls === null || typeof tls !== 'object') refuse('tls', 'the options of node:tls', tls);
  if (!environment.checkTls) {
    throw new NinjaTcpError('NINJA_INVALID_OPTION', 'tls: the environment that was given knows no TLS');
  }
  try {
    environment.checkTls(tls);
  } catch (error) {
    throw new NinjaTcpError('NINJA_INVALID_OPTION', `tls: ${messageOf(error)}`, error);
  }
  return tls;
}

/** Whose PROXY header is believed; undefined where there is none. */
export function trustedProxies(given: ListenOptions['proxyProtocol']): { trusted: AddressMatcher } | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return { trusted: new AddressSet(THIS_MACHINE) };
  if (given === null || typeof given !== 'object') return refuse('proxyProtocol', 'true, false or { trusted }', given);
  return { trusted: addresses('proxyProtocol.trusted', given.trusted) };
}
