import { candidates, type Policy, shaped } from './candidates.js';
import { storm } from './storm.js';
import { percentile, type Tally } from './tally.js';
import { type Kind, ORDINARY, outage, type World } from './world.js';

/** What the tables in docs/reconnecting.md are made with. */
export const SEED = 1;
const CLIENTS = 5000;
const SINGLES = 3000;

/** What the default has to keep: issue and docs say the same. */
export const targets = { oneMedian: 250, manyP99: 10_000, peak: 0.08 } as const;

/** How long the outage of a single client is, by the number of the try from 0 up to but not including 1. */
export const lasts = {
  second: () => 1000,
  /** Whoever dials at each full second would look lucky otherwise. */
  aboutASecond: (part: number) => 500 + 1000 * part,
} as const satisfies Record<string, (part: number) => number>;

/**
 * One client and one server that restarts, many times over.
 *
 * @returns healing times, milliseconds, in order
 */
export function alone(policy: Policy, seed: number, times: number, length: (part: number) => number): number[] {
  return Array.from({ length: times }, (_, index) => {
    const world = { ...ORDINARY, clients: 1, outages: outage('refused', length(index / times)) };
    return storm(world, policy, seed * 1_000_000 + index).percentile(1);
  }).sort((a, b) => a - b);
}

/** Five thousand clients, and one outage. */
export function together(policy: Policy, seed: number, kind: Kind, length: number, more: Partial<World> = {}): Tally {
  return storm({ ...ORDINARY, clients: CLIENTS, outages: outage(kind, length), ...more }, policy, seed);
}

const ms = (time: number): string => `${Math.round(time)} ms`;
const s = (time: number): string => `${(time / 1000).toFixed(1)} s`;
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

const table = (caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`${caption}\n`, head, head.map(() => '---'), ...rows]
    .map((row) => (typeof row === 'string' ? row : `| ${row.join(' | ')} |`))
    .join('\n');

function aloneRow(policy: Policy, seed: number): string[] {
  const rows = [lasts.second, lasts.aboutASecond].map((length) => alone(policy, seed, SINGLES, length));
  return [policy.name, ...rows.flatMap((times) => [percentile(times, 0.5), percentile(times, 0.99)].map(ms))];
}

function togetherRow(policy: Policy, seed: number): string[] {
  const tally = together(policy, seed, 'refused', 10_000);
  return [
    policy.name,
    ...[0.5, 0.99, 1].map((share) => s(tally.percentile(share))),
    percent(tally.peakDown),
    percent(tally.peakUp),
    tally.dialsEach.toFixed(1),
    `${tally.overflowed}`,
  ];
}

function othersRow(policy: Policy, seed: number): string[] {
  const worlds = [
    ['silent', 10_000],
    ['refused', 30_000],
    ['refused', 200],
  ] as const;
  const tallies = worlds.map(([kind, length]) => together(policy, seed, kind, length));
  return [policy.name, ...tallies.flatMap((tally) => [s(tally.percentile(0.99)), percent(tally.peakUp)])];
}

/** The trade-off, as Markdown: the same policies and the same seed give the same text. */
export function tradeOff(policies: readonly Policy[] = candidates, seed = SEED): string {
  const rows = (row: (policy: Policy, seed: number) => string[]) => policies.map((policy) => row(policy, seed));
  return [
    table(
      '**One client**, the server’s process is down for a second:',
      ['Policy', '1 s: half', '99 %', '0.5 … 1.5 s: half', '99 %'],
      rows(aloneRow),
    ),
    table(
      '**5,000 clients**, the server’s process is down for 10 s:',
      ['Policy', 'half', '99 %', 'all', 'peak while down', 'peak after', 'dials each', 'dropped'],
      rows(togetherRow),
    ),
    table(
      '**5,000 clients**, other outages:',
      ['Policy', 'cable, 10 s: 99 %', 'peak', 'process, 30 s: 99 %', 'peak', 'restart, 0.2 s: 99 %', 'peak'],
      rows(othersRow),
    ),
  ].join('\n\n');
}

/** Ours, with one number changed at a time. */
export const around: readonly Policy[] = [
  shaped(50, 100, 1.5, 10_000),
  shaped(20, 100, 1.5, 10_000),
  shaped(100, 100, 1.5, 10_000),
  shaped(50, 50, 1.5, 10_000),
  shaped(50, 200, 1.5, 10_000),
  shaped(50, 100, 1.3, 10_000),
  shaped(50, 100, 1.4, 10_000),
  shaped(50, 100, 2, 10_000),
  shaped(50, 100, 1.5, 5000),
  shaped(50, 100, 1.5, 20_000),
];
