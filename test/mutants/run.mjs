// Plants each bug of list.mjs in a copy of the project, one at a time, and runs the test that must catch it.
// `npm run mutants` · `-- --only TEXT` for those whose name has it, `--in TEXT` whose file's · `-- --discover` shows who
// catches each
// `npm run mutants -- --simulation` plants those that the simulation of sessions must catch, and says in which seed it does
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutants, simulated } from './list.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    in: { type: 'string', default: '' },
    discover: { type: 'boolean' },
    simulation: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '40' },
    jobs: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
/** For one file of tests, ms. */
const PATIENCE = 600_000;
const PARTS = ['src', 'machines', 'test', 'dist', '.config', 'package.json', 'tsconfig.json'];

async function makeCopy() {
  const copy = await mkdtemp(join(tmpdir(), 'ninja-mutant-'));
  for (const part of PARTS) await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Titles that have these words, whatever stands in them. */
const exactly = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Runs the tests of one file; gives the titles of those that failed, or undefined if none could be run. */
async function failuresOf(copy, file, title) {
  const report = join(copy, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const named = values.discover ? [] : ['--testNamePattern', exactly(title)];
  const args = [vitest, 'run', '--config', '.config/vitest.config.ts', file, ...named];
  const env = { ...process.env, NINJA_REPORT: report };
  const child = spawn(process.execPath, args, { cwd: copy, env, stdio: 'ignore', timeout: PATIENCE });
  await new Promise((resolve) => child.once('exit', resolve));
  try {
    const { testResults } = JSON.parse(await readFile(report, 'utf8'));
    await rm(report);
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const ran = tests.filter(({ status }) => status === 'failed' || status === 'passed');
    // A file that could not be loaded has none either.
    return ran.length === 0
      ? undefined
      : ran.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  } catch {
    return undefined;
  }
}

/** Runs seeds of the simulation of sessions until one fails; gives that one. */
async function failedSeed(copy) {
  const args = { root: copy, seeds: values.seeds, failures: '1', jobs: '1', twice: '0', patience: '600' };
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]);
  const script = join(copy, 'test/simulation/run.mjs');
  const child = spawn(process.execPath, [script, '--json', '--sessions', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(stdout).failed[0];
}

/** Gives a sentence where the simulation does not see it, or sees something else. */
async function simulate(copy, name, words) {
  const failed = await failedSeed(copy);
  if (!failed) return `${name}: LIVES, ${values.seeds} seeds pass`;
  const [problem] = failed.problems;
  if (values.discover) console.log(`${name}\n    seed ${failed.seed}: ${problem}`);
  return problem.includes(words) ? undefined : `${name}: in seed ${failed.seed} it is «${problem}», not «${words}»`;
}

/** Gives a sentence where the bug lives on. */
async function live(copy, [name, file, before, after, catcher, title]) {
  const path = join(copy, file);
  const source = await readFile(path, 'utf8');
  if (source.split(before).length !== 2) return `${name}: its text must stand exactly once in ${file}`;
  await writeFile(
    path,
    source.replace(before, () => after),
  );
  try {
    if (values.simulation) return await simulate(copy, name, catcher);
    const failures = await failuresOf(copy, catcher, title);
    if (failures === undefined) return `${name}: ${catcher} could not be run`;
    if (values.discover) console.log(`${name}\n    ${failures.slice(0, 4).join('\n    ')}`);
    if (failures.length === 0) return `${name}: LIVES, ${catcher} passes`;
    if (!failures.some((failure) => failure.includes(title))) return `${name}: not caught by «${title}» of ${catcher}`;
    return undefined;
  } finally {
    await writeFile(path, source);
  }
}

const chosen = (values.simulation ? simulated : mutants).filter(
  ([name, file]) => name.includes(values.only) && file.includes(values.in),
);
const queue = [...chosen];
const problems = [];
await Promise.all(
  Array.from({ length: Number(values.jobs ?? 2) }, async () => {
    const copy = await makeCopy();
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const problem = await live(copy, mutant);
      if (problem) problems.push(problem);
      if (!values.discover) console.log(problem ? `LIVES   ${problem}` : `killed  ${mutant[0]}`);
    }
    await rm(copy, { recursive: true });
  }),
);
console.log(`${chosen.length} mutants, ${chosen.length - problems.length} killed`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
