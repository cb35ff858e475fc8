// Copies and fingerprints of a world of plain objects. What holds no state of its own (settings, bytes) is shared.
import { createHash } from 'node:crypto';

/** Fields that are set as a whole, and never changed within: copies may share them. */
const shared = new Set(['options', 'setting', 'window', 'own', 'keys', 'holder', 'over', 'record', 'answer']);
/** Fields that say nothing of what may happen next: settings, counters that nobody reads, and how much memory was of use. */
const passedOver = new Set([
  'options',
  'setting',
  'window',
  'own',
  'holder',
  'crypto',
  'fenced',
  'duplicates',
  'wokenAt',
  'most',
  'usual',
]);

/** A copy of the whole graph: references that were the same are the same again. */
export function copyOf<T>(root: T): T {
  const copies = new Map<object, object>();
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    const known = copies.get(value);
    if (known) return known;
    if (Array.isArray(value)) {
      const copy: unknown[] = [];
      copies.set(value, copy);
      for (const each of value) copy.push(visit(each));
      return copy;
    }
    if (value instanceof Map) {
      const copy = new Map();
      copies.set(value, copy);
      for (const [key, each] of value) copy.set(key, visit(each));
      return copy;
    }
    if (value instanceof Set) {
      const copy = new Set();
      copies.set(value, copy);
      for (const each of value) copy.add(visit(each));
      return copy;
    }
    const copy = Object.create(Object.getPrototypeOf(value));
    copies.set(value, copy);
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key];
      copy[key] = shared.has(key) ? inner : visit(inner);
    }
    return copy;
  };
  return visit(root) as T;
}

/** Equal for worlds of which the same may become. */
export function fingerprintOf(root: unknown): string {
  const seen = new Map<object, number>();
  const parts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      parts.push(typeof value === 'string' ? `"${value}` : String(value));
      return;
    }
    if (value instanceof Uint8Array) {
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1'));
      return;
    }
    const known = seen.get(value);
    if (known !== undefined) {
      parts.push(`#${known}`);
      return;
    }
    seen.set(value, seen.size);
    if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
      parts.push(`[${value instanceof Map || value instanceof Set ? value.size : value.length}`);
      if (value instanceof Map) for (const [key, each] of value) visit([key, each]);
      else for (const each of value) visit(each);
      return;
    }
    parts.push('{');
    for (const key of Object.keys(value)) {
      if (!passedOver.has(key)) visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(root);
  return createHash('sha1').update(parts.join('|')).digest('base64');
}
