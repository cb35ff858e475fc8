import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api';

/** So many names of connections and servers are told apart; further ones share `_OTHER`. */
const MOST_NAMES = 100;

/** Keeps the number of series bounded, whatever a program calls its connections. */
export class Names {
  private readonly known = new Set<string>();

  of(name: string): string {
    if (this.known.has(name)) return name;
    if (this.known.size === MOST_NAMES) return '_OTHER';
    this.known.add(name);
    return name;
  }
}

interface Entry {
  readonly attributes: Attributes;
  value: number;
}

/** Numbers by their attributes. */
export class Tally {
  private readonly entries = new Map<string, Entry>();

  /** What was there once is told as 0: the SDK goes on telling the last value of what is not told any more. */
  reset(): void {
    for (const entry of this.entries.values()) entry.value = 0;
  }

  add(attributes: Attributes, value: number): void {
    this.entry(attributes).value += value;
  }

  atLeast(attributes: Attributes, value: number): void {
    const entry = this.entry(attributes);
    entry.value = Math.max(entry.value, value);
  }

  observe(result: BatchObservableResult, metric: Observable): void {
    for (const { attributes, value } of this.entries.values()) result.observe(metric, value, attributes);
  }

  private entry(attributes: Attributes): Entry {
    const key = JSON.stringify(attributes);
    const found = this.entries.get(key) ?? { attributes, value: 0 };
    this.entries.set(key, found);
    return found;
  }
}
