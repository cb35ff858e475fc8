import type { Keys } from './keys.js';
import type { Holder } from './server.js';

/** What is remembered of a session that has ended. */
export interface Tombstone {
  readonly keys: Keys;
  readonly holder: Holder;
  /** The number of the client's last message that was handled; 0 for none. */
  readonly lastHandled: number;
}

/** By it a server knows a client that asks for its session again. */
export function clientKey({ principal, clientInstance }: Pick<Holder, 'principal' | 'clientInstance'>): string {
  return `${principal}\0${Buffer.from(clientInstance).toString('latin1')}`;
}

/**
 * Sessions that have ended: a client that comes too late is told how far it came, and a HELLO that was delayed until
 * after the end opens no second session, which nobody would ever use. Bounded, oldest first out.
 */
export class Tombstones {
  private readonly stones = new Map<string, Tombstone>();
  private readonly clients = new Set<string>();

  constructor(private readonly most: number) {}

  add(id: string, { keys, holder, lastHandled }: Tombstone): void {
    this.stones.set(id, { keys, holder, lastHandled });
    this.clients.add(clientKey(holder));
    for (const [oldest, stone] of this.stones) {
      if (this.stones.size <= this.most) return;
      this.stones.delete(oldest);
      this.clients.delete(clientKey(stone.holder));
    }
  }

  find(id: string): Tombstone | undefined {
    return this.stones.get(id);
  }

  /** Whether a session of this client has ended. */
  hasClient(key: string): boolean {
    return this.clients.has(key);
  }
}
