// What the programs here have in common: they tell events as lines of JSON, and obey lines of JSON.
import { createInterface } from 'node:readline';

/** Monotonic milliseconds of the machine: the same in every process on it, so that instants can be compared. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

export function tell(event, facts = {}) {
  process.stdout.write(`${JSON.stringify({ event, at: now(), ...facts })}\n`);
}

/** Hands on each order. When nobody can give one any more the program ends, however its starter came to its end. */
export function obey(order) {
  createInterface({ input: process.stdin })
    .on('line', (line) => order(JSON.parse(line)))
    .on('close', () => process.exit());
}

/**
 * An environment that sets a plain timer of Node beside each timer of ours, for the same instant. `lateness()`, called
 * while one of ours calls back, tells how late its control was, milliseconds: that much of a late verdict is the machine's.
 */
export function controlled(environment) {
  const { clock } = environment;
  let lateness = 0;
  const setTimeoutControlled = (callback, ms) => {
    const dueAt = performance.now() + ms;
    let late = 0;
    const control = setTimeout(() => {
      late = Math.max(0, performance.now() - dueAt);
    }, ms);
    const timer = clock.setTimeout(() => {
      lateness = late;
      callback();
      lateness = 0;
    }, ms);
    return { timer, control };
  };
  const clearTimeoutControlled = ({ timer, control }) => {
    clearTimeout(control);
    clock.clearTimeout(timer);
  };
  return {
    environment: {
      ...environment,
      clock: { ...clock, setTimeout: setTimeoutControlled, clearTimeout: clearTimeoutControlled },
    },
    lateness: () => lateness,
  };
}
