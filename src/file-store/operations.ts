/** What stands in the records of a journal: what the store was asked to do, so that doing it again gives what it had. */

import type { Row, SessionTable } from '../sessions/table.js';
import type { StoreChange, StoreClaim } from '../store/contract.js';

export type Operation =
  | { readonly kind: 'write'; readonly change: StoreChange }
  | { readonly kind: 'claim'; readonly id: string; readonly claim: StoreClaim }
  /** All of a session, where the journal begins anew. */
  | { readonly kind: 'row'; readonly id: string; readonly row: Row };

/** Of one record: what was done at one time, wall-clock milliseconds. */
export interface Operations {
  readonly at: number;
  readonly operations: readonly Operation[];
}

/** JSON, with bytes behind it: `length u32 · JSON · bytes …`, each `{ "bytes": length }` in the order of the JSON. */
export function encodeOperations(operations: Operations): Buffer {
  const blobs: Uint8Array[] = [];
  const plain = (value: unknown): unknown => {
    if (value === Number.POSITIVE_INFINITY) return { endless: true };
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(plain);
    if (value instanceof Uint8Array) {
      blobs.push(value);
      return { bytes: value.length };
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  };
  const json = Buffer.from(JSON.stringify(plain(operations)));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(json.length);
  return Buffer.concat([head, json, ...blobs]);
}

export function decodeOperations(payload: Buffer): Operations {
  const length = payload.readUInt32BE();
  let at = 4 + length;
  const revive = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(revive);
    if ('endless' in value) return Number.POSITIVE_INFINITY;
    if ('bytes' in value && typeof value.bytes === 'number') {
      at += value.bytes;
      // A copy: the file is not kept in memory for it.
      return Uint8Array.prototype.slice.call(payload, at - value.bytes, at);
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revive(each)]));
  };
  const json = payload.toString('utf8', 4, at);
  return revive(JSON.parse(json)) as Operations;
}

export function doAgain(table: SessionTable, { at, operations }: Operations): void {
  for (const operation of operations) {
    if (operation.kind === 'write') table.write(operation.change, at);
    else if (operation.kind === 'claim') table.claim(operation.id, operation.claim, at);
    else table.put(operation.id, operation.row);
  }
}

/** All that a table has. */
export function rowsOf(table: SessionTable): Operation[] {
  return [...table.rows].map(([id, row]) => ({ kind: 'row', id, row }));
}

/** How many bytes it takes, about. */
export function sizeOf(table: SessionTable): number {
  let size = 0;
  for (const { head, blocks } of table.rows.values()) {
    size += head.length + 300;
    for (const { bytes } of blocks) size += bytes.length + 60;
  }
  return size;
}
