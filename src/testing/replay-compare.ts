import type { FlightStep } from '../recorder/dump.js';

/** Where the statechart goes another way than it did in the recording. */
export interface ReplayDifference {
  /** Which step of the dump, from 0. */
  readonly step: number;
  /** What of it: `entered`, `did`, `state`, `changed`, `answers`, `event`. */
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
  readonly message: string;
}

/** What of a step has to be the same, the most telling first. */
const fields = ['entered', 'state', 'did', 'changed'] as const;

const names: Readonly<Record<(typeof fields)[number], string>> = {
  entered: 'the states entered',
  state: 'the state',
  did: 'what was done',
  changed: 'what changed in the context',
};

/** Order of keys does not count. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** The first difference between a step as it was, and as it is now. */
export function differenceOf(
  step: number,
  recorded: FlightStep,
  replayed: FlightStep,
  answers: { readonly recorded: unknown; readonly replayed: unknown } | undefined,
): ReplayDifference | undefined {
  const field = fields.find((one) => canonical(recorded[one]) !== canonical(replayed[one]));
  const found = field && { field, what: names[field], recorded: recorded[field], replayed: replayed[field] };
  const first = found ?? (answers && { field: 'answers', what: 'what the hands were asked', ...answers });
  if (!first) return undefined;
  const { what, ...rest } = first;
  const before = JSON.stringify(rest.recorded) ?? 'nothing';
  const now = JSON.stringify(rest.replayed) ?? 'nothing';
  return { step, ...rest, message: `${what}: recorded ${before}, replayed ${now}` };
}
