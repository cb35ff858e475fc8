/** What was measured in outages, for docs/reconnecting.md: `npm run faults` makes it anew. */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Figure {
  readonly outage: string;
  /** Milliseconds that it lasted. */
  readonly lasts: number;
  /** The reason with which the line was lost. */
  readonly code: string;
  /** Milliseconds from its begin until the client knew. */
  readonly noticedMs: number;
  /** Milliseconds from its end until a line was live again. */
  readonly healedMs: number;
  /** Dials that failed meanwhile. */
  readonly attempts: number;
}

/** How often each outage is had; only then the figures are written down. */
export const runs = Number(process.env.NINJA_FAULTS ?? 1);
export const figures: Figure[] = [];

const page = new URL('../../docs/reconnecting.md', import.meta.url);
const MARKED = /(<!-- measured: outages -->\n)[\s\S]*?(<!-- \/measured -->)/;

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)}`;

/** `3021 (3004 … 3050)`: the median and the extremes. */
function spread(values: readonly number[]): string {
  const all = sorted(values.map((value) => Math.max(0, value)));
  const [least = 0] = all;
  return `${ms(all[all.length >> 1] as number)} (${ms(least)} … ${ms(all.at(-1) as number)})`;
}

function row(outage: string): string {
  const own = figures.filter((figure) => figure.outage === outage);
  const [{ lasts }] = own as [Figure];
  const codes = [...new Set(own.map(({ code }) => `\`${code}\``))].sort().join(', ');
  const noticed = spread(own.map(({ noticedMs }) => noticedMs));
  const healed = spread(own.map(({ healedMs }) => healedMs));
  const attempts = sorted(own.map((figure) => figure.attempts))[own.length >> 1];
  return `| ${outage} | ${lasts || 'at once over'} | ${codes} | ${noticed} | ${attempts} | ${healed} |`;
}

/** Writes the table, in the order of `names`. */
export function writeFigures(names: readonly string[]): void {
  const had = names.filter((name) => figures.some(({ outage }) => outage === name));
  const table = [
    '| Outage | Lasts, ms | Reason | Noticed after, ms | Attempts that failed | Live again after its end, ms |',
    '| --- | --- | --- | --- | --- | --- |',
    ...had.map(row),
    '',
    `Medians of ${runs} runs, with the extremes; Node ${process.versions.node}, ${cpus().length} cores.`,
  ].join('\n');
  const before = readFileSync(page, 'utf8');
  if (!MARKED.test(before)) throw new Error('docs/reconnecting.md has no <!-- measured: outages -->');
  writeFileSync(
    page,
    before.replace(MARKED, (_, open: string, close: string) => `${open}\n${table}\n\n${close}`),
  );
}
