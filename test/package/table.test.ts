import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: plain modules, since the runner is one
import { all } from './runtimes.mjs';
// @ts-expect-error: as above
import { cellOf, marked, runtimesOf, tableOf, vitestReport } from './table.mjs';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const holds = { name: 'it heals', failure: null };
const breaks = { name: 'by import: a reset line is told as such', failure: 'not told' };
const breaksToo = { ...breaks, name: 'by require: a reset line is told as such' };
const tarball = { title: 'the tarball', rows: [holds] };

describe('the runtimes of README.md', () => {
  const readme = read('README.md');

  test('are those that `npm run runtimes` tries', () => {
    const names = (all as string[]).map((spec) => spec.replace('@', ' '));
    const told = (runtimesOf(readme) as string[]).map((name) => name.toLowerCase());
    expect(told).toHaveLength(names.length);
    for (const [place, name] of names.entries()) expect(told[place]).toMatch(new RegExp(`^${name}\\b`));
  });

  test('the oldest and the newest Node are tried in each landing run, the oldest is that of package.json', () => {
    const nodes = (all as string[]).filter((spec) => spec.startsWith('node@'));
    expect(read('.ci/run')).toContain(`npm run --silent runtimes -- ${nodes[0]} ${nodes.at(-1)}\n`);
    expect(JSON.parse(read('package.json')).engines.node).toMatch(new RegExp(`^>=${nodes[0]?.slice(5)}\\.`));
  });
});

describe('the table', () => {
  const page = 'before\n<!-- measured: runtimes -->\n\nold\n\n<!-- /measured -->\nafter\n';
  const groups = [
    tarball,
    { title: 'Node 20.1.2', rows: [holds] },
    { title: 'Bun 1.4.5', rows: [breaks, holds, breaksToo] },
  ];

  test('names what does not hold, once, and is read again', () => {
    const text = marked(page, tableOf(groups)) as string;
    expect(text).toBe(`before
<!-- measured: runtimes -->

| Runtime | Tried with | What does not hold there |
| --- | --- | --- |
| Node 20 | 20.1.2 | nothing found |
| Bun 1 | 1.4.5 | a reset line is told as such |

<!-- /measured -->
after
`);
    expect(runtimesOf(text)).toEqual(['Node 20', 'Bun 1']);
    expect(cellOf(text, 'Bun')).toBe('a reset line is told as such');
    expect(cellOf(text, 'Deno')).toBe('');
  });

  test.each([
    ['the tarball is not right', [{ ...tarball, rows: [breaks] }]],
    ['a check fails on Node', [tarball, { title: 'Node 20.1.2', rows: [holds, breaks] }]],
    ['a runtime could not be had', [tarball, { title: 'deno, which cannot be had', rows: [] }]],
  ])('is not made where %s', (_why, measured) => {
    expect(() => tableOf(measured)).toThrow();
  });

  test('is not written into a page without its marks', () => {
    expect(() => marked('a page', tableOf(groups))).toThrow('measured: runtimes');
  });
});

test('the report counts what README.md tells, and a runtime that cannot be had, as skipped', () => {
  const groups = [
    { title: 'Node 26.1.0', rows: [holds, breaks] },
    { title: 'Bun 1.4.5', rows: [{ ...breaks, isTold: true }] },
    { title: 'deno, which cannot be had', rows: [] },
  ];
  const { testResults } = vitestReport(groups) as { testResults: { assertionResults: { status: string }[] }[] };
  const statuses = testResults.map(({ assertionResults }) => assertionResults.map(({ status }) => status));
  expect(statuses).toEqual([['passed', 'failed'], ['skipped'], ['skipped']]);
});
