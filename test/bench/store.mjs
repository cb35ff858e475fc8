// Where the results go: docs/benchmarks and docs/performance.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, loadavg, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { page } from './report.mjs';
import { plot } from './svg.mjs';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const FILE = `${docs}/benchmarks/bench.json`;
const PAGE = `${docs}/performance.md`;
const MARKED = /(<!-- measured: bench -->\n)[\s\S]*?(<!-- \/measured -->)/;

/** What the figures were measured on. Ask before the benchmark makes load of its own. */
export const machine = () => ({
  cpus: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  system: `${platform()} ${arch()}`,
  node: process.versions.node,
  date: new Date().toISOString().slice(0, 10),
  load: loadavg()[0] ?? 0,
});

/** What was measured last, or nothing. */
export async function stored() {
  return readFile(FILE, 'utf8').then(JSON.parse, () => ({ rows: [], plots: [], reconnects: undefined }));
}

export async function store(result) {
  await mkdir(`${docs}/benchmarks`, { recursive: true });
  await writeFile(FILE, `${JSON.stringify(result, undefined, 2)}\n`);
  for (const one of result.plots) await writeFile(`${docs}/benchmarks/${one.id}.svg`, plot(one));
  const before = await readFile(PAGE, 'utf8');
  if (!MARKED.test(before)) throw new Error('docs/performance.md has no `<!-- measured: bench -->`');
  await writeFile(
    PAGE,
    before.replace(MARKED, (_, open, close) => `${open}\n${page(result)}\n\n${close}`),
  );
}
