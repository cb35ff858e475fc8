// Which backoff heals one client fast and many without a stampede: the tables of docs/reconnecting.md.
//   npm run storm                     prints them
//   npm run storm -- --write          writes them into the page, between its marks
//   npm run storm -- --seed 7         with other chance
//   npm run storm -- --around         the default, with one number changed at a time
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    around: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const bundle = `${root}node_modules/.cache/ninja-tcp/storm-${process.pid}.mjs`;
const page = `${root}docs/reconnecting.md`;

const { status, stderr } = spawnSync(
  `${root}node_modules/.bin/esbuild`,
  [
    fileURLToPath(import.meta.resolve('./report.ts')),
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--target=node20',
    '--log-level=warning',
    `--outfile=${bundle}`,
  ],
  { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
);
if (status !== 0) throw new Error(`esbuild failed:\n${stderr}`);
let report;
try {
  report = await import(pathToFileURL(bundle).href);
} finally {
  rmSync(bundle, { force: true });
}

const text = report.tradeOff(
  values.around ? report.around : undefined,
  values.seed === undefined ? undefined : Number(values.seed),
);
console.log(text);
if (values.write) {
  if (values.around || values.seed !== undefined) throw new Error('the page shows the candidates, with their own seed');
  const before = readFileSync(page, 'utf8');
  const marked = /(<!-- measured: storm -->\n)[\s\S]*?(<!-- \/measured -->)/;
  if (!marked.test(before)) throw new Error('docs/reconnecting.md has no `<!-- measured: storm -->`');
  writeFileSync(
    page,
    before.replace(marked, (_, open, close) => `${open}\n${text}\n\n${close}`),
  );
}
