/** Numbers and bytes of session frames: big-endian, checked on the way out as on the way in. Not for DATA: that is hot. */
import { NinjaTcpError } from '../../errors.js';

/** Application's and later versions' extras of a handshake frame: `type u16 · length u16 · value`. */
export interface Tlv {
  /** 0x8000 … 0xffff belong to the application; those below to later versions, and are passed over where unknown. */
  readonly type: number;
  /** At most 65,535 bytes. */
  readonly value: Uint8Array;
}

/** What a field is on the wire. A u64 is a number up to 2^53 - 1: 10^9 messages a second for 100 days. */
export type Kind = 'magic' | 'u8' | 'u32' | 'u64' | 'bytes16' | 'bytes32';

/** What stands in a frame for each kind; the magic stands for itself. */
export interface Kinds {
  magic: never;
  u8: number;
  u32: number;
  u64: number;
  bytes16: Uint8Array;
  bytes32: Uint8Array;
}

export const MAC_LENGTH = 32;
const MAGIC = Buffer.from('NJT1');
const sizes: Readonly<Record<Kind, number>> = { magic: 4, u8: 1, u32: 4, u64: 8, bytes16: 16, bytes32: 32 };
const highest = { u8: 2 ** 8 - 1, u32: 2 ** 32 - 1, u64: Number.MAX_SAFE_INTEGER } as const;

/** @throws NinjaTcpError `NINJA_PROTOCOL`, always: the frame's type, the field, the rule and the value */
export function malformed(frame: string, rule: string, got: number | string): never {
  throw new NinjaTcpError('NINJA_PROTOCOL', `session frame ${frame}: ${rule}, got ${got}`);
}

export function sizeOf(kind: Kind): number {
  return sizes[kind];
}

export function writeField(target: Buffer, at: number, frame: string, field: string, kind: Kind, value: unknown): void {
  if (kind === 'magic') {
    MAGIC.copy(target, at);
  } else if (kind === 'bytes16' || kind === 'bytes32') {
    const bytes = value as Uint8Array;
    if (bytes.length !== sizes[kind]) malformed(frame, `${field} must have ${sizes[kind]} bytes`, bytes.length);
    target.set(bytes, at);
  } else {
    const number = value as number;
    if (!Number.isInteger(number) || number < 0 || number > highest[kind]) {
      malformed(frame, `${field} must be a whole number from 0 to ${highest[kind]}`, number);
    }
    if (kind === 'u8') target[at] = number;
    else if (kind === 'u32') target.writeUInt32BE(number, at);
    else writeU64(target, at, number);
  }
}

export function readField(source: Buffer, at: number, frame: string, field: string, kind: Kind): number | Uint8Array {
  if (kind === 'u8') return source.readUInt8(at);
  if (kind === 'u32') return source.readUInt32BE(at);
  if (kind === 'u64') {
    const high = source.readUInt32BE(at);
    if (high >= 2 ** 21) malformed(frame, `${field} must be below 2^53`, `0x${source.toString('hex', at, at + 8)}`);
    return high * 2 ** 32 + source.readUInt32BE(at + 4);
  }
  if (kind === 'magic' && MAGIC.compare(source, at, at + 4) !== 0) {
    malformed(frame, 'it must begin with "NJT1"', `0x${source.toString('hex', at, at + 4)}`);
  }
  // A copy: it outlives the chunk it came in.
  return Uint8Array.prototype.slice.call(source, at, at + sizes[kind]);
}

function writeU64(target: Buffer, at: number, value: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  target.writeUInt32BE(value % 2 ** 32, at + 4);
}

/** The lower 32 bits of a number, as byte stores: a quarter of the time of writeUInt32BE. */
export function writeU32(target: Uint8Array, at: number, value: number): void {
  const low = value >>> 0;
  target[at] = low >>> 24;
  target[at + 1] = low >>> 16;
  target[at + 2] = low >>> 8;
  target[at + 3] = low;
}

/** Four bytes, as byte loads. */
export function readU32(source: Uint8Array, at: number): number {
  const high = ((source[at] as number) << 24) | ((source[at + 1] as number) << 16);
  return (high | ((source[at + 2] as number) << 8) | (source[at + 3] as number)) >>> 0;
}

export function tlvsLength(tlvs: readonly Tlv[]): number {
  return tlvs.reduce((sum, { value }) => sum + 4 + value.length, 0);
}

export function writeTlvs(target: Buffer, from: number, frame: string, tlvs: readonly Tlv[]): void {
  let at = from;
  for (const { type, value } of tlvs) {
    if (!Number.isInteger(type) || type < 0 || type > 0xffff)
      malformed(frame, 'a TLV must have a type below 2^16', type);
    if (value.length > 0xffff) malformed(frame, 'a TLV must have at most 65535 bytes', value.length);
    target.writeUInt16BE(type, at);
    target.writeUInt16BE(value.length, at + 2);
    target.set(value, at + 4);
    at += 4 + value.length;
  }
}

export function readTlvs(source: Buffer, from: number, end: number, frame: string): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = from; at < end; ) {
    if (end - at < 4) malformed(frame, 'a TLV needs 4 bytes for its type and length', `${end - at} bytes`);
    const length = source.readUInt16BE(at + 2);
    if (end - at - 4 < length) malformed(frame, `a TLV announced ${length} bytes`, `${end - at - 4} bytes`);
    tlvs.push({
      type: source.readUInt16BE(at),
      value: Uint8Array.prototype.slice.call(source, at + 4, at + 4 + length),
    });
    at += 4 + length;
  }
  return tlvs;
}
