// The packed package, installed into an empty folder as its users do it, on every runtime.
//   npm run runtimes                   on all of them
//   npm run runtimes -- node@26 bun    on these
//   npm run runtimes -- --write        on all of them, and writes the table of README.md
// What this does not run on itself comes through npx; what cannot be had is skipped by name. Exits 1 where a check failed
// on Node, or elsewhere and README.md does not say so.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Home } from './home.mjs';
import { root } from './processes.mjs';
import { all, find } from './runtimes.mjs';
import { bare, cellOf, marked, tableOf, vitestReport } from './table.mjs';
import { commandLine, packed, program } from './trial.mjs';

const { values, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
if (values.write && positionals.length > 0) throw new Error('the table of README.md is that of all runtimes');
const page = join(root, 'README.md');
const readme = readFileSync(page, 'utf8');
const groups = [];
let untold = 0;

async function trial(title, isOwn, work) {
  const start = performance.now();
  const rows = await work();
  const cell = isOwn ? '' : cellOf(readme, title.split(' ')[0]);
  console.log(`${title}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  for (const row of rows) {
    row.isTold = row.failure !== null && cell.includes(bare(row.name));
    if (row.failure !== null && !row.isTold) untold += 1;
    const mark = row.failure === null ? 'ok   ' : 'FAIL ';
    console.log(`  ${mark} ${row.name}${row.isTold ? ' (as README.md says)' : ''}`);
    if (row.failure !== null) console.log(row.failure.replace(/^/gm, '        '));
  }
  groups.push({ title, rows });
}

const home = new Home();
process.on('exit', () => home.remove());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

await home.install();
await trial(`the tarball, with ${home.dependency}`, true, () => packed(home));
for (const spec of positionals.length > 0 ? positionals : all) {
  const runtime = await find(spec, home.folder);
  if (runtime.missing) {
    console.log(`${spec}: skipped, since it cannot be had: ${runtime.missing}`);
    groups.push({ title: `${spec}, which cannot be had`, rows: [] });
    continue;
  }
  await trial(`${runtime.title} ${runtime.version}`, runtime.kind === 'node', async () => [
    ...(await program(home, runtime, 'smoke.mjs', 'by import')),
    ...(await program(home, runtime, 'smoke.cjs', 'by require')),
    ...(await commandLine(home, runtime)),
  ]);
}

// For .config/report.mjs, in the shape of the report of the tests.
const cache = join(root, 'node_modules/.cache/ninja-tcp');
mkdirSync(cache, { recursive: true });
writeFileSync(join(cache, 'runtimes.json'), JSON.stringify(vitestReport(groups)));
if (values.write) writeFileSync(page, marked(readme, tableOf(groups)));

const rows = groups.flatMap((group) => group.rows);
const failed = rows.filter(({ failure }) => failure !== null).length;
const skipped = groups.filter((group) => group.rows.length === 0).length;
console.log(`${rows.length - failed} checks hold, ${failed} do not, ${skipped} runtimes skipped`);
process.exit(untold > 0 ? 1 : 0);
