import type { Reason } from './errors.js';

/**
 * From the number of failures in a row (from 1) to the milliseconds to wait before the next attempt.
 * `false` gives up: the connection goes to `disconnected.failed`.
 */
export type Backoff = (failures: number, reason: Reason) => number | false;

/** The default's numbers, milliseconds: `floor + random(0, min(ceiling, first · growth^(n-1)))`. */
const backoffDefaults = { floor: 50, first: 100, growth: 1.5, ceiling: 10_000 } as const;

/**
 * The default backoff: exponential with full jitter above a small floor, so that one client heals at once and
 * five thousand do not dial in the same instant.
 *
 * @param random chance, from 0 up to but not including 1
 */
export function exponentialBackoff(random: () => number): Backoff {
  const { floor, first, growth, ceiling } = backoffDefaults;
  return (failures) => floor + random() * Math.min(ceiling, first * growth ** (failures - 1));
}
