/**
 * A journal as bytes: records behind each other, each chained to all that is before it.
 *
 * ```text
 * 4e 4a 54 53  00 00 00 01
 * "NJTS"       version
 *
 * 00 00 01 2c  .. .. .. ..      … 300 …   … 16 …
 * length       check of length  payload   hash of all of it, and of the record before
 * ```
 *
 * A record is written in one piece, and the next one only when it is on the disk: so a crash can leave the last one short,
 * and nothing else. Whatever else is wrong was not a crash, and then nothing of the file is believed.
 */
import { createHash } from 'node:crypto';

export const FILE_HEAD = Buffer.from('4e4a545300000001', 'hex');
const CHECK = 4;
const RECORD_HEAD = 4 + CHECK;
const HASH = 16;

/** The hash of a record, all of it: the chain so far. */
export type Chain = Buffer;
export const NO_CHAIN: Chain = Buffer.alloc(32);

const digest = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** @returns the record, and the chain behind it */
export function encodeRecord(chain: Chain, payload: Uint8Array): { readonly bytes: Buffer; readonly chain: Chain } {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  const hash = digest(chain, length, payload);
  const check = digest(chain, length).subarray(0, CHECK);
  return { bytes: Buffer.concat([length, check, payload, hash.subarray(0, HASH)]), chain: hash };
}

export interface Journal {
  readonly payloads: readonly Buffer[];
  readonly chain: Chain;
  /** Where the last whole record ends: what is behind it was cut short by a crash. */
  readonly end: number;
}

/** What is wrong with a file, and where. */
export class Damage extends Error {
  constructor(
    what: string,
    readonly at: number,
  ) {
    super(what);
  }
}

/** @throws Damage for anything that is not the trace of a crash */
export function decodeJournal(bytes: Buffer): Journal {
  if (bytes.length < FILE_HEAD.length || !bytes.subarray(0, FILE_HEAD.length).equals(FILE_HEAD)) {
    throw new Damage('it does not begin as a journal does', 0);
  }
  const payloads: Buffer[] = [];
  let chain = NO_CHAIN;
  let at = FILE_HEAD.length;
  while (bytes.length - at >= RECORD_HEAD) {
    const length = bytes.subarray(at, at + 4);
    if (
      !digest(chain, length)
        .subarray(0, CHECK)
        .equals(bytes.subarray(at + 4, at + RECORD_HEAD))
    ) {
      throw new Damage('the head of a record was changed', at);
    }
    const from = at + RECORD_HEAD;
    const to = from + length.readUInt32BE();
    if (to + HASH > bytes.length) break;
    const payload = bytes.subarray(from, to);
    const hash = digest(chain, length, payload);
    if (!hash.subarray(0, HASH).equals(bytes.subarray(to, to + HASH))) throw new Damage('a record was changed', at);
    payloads.push(payload);
    chain = hash;
    at = to + HASH;
  }
  return { payloads, chain, end: at };
}
