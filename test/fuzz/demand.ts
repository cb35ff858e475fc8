/** Assertions for hot loops: the words are made only where they are needed. */

export function demand(holds: boolean, words: () => string): asserts holds {
  if (!holds) throw new Error(words());
}

export function same<T>(got: T, expected: T, what: string): void {
  if (got !== expected) throw new Error(`${what}: ${String(got)}, expected ${String(expected)}`);
}

/** How often something was met: whatever is never met proves nothing. */
export const met: Record<string, number> = {};

export function meet(what: string): void {
  met[what] = (met[what] ?? 0) + 1;
}
