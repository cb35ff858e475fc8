/** Frames to bytes and back, by the table of layouts.ts; DATA and those that acknowledge, the hot ones, by hand. */
import {
  DATA,
  DATA_HEAD,
  type Field,
  type Fields,
  type Frame,
  type FrameName,
  type Layout,
  layouts,
  MAX_HANDSHAKE,
} from './layouts.js';
import {
  MAC_LENGTH,
  malformed,
  readField,
  readTlvs,
  readU32,
  sizeOf,
  type Tlv,
  tlvsLength,
  writeField,
  writeTlvs,
  writeU32,
} from './wire.js';

const byType = new Map<number, FrameName>(
  (Object.keys(layouts) as FrameName[]).map((name) => [layouts[name].type, name]),
);
const headLengths = Object.fromEntries(
  Object.entries(layouts).map(([name, { fields }]) => [
    name,
    2 + fields.reduce((sum, [, kind]) => sum + sizeOf(kind), 0),
  ]),
) as Record<FrameName, number>;

const ACK_LENGTH = headLengths.ACK;
const PING_LENGTH = headLengths.PING;

/** Rules that concern more than one field. */
function checkTogether(name: FrameName, frame: Readonly<Record<string, unknown>>): void {
  // What a frame has not is 0, and breaks no rule.
  const { verMin = 0, verMax = 0, txFirst = 0, txNext = 0, retryable = 0 } = frame as Readonly<Record<string, number>>;
  if (verMin > verMax) malformed(name, `verMin must be at most verMax, ${verMax}`, verMin);
  if (txFirst > txNext) malformed(name, `txFirst must be at most txNext, ${txNext}`, txFirst);
  if (retryable > 1) malformed(name, 'retryable must be 0 or 1', retryable);
}

function checkLeast(name: FrameName, [field, , least = 0]: Field, value: unknown): void {
  if (typeof value === 'number' && value < least) malformed(name, `${field} must be at least ${least}`, value);
}

/**
 * The bytes of a frame. Where it carries a MAC its place is left at zero, or is left out: see `seal` of keys.ts.
 *
 * @param withMac of REFUSED: whether a MAC will stand in it
 * @throws NinjaTcpError `NINJA_PROTOCOL` where a value is out of its bounds
 */
export function encode<Name extends FrameName>(name: Name, fields: Fields<Name>, withMac = true): Buffer {
  const layout: Layout = layouts[name];
  const values = fields as Readonly<Record<string, unknown>>;
  const tlvs = layout.tlvs ? (values.tlvs as readonly Tlv[]) : [];
  const mac = layout.mac && withMac ? MAC_LENGTH : 0;
  const length = headLengths[name] + tlvsLength(tlvs) + mac;
  if (length > MAX_HANDSHAKE) malformed(name, `it must have at most ${MAX_HANDSHAKE} bytes`, length);
  const bytes = Buffer.alloc(length);
  bytes[0] = layout.type;
  let at = 2;
  for (const field of layout.fields) {
    const [key, kind] = field;
    writeField(bytes, at, name, key, kind, values[key]);
    checkLeast(name, field, values[key]);
    at += sizeOf(kind);
  }
  checkTogether(name, values);
  writeTlvs(bytes, at, name, tlvs);
  return bytes;
}

/**
 * What a frame says. Not for DATA and empty frames, which the session takes before.
 *
 * @throws NinjaTcpError `NINJA_PROTOCOL`, naming type, field, rule and value
 */
export function decode(bytes: Buffer): Frame {
  if (bytes.length < 2) malformed(`of ${bytes.length} bytes`, 'it must have a type and flags', `${bytes.length} bytes`);
  const name = byType.get(bytes[0] as number);
  if (name === undefined)
    return malformed(`0x${hexOf(bytes[0])}`, 'its type must be one of NTS/1', `0x${hexOf(bytes[0])}`);
  const layout: Layout = layouts[name];
  if (bytes[1] !== 0 && name !== 'HELLO') malformed(name, 'flags must be 0', `0x${hexOf(bytes[1])}`);
  const end = endOfFields(bytes, name, layout);
  const values: Record<string, unknown> = { name, mac: end === bytes.length ? undefined : copyOf(bytes, end) };
  let at = 2;
  for (const field of layout.fields) {
    const [key, kind] = field;
    const value = readField(bytes, at, name, key, kind);
    checkLeast(name, field, value);
    if (kind !== 'magic') values[key] = value;
    at += sizeOf(kind);
  }
  checkTogether(name, values);
  if (layout.tlvs) values.tlvs = readTlvs(bytes, at, end, name);
  return values as unknown as Frame;
}

/** Where fields and TLVs end, and the MAC begins if there is one. */
function endOfFields(bytes: Buffer, name: FrameName, { tlvs, mac }: Layout): number {
  const head = headLengths[name];
  const { length } = bytes;
  if (length > MAX_HANDSHAKE) malformed(name, `it must have at most ${MAX_HANDSHAKE} bytes`, length);
  const least = head + (mac === 'always' ? MAC_LENGTH : 0);
  if (tlvs) {
    if (length < least) malformed(name, `it must have at least ${least} bytes`, length);
    return mac ? length - MAC_LENGTH : length;
  }
  const most = head + (mac ? MAC_LENGTH : 0);
  const exact = length === most || (mac === 'may' && length === head);
  if (!exact) malformed(name, `it must have ${mac === 'may' ? `${head} or ${most}` : most} bytes`, length);
  return head;
}

function hexOf(byte: number | undefined): string {
  return (byte as number).toString(16).padStart(2, '0');
}

function copyOf(bytes: Buffer, from: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, from);
}

/** Writes the 6 bytes before a message, as byte stores: this is once for each message. */
export function writeDataHead(target: Uint8Array, at: number, number: number): void {
  target[at] = DATA;
  target[at + 1] = 0;
  writeU32(target, at + 2, number);
}

/**
 * The lower half of the number of a DATA frame.
 *
 * @throws NinjaTcpError `NINJA_PROTOCOL`
 */
export function readDataHead(bytes: Uint8Array): number {
  if (bytes.length < DATA_HEAD) malformed('DATA', `it must have at least ${DATA_HEAD} bytes`, bytes.length);
  if (bytes[1] !== 0) malformed('DATA', 'flags must be 0', `0x${hexOf(bytes[1])}`);
  return readU32(bytes, 2);
}

/** A frame that acknowledges: `type · flags · next u64`, or with a nonce before it. The same bytes as by `encode`. */
export function encodeNext(name: 'ACK' | 'PING' | 'PONG', next: number, nonce = 0): Buffer {
  const { type } = layouts[name];
  const ack = type === layouts.ACK.type;
  const bytes = Buffer.allocUnsafe(ack ? ACK_LENGTH : PING_LENGTH);
  const at = ack ? 2 : 6;
  bytes[0] = type;
  bytes[1] = 0;
  if (!ack) writeU32(bytes, 2, nonce);
  writeU32(bytes, at, Math.floor(next / 2 ** 32));
  writeU32(bytes, at + 4, next);
  return bytes;
}

/**
 * `next` of an ACK, quickly.
 *
 * @returns 0 for anything else, and for one that is malformed: `decode` tells what is wrong with it
 */
export function readAck(bytes: Uint8Array): number {
  if (bytes.length !== ACK_LENGTH || bytes[0] !== layouts.ACK.type || bytes[1] !== 0) return 0;
  const high = readU32(bytes, 2);
  return high < 2 ** 21 ? high * 2 ** 32 + readU32(bytes, 6) : 0;
}

/**
 * Whether a first frame opens a session, or a plain peer's first message came: both HELLO and RESUME begin with a magic.
 */
export function opensSession(bytes: Uint8Array): boolean {
  const type = bytes[0];
  if (type !== layouts.HELLO.type && type !== layouts.RESUME.type) return false;
  return bytes[2] === 0x4e && bytes[3] === 0x4a && bytes[4] === 0x54 && bytes[5] === 0x31;
}
