import { exponentialBackoff } from '../../../src/backoff.js';
import type { Reason } from '../../../src/errors.js';

/**
 * From failures in a row (from 1: the loss of a good line) to the milliseconds until the next attempt.
 *
 * @param lasted how long ago the attempt began that failed, or the line that was lost
 */
export type Pause = (failures: number, lasted: number) => number;

/** A rule for when to dial again. Each client has chance of its own. */
export interface Policy {
  readonly name: string;
  pause(random: () => number): Pause;
}

const reason = {} as Reason;
const between = (from: number, to: number, random: () => number): number => from + random() * (to - from);

/** The library's own default. */
export const ours: Policy = {
  name: 'ours',
  pause(random) {
    const backoff = exponentialBackoff(random);
    return (failures) => backoff(failures, reason) as number;
  },
};

const atOnce: Policy = { name: 'none: at once', pause: () => () => 0 };

/** NinjaTCP's own rule. */
const fixed: Policy = { name: 'none: every second', pause: () => () => 1000 };

/**
 * NATS: `reconnectTimeWait` 2 s and `reconnectJitter` 100 ms are its clients' defaults, and by `dialLoop` in
 * nats-base-client/protocol.ts of nats.js they count from the beginning of the attempt before: a line that was lost
 * is dialled at once.
 */
export const nats: Policy = {
  name: 'NATS',
  pause: (random) => (_failures, lasted) => Math.max(0, between(2000, 2100, random) - lasted),
};

/**
 * gRPC: `ConnectWithBackoff` in doc/connection-backoff.md of grpc. INITIAL_BACKOFF 1 s, MULTIPLIER 1.6, JITTER 0.2,
 * MAX_BACKOFF 120 s; counted from the beginning of the attempt before. A line that was lost is dialled at once, and the
 * first pause has no jitter.
 */
export const grpc: Policy = {
  name: 'gRPC',
  pause: (random) => (failures, lasted) => {
    if (failures === 1) return 0;
    const backoff = Math.min(120_000, 1000 * 1.6 ** (failures - 2));
    const jitter = failures === 2 ? 0 : between(-0.2, 0.2, random) * backoff;
    return Math.max(0, backoff + jitter - lasted);
  },
};

/** "Full jitter" of Exponential Backoff And Jitter, on the blog of AWS's architects. */
const fullJitter: Policy = {
  name: 'full jitter',
  pause: (random) => (failures) => random() * Math.min(10_000, 100 * 2 ** (failures - 1)),
};

/** What full jitter is without the jitter. */
const exponential: Policy = {
  name: 'exponential',
  pause: () => (failures) => Math.min(10_000, 100 * 2 ** (failures - 1)),
};

/** The shape of ours, with other numbers. */
export function shaped(floor: number, first: number, growth: number, ceiling: number): Policy {
  return {
    name: `${floor} + random(0, min(${ceiling}, ${first} · ${growth}^(n-1)))`,
    pause: (random) => (failures) => floor + random() * Math.min(ceiling, first * growth ** (failures - 1)),
  };
}

export const candidates: readonly Policy[] = [atOnce, fixed, exponential, nats, grpc, fullJitter, ours];
