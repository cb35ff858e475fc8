/** Numbered messages whose every byte follows from who sent them and their number, so that a receiver can check them. */
import { createRandom } from '../../src/testing/index.js';

/** From here on a message says by its first bytes whose it is. */
export const TELLING = 16;
const HEAD = 8;
const OFFSETS = 65_536;

/** Filler for all messages: each has its own place in it. */
const block = Buffer.alloc(OFFSETS + 300_000);
const random = createRandom(1, 'filler');
for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(Math.floor(random() * 2 ** 32), at);

function mix(a: number, b: number): number {
  let value = Math.imul(a ^ (b >>> 3), 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 0;
}

const head = Buffer.alloc(HEAD);
function writeHead(tag: number, number: number): number {
  const first = mix(tag, number);
  head.writeUInt32LE(first, 0);
  head.writeUInt32LE(mix(first, tag + 7 * number), 4);
  return first % OFFSETS;
}

export function payloadFor(tag: number, number: number, size: number): Buffer {
  const payload = Buffer.allocUnsafe(size);
  const from = writeHead(tag, number);
  head.copy(payload, 0, 0, Math.min(size, HEAD));
  if (size > HEAD) block.copy(payload, HEAD, from, from + size - HEAD);
  return payload;
}

export function isPayload(message: Buffer, tag: number, number: number, size: number): boolean {
  if (message.length !== size) return false;
  const from = writeHead(tag, number);
  const length = Math.min(size, HEAD);
  if (message.compare(head, 0, length, 0, length) !== 0) return false;
  return size <= HEAD || message.compare(block, from, from + size - HEAD, HEAD) === 0;
}

/** What a message of at least `TELLING` bytes says of its sender and number. */
export function tellOf(message: Buffer): string {
  return message.toString('latin1', 0, HEAD);
}

export function tellFor(tag: number, number: number): string {
  writeHead(tag, number);
  return head.toString('latin1');
}
