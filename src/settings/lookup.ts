/** The program's own look-up, so that it cannot take the process with it. */
import type { LookupFunction } from '../environment.js';
import { messageOf } from '../errors.js';

type Answer = Parameters<LookupFunction>[2];

/** Whatever it was, as an error. */
function errorOf(cause: unknown, hostname: string): Error {
  return cause instanceof Error ? cause : new Error(`lookup of ${hostname}: ${messageOf(cause)}`);
}

function addressesIn(found: unknown, family: number | undefined): { address: string; family: number }[] {
  const list = Array.isArray(found) ? found : [{ address: found, family }];
  return list
    .filter((one) => typeof one?.address === 'string')
    .map(({ address, family }) => ({ address, family: family ?? (address.includes(':') ? 6 : 4) }));
}

/**
 * A `lookup` that answers once, with addresses or an error, whatever becomes of the one that was given: one that throws or
 * rejects fails the attempt. Node asks for all addresses; one that answers with a single one, as `dns.lookup` does unless
 * it is asked for all, is understood.
 */
export function guardedLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    let over = false;
    const answer: Answer = (error, found, family) => {
      if (over) return;
      over = true;
      const addresses = error ? [] : addressesIn(found, family);
      const [first] = addresses;
      if (error) callback(errorOf(error, hostname), undefined);
      else if (!first) callback(new Error(`lookup of ${hostname} gave no address`), undefined);
      else if (options?.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    };
    const failed = (cause: unknown) => answer(errorOf(cause, hostname), undefined);
    try {
      const result: unknown = (lookup as (...given: unknown[]) => unknown)(hostname, options, answer);
      // An async function: what it returns is nothing, but it may reject.
      Promise.resolve(result).catch(failed);
    } catch (cause) {
      failed(cause);
    }
  };
}
