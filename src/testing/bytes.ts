import type { Framing } from '../framing/framing.js';
import { lengthPrefixed } from '../framing/length-prefixed.js';

/** Bytes as people write them: a buffer, or hex such as `'00 00 00 02 6f 6b'`. */
export type Bytes = Uint8Array | string;

/** Bytes that are looked for; those that may be anything are `??` in hex. */
export interface Pattern {
  readonly bytes: Buffer;
  /** Places that may hold any byte. */
  readonly any: ReadonlySet<number>;
}

/** So many bytes of each side are shown on either side of a difference. */
const shownBefore = 24;
const shownAfter = 8;

/**
 * A message as it lies on the wire.
 *
 * ```text
 * frame('ok')  →  00 00 00 02 6f 6b
 * ```
 *
 * @throws RangeError when the framing's header cannot announce it
 */
export function frame(message: Uint8Array | string, framing: Framing = lengthPrefixed()): Buffer {
  const payload = Buffer.from(message as string);
  if (payload.length > framing.maxLength) {
    throw new RangeError(`${framing.name} carries at most ${framing.maxLength} bytes, not ${payload.length}`);
  }
  const header = Buffer.alloc(framing.headerLength);
  framing.writeHeader(header, 0, payload.length);
  return Buffer.concat([header, payload]);
}

/** @throws TypeError for what is neither a buffer nor hex */
export function bytesOf(what: Bytes): Buffer {
  const { bytes, any } = patternOf(what);
  if (any.size > 0) throw new TypeError(`'??' can be expected, but not sent: '${what}'`);
  return bytes;
}

/** @throws TypeError for what is neither a buffer nor hex */
export function patternOf(what: Bytes): Pattern {
  // A copy: a script may be run later, and again.
  if (typeof what !== 'string') return { bytes: Buffer.from(what), any: new Set() };
  const digits = what.replace(/\s+/g, '');
  if (!/^([\da-f]{2}|\?\?)*$/i.test(digits)) {
    throw new TypeError(
      `'${what}' is not hex such as '00 0a ff'; a message is frame('${what}'), text is Buffer.from(…)`,
    );
  }
  const pairs = digits.match(/../g) ?? [];
  return {
    bytes: Buffer.from(pairs.map((pair) => (pair === '??' ? '00' : pair)).join(''), 'hex'),
    any: new Set(pairs.flatMap((pair, place) => (pair === '??' ? place : []))),
  };
}

/** The place of the first byte that is wrong; undefined as long as all that came is right. */
export function differenceOf({ bytes, any }: Pattern, got: Uint8Array): number | undefined {
  const length = Math.min(bytes.length, got.length);
  for (let place = 0; place < length; place += 1) {
    if (got[place] !== bytes[place] && !any.has(place)) return place;
  }
  return undefined;
}

/** Three lines: what was expected, what came, and a mark under the place where they part. */
export function comparison(expected: Pattern, got: Uint8Array, place: number): string {
  const from = Math.max(0, place - shownBefore);
  const to = place + shownAfter;
  const left = from > 0 ? '… ' : '';
  const hexOf = (pairs: readonly string[]): string =>
    `${left}${pairs.slice(from, to).join(' ')}${pairs.length > to ? ' …' : ''}`;
  const wanted = hexOf([...expected.bytes].map((byte, at) => (expected.any.has(at) ? '??' : pairOf(byte))));
  const came = got.length === 0 ? 'nothing' : hexOf([...got].map(pairOf));
  const width = Math.max(wanted.length, came.length);
  const line = (hex: string, bytes: Uint8Array): string => `${hex.padEnd(width)}  ${textOf(bytes.subarray(from, to))}`;
  return [
    `  expected  ${line(wanted, expected.bytes)}`,
    `  got       ${line(came, got)}`,
    `            ${' '.repeat(left.length + 3 * (place - from))}^^`,
  ].join('\n');
}

function pairOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function textOf(bytes: Uint8Array): string {
  return `|${[...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')}|`;
}
