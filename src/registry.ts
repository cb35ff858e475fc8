/**
 * What lives in this process, for those who watch it: every connection and every server, until it is disposed of. The
 * list belongs to the process, not to the module: a program may hold this library twice, as ESM and as CommonJS.
 */

/** One that can be listed; whoever knows more of it, asks it. */
export interface Registered {
  readonly kind: 'connection' | 'server';
}

interface Registry {
  /** Weakly: one that was let go without a word must not be kept by having been listed. */
  readonly living: Set<WeakRef<Registered>>;
  /** At this size it is looked who was let go. */
  pruneAt: number;
}

const KEY = Symbol.for('ninja-tcp.registry');
const home = globalThis as { [KEY]?: Registry };

function registry(): Registry {
  home[KEY] ??= { living: new Set(), pruneAt: SLACK };
  return home[KEY];
}

/** So many may be listed that were let go, before they are looked for. */
const SLACK = 1000;

/** Lists one. @returns what `unregister` takes */
export function register(one: Registered): WeakRef<Registered> {
  const all = registry();
  const ref = new WeakRef(one);
  all.living.add(ref);
  if (all.living.size >= all.pruneAt) {
    registered();
    all.pruneAt = Math.max(SLACK, 2 * all.living.size);
  }
  return ref;
}

/** Takes one off the list. */
export function unregister(ref: WeakRef<Registered>): void {
  registry().living.delete(ref);
}

/** Those that live, in the order of their making. */
export function registered(): Registered[] {
  const { living } = registry();
  const all: Registered[] = [];
  for (const ref of living) {
    const one = ref.deref();
    if (one) all.push(one);
    else living.delete(ref);
  }
  return all;
}
