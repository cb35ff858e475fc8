// What a server holds and drops under attack: the table of docs/limits.md.
//   npm run attack                attacks, and prints it
//   npm run attack -- --write     writes it into the page, between its marks
//   npm run attack -- --last      without attacking: what the tests measured last
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, last: { type: 'boolean', default: false } },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = `${root}docs/limits.md`;

if (!values.last) {
  const args = ['run', '--config', '.config/vitest.config.ts', 'test/real/attack.test.ts'];
  const { status } = spawnSync(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

const { at, machine, figures } = JSON.parse(readFileSync(`${root}node_modules/.cache/ninja-tcp/attack.json`, 'utf8'));
const rows = figures.map(({ attack, bound, grewMiB, slowestMs, became }) => [
  attack,
  bound,
  `${Math.round(grewMiB)} MiB`,
  `${Math.ceil(slowestMs)} ms`,
  became,
]);
const head = ['Attack', 'Bound', 'Memory grew by', 'Slowest answer', 'What became of it'];
const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const text = `Measured on ${at}: ${machine}.\n\n${table}`;
console.log(text);
if (values.write) {
  const before = readFileSync(page, 'utf8');
  const marked = /(<!-- measured: attack -->\n)[\s\S]*?(<!-- \/measured -->)/;
  if (!marked.test(before)) throw new Error('docs/limits.md has no `<!-- measured: attack -->`');
  writeFileSync(
    page,
    before.replace(marked, (_, open, close) => `${open}\n${text}\n\n${close}`),
  );
}
