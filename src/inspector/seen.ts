/** Whom an inspector sees, and by which name it calls them. */
import type { Connection } from '../connection.js';
import type { Peer } from '../peer.js';
import { registered } from '../registry.js';
import type { Server } from '../server.js';

export type Seen = Connection | Peer | Server;

const ids = new WeakMap<Seen, string>();
let named = 0;

/** `connection-1`, `peer-7`: the same for as long as it lives. */
export function idOf(one: Seen): string {
  let id = ids.get(one);
  if (id === undefined) {
    named += 1;
    id = `${one.kind}-${named}`;
    ids.set(one, id);
  }
  return id;
}

/** Every connection and every server; peers are with their servers. */
export function living(): readonly (Connection | Server)[] {
  // Whoever registers, is one of these.
  return registered() as (Connection | Server)[];
}

/** The one with this id, where it still lives. */
export function find(id: string): Seen | undefined {
  for (const one of living()) {
    if (ids.get(one) === id) return one;
    if (one.kind !== 'server') continue;
    for (const peer of one.peers) if (ids.get(peer) === id) return peer;
  }
  return undefined;
}
