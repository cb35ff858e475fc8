/** Where to dial, checked. */
import { type ConnectOptions, type Endpoint, MAX_ENDPOINTS } from '../options.js';
import type { Target } from '../target.js';
import { optional, portUnlessPath, refuse, refuseUnknown } from './checks.js';

/** One endpoint, with its defaults. */
function endpointOf(given: ConnectOptions | Endpoint, forTcp: readonly (keyof ConnectOptions & string)[]): Target {
  const host = optional('host', given.host, 'string', 'a name or an address') || 'localhost';
  return { host, port: portUnlessPath(given, 1, forTcp), path: given.path };
}

/** Several endpoints, or the one of `host` and `port`, or of `path`. */
export function endpointsOf(given: ConnectOptions): readonly [Target, ...Target[]] {
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
