/** Messages that say whose they are and which number they have; every byte follows from that, so that a receiver can check. */
import { createRandom } from '../../../src/testing/index.js';

/** Bytes before the filler: the sender's tag, and the number. */
export const HEAD = 8;
const OFFSETS = 4096;
const LONGEST = 300_000;

const block = Buffer.alloc(OFFSETS + LONGEST);
const random = createRandom(1, 'session filler');
for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(Math.floor(random() * 2 ** 32), at);

const offsetOf = (tag: number, number: number): number => (Math.imul(tag + number, 0x9e3779b1) >>> 16) % OFFSETS;

export function payloadFor(tag: number, number: number, size: number): Buffer {
  const payload = Buffer.allocUnsafe(size);
  payload.writeUInt32LE(tag, 0);
  payload.writeUInt32LE(number, 4);
  const from = offsetOf(tag, number);
  block.copy(payload, HEAD, from, from + size - HEAD);
  return payload;
}

export interface Told {
  readonly tag: number;
  readonly number: number;
}

/** Who says to have sent it; undefined where its bytes are nobody's. */
export function tellOf(message: Buffer): Told | undefined {
  const { length } = message;
  if (length < HEAD || length > LONGEST) return undefined;
  const tag = message.readUInt32LE(0);
  const number = message.readUInt32LE(4);
  const from = offsetOf(tag, number);
  return message.compare(block, from, from + length - HEAD, HEAD) === 0 ? { tag, number } : undefined;
}
