import { nodeClock } from '../socket/node-clock.js';
import type { SessionStore } from '../store/contract.js';
import { SessionTable } from './table.js';

export interface MemoryStoreOptions {
  /** Monotonic milliseconds; for tests. */
  readonly now?: (() => number) | undefined;
}

/**
 * A store in the memory of this process: what the others have to be like. Sessions go from one server of the process to
 * another with it, and do not survive the process.
 */
export function memoryStore({ now = nodeClock.now }: MemoryStoreOptions = {}): SessionStore {
  const table = new SessionTable();
  return {
    find: async (alias) => table.find(alias, now()),
    load: async (id) => table.load(id, now()),
    claim: async (id, claim) => table.claim(id, claim, now()),
    write: async (changes) => changes.map((change) => table.write(change, now())),
    close: async () => {},
  };
}
