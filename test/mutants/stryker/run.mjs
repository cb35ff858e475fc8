// Stryker over what is pure, and over the statecharts: every small change that it can think of, in a copy of the project.
// `npm run stryker` · `-- --only TEXT` for files whose path has it · `-- --again` for what changed since · `-- --jobs N`
// Its packages are many, so they are installed only here, on first use, under node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const BREAK = 90;
const PARTS = ['src', 'machines', 'test', '.config', 'package.json', 'tsconfig.json'];

/**
 * A chart is one large literal, evaluated when its module is loaded: such mutants are `static`, and each needs all the
 * tests of its run, from a fresh start. So the charts have a run of their own, with their own tests and no others.
 */
const RUNS = [
  {
    name: 'charts',
    files: ['machines'],
    tests: ['test/machines'],
  },
  {
    name: 'parts',
    files: ['src/framing', 'src/delivery', 'src/protocol', 'src/backoff.ts'],
    tests: ['test/framing', 'test/delivery', 'test/protocol', 'test/connection/parts.test.ts'],
  },
];
/** Thousands of cuttings: they would find most, after minutes each. The tests with literal bytes have to do. */
const TOO_LONG = /property/;
/** Most mutants fall to a quick test: what takes long comes last. */
const SLOW = /linear|walk|fifo/;
/** Material of tests, and a file that only hands on. */
const LEFT_OUT = ['machines/connection.model.ts', 'machines/index.ts'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    again: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('../../..', import.meta.url));
const home = join(root, 'node_modules/.cache/stryker');
const own = (name) => fileURLToPath(new URL(name, import.meta.url));

const folderOf = (file) => (/^(machines|src\/[^/]+)\//.exec(file) ?? ['', file])[1];
const isKilled = ({ status }) => status === 'Killed' || status === 'Timeout';
const isAlive = ({ status }) => status === 'Survived' || status === 'NoCoverage';

async function install() {
  const lock = await readFile(own('package-lock.json'), 'utf8');
  const installed = await readFile(join(home, 'package-lock.json'), 'utf8').catch(() => '');
  if (lock === installed) return;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await cp(own('package.json'), join(home, 'package.json'));
  await cp(own('package-lock.json'), join(home, 'package-lock.json'));
  // Vitest, its peer, is that of the project: found from there, upwards.
  const args = ['ci', '--prefix', home, '--legacy-peer-deps', '--ignore-scripts', '--no-fund', '--no-audit'];
  const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    await rm(home, { recursive: true, force: true });
    throw new Error('Stryker could not be installed');
  }
}

async function makeCopy() {
  const copy = await mkdtemp(join(tmpdir(), 'ninja-stryker-'));
  for (const part of PARTS) await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Files as they are, and those of folders. */
async function filesOf(places) {
  const inside = async (place) =>
    place.endsWith('.ts') ? [place] : (await readdir(join(root, place))).map((name) => `${place}/${name}`);
  return (await Promise.all(places.map(inside))).flat();
}

async function testsOf(places) {
  const tests = (await filesOf(places)).filter((file) => file.endsWith('.test.ts') && !TOO_LONG.test(file));
  return [...tests.filter((file) => !SLOW.test(file)), ...tests.filter((file) => SLOW.test(file))];
}

/** With --again what was killed stays so while the test that killed it is as it was. All others are tried anew. */
async function forgetSurvivors(incrementalFile) {
  const report = await readFile(incrementalFile, 'utf8').then(JSON.parse, () => undefined);
  if (!report) return;
  for (const file of Object.values(report.files)) file.mutants = file.mutants.filter(isKilled);
  await writeFile(incrementalFile, JSON.stringify(report));
}

/** Gives every mutant of a run, with its file and its verdict. */
async function mutate({ name, files, tests }) {
  const chosen = (await filesOf(files)).filter((file) => !LEFT_OUT.includes(file) && file.includes(values.only));
  if (chosen.length === 0) return [];
  const incrementalFile = join(home, `reports/${name}.incremental.json`);
  await forgetSurvivors(incrementalFile);
  const copy = await makeCopy();
  process.chdir(copy);
  process.env.NINJA_STRYKER_TESTS = (await testsOf(tests)).join(' ');
  try {
    const { Stryker } = await import(
      pathToFileURL(join(home, 'node_modules/@stryker-mutator/core/dist/src/index.js')).href
    );
    const results = await new Stryker({
      mutate: chosen,
      testRunner: 'vitest',
      plugins: ['@stryker-mutator/vitest-runner', own('prose.mjs')],
      ignorers: ['prose'],
      vitest: { configFile: 'test/mutants/stryker/vitest.config.mjs', related: false },
      coverageAnalysis: 'perTest',
      inPlace: true,
      concurrency: Number(values.jobs),
      timeoutMS: 10_000,
      incremental: true,
      incrementalFile,
      force: !values.again,
      reporters: ['progress-append-only', 'html', 'json'],
      htmlReporter: { fileName: join(home, `reports/${name}.html`) },
      jsonReporter: { fileName: join(home, `reports/${name}.json`) },
      allowConsoleColors: false,
      warnings: { slow: false },
    }).runMutationTest();
    return results.map((mutant) => ({ ...mutant, file: relative(copy, mutant.fileName) }));
  } finally {
    process.chdir(root);
    await rm(copy, { recursive: true, force: true });
  }
}

function scoreOf(mutants) {
  const killed = mutants.filter(isKilled).length;
  const alive = mutants.filter(isAlive).length;
  const ignored = mutants.filter(({ status }) => status === 'Ignored').length;
  const broken = mutants.length - killed - alive - ignored;
  return { killed, alive, ignored, broken, score: (100 * killed) / Math.max(1, killed + alive) };
}

async function tellSurvivors(mutants) {
  const lines = [];
  for (const { file, location, replacement, mutatorName, status } of mutants.filter(isAlive)) {
    const source = (await readFile(join(root, file), 'utf8')).split('\n');
    const { start, end } = location;
    const first = source[start.line - 1] ?? '';
    const last = start.line === end.line ? end.column - 1 : first.length;
    const [was, is] = [first.slice(start.column - 1, last), replacement?.split('\n')[0]];
    lines.push(`${file}:${start.line}:${start.column} ${status} ${mutatorName}: ${was} → ${is}`);
  }
  await writeFile(join(home, 'reports/survivors.txt'), lines.sort().join('\n'));
  for (const line of lines) console.log(line);
}

await install();
const started = performance.now();
const all = [];
for (const run of RUNS) {
  all.push(...(await mutate(run)));
}
await tellSurvivors(all);
const folders = [...new Set(all.map(({ file }) => folderOf(file)))];
const rows = folders.map((folder) => [folder, all.filter(({ file }) => folderOf(file) === folder)]);
for (const [folder, mutants] of [...rows, ['all', all]]) {
  const { killed, alive, ignored, broken, score } = scoreOf(mutants);
  console.log(
    `${folder.padEnd(16)} ${score.toFixed(1)} %  ${killed} killed, ${alive} alive, ${ignored} ignored, ${broken} without a verdict`,
  );
}
console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
process.exitCode = scoreOf(all).score >= BREAK ? 0 : 1;
