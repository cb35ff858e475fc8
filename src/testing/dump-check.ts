/** Reads what somebody says is a dump of a flight recorder: it may be anything. */
import { errorTable, messageOf, show } from '../errors.js';

/** It is no dump that can be replayed. The message names field, rule and value. */
export class DumpError extends TypeError {
  override readonly name = 'DumpError';
}

/** Looks at the value of one field. @param path `steps[3].at` */
export type Check = (path: string, value: unknown) => void;

export function refuse(path: string, rule: string, value: unknown): never {
  throw new DumpError(`${path} must be ${rule}, got ${show(value)}`);
}

const rule =
  (words: string, holds: (value: unknown) => boolean): Check =>
  (path, value) => {
    if (!holds(value)) refuse(path, words, value);
  };

export const text = rule('a string', (value) => typeof value === 'string');
export const flag = rule('true or false', (value) => typeof value === 'boolean');
export const number = rule('a number', Number.isFinite);
export const count = rule('a whole number from 0', (value) => Number.isSafeInteger(value) && (value as number) >= 0);
export const duration = rule('a number from 0', (value) => Number.isFinite(value) && (value as number) >= 0);
export const code = rule(
  'a code of docs/errors.md',
  (value) => typeof value === 'string' && Object.hasOwn(errorTable, value),
);

export const oneOf = (values: readonly unknown[]): Check =>
  rule(values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(' or '), (value) =>
    values.includes(value),
  );

/** null stands for undefined. */
export const orNull =
  (check: Check): Check =>
  (path, value) => {
    if (value !== null) check(path, value);
  };

/** It may be left out. */
interface Optional {
  readonly optional: Check;
}

export const optional = (check: Check): Optional => ({ optional: check });

/** An object that has these fields, and no others. */
export const fields =
  (known: Readonly<Record<string, Check | Optional>>): Check =>
  (path, value) => {
    const given = objectAt(path, value);
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(known, key)) throw new DumpError(`${path || 'a dump'}: there is no field ${show(key)}`);
    }
    for (const [key, check] of Object.entries(known)) {
      const field = path ? `${path}.${key}` : key;
      if (typeof check === 'function') check(field, given[key]);
      else if (Object.hasOwn(given, key)) check.optional(field, given[key]);
    }
  };

/** An object with any keys, all of whose values are alike. */
export const values =
  (check: Check): Check =>
  (path, value) => {
    for (const [key, one] of Object.entries(objectAt(path, value))) check(`${path}.${key}`, one);
  };

export const list =
  (check: Check, most = 100_000): Check =>
  (path, value) => {
    if (!Array.isArray(value) || value.length > most) refuse(path, `a list of at most ${most}`, value);
    for (const [place, one] of value.entries()) check(`${path}[${place}]`, one);
  };

/** Numbers that do not go down from one to the next. */
export function ascending(path: string, items: readonly { readonly at: number }[], from: number): void {
  let before = from;
  for (const [place, { at }] of items.entries()) {
    if (at < before) refuse(`${path}[${place}].at`, `at least ${before}, when what stands before it happened`, at);
    before = at;
  }
}

function objectAt(path: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(path || 'a dump', 'an object', value);
}

/** A dump as text: what JSON says of a wrong one, as our own error. @throws DumpError */
export function parseDump(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new DumpError(`a dump must be JSON: ${messageOf(error)}`);
  }
}
