// Runs the fuzz suite in processes of their own, with xstate as users have it in production.
//   npm run fuzz                                       200,000 cases
//   npm run fuzz -- --seconds 600 --seed 7             ten minutes, from another seed
//   npm run fuzz -- --only decoder --seed 12 --path 3:1:0   one case again, as a failure names it
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '200000' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    jobs: { type: 'string', default: '2' },
    only: { type: 'string' },
    path: { type: 'string' },
    /** The folder of the library, for a copy that was changed on purpose. */
    root: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const own = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const root = values.root ?? own;
const inRoot = (url) => fileURLToPath(url).replace(own, root);
const bundle = `${root}/node_modules/.cache/ninja-tcp/fuzz-${process.pid}.mjs`;
/** A batch that takes longer than this in real time hangs. */
const HANGS = 90_000;
/** So many failures end the run. */
const ENOUGH = 5;

function build() {
  const { status, stderr } = spawnSync(
    `${own}/node_modules/.bin/esbuild`,
    [
      inRoot(import.meta.resolve('./child.ts')),
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node20',
      '--conditions=production',
      '--define:process.env.NODE_ENV="production"',
      `--alias:node:timers=${inRoot(import.meta.resolve('../simulation/turns.ts'))}`,
      '--sourcemap=inline',
      '--log-level=warning',
      `--outfile=${bundle}`,
    ],
    { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) throw new Error(`esbuild failed:\n${stderr}`);
}

const jobs = values.path === undefined ? Math.max(1, Number(values.jobs)) : 1;
const sum = { seed: Number(values.seed), cases: 0, targets: {}, met: {}, failed: [] };
const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;
const children = new Set();

function fail(target, seed, path, problems) {
  const replay = `npm run fuzz -- --only '${target}' --seed ${seed}${path ? ` --path ${path}` : ''}`;
  sum.failed.push({ target, seed, problems, replay });
  if (!values.json) console.log(`\n${target} FAILED\n${problems.join('\n')}\nreplay: ${replay}\n`);
  if (sum.failed.length >= ENOUGH) for (const child of children) child.kill('SIGKILL');
}

function take({ target, seed, cases, path, problems, met }) {
  for (const [what, times] of Object.entries(met ?? {})) sum.met[what] = (sum.met[what] ?? 0) + times;
  if (target === undefined) return;
  sum.cases += cases;
  sum.targets[target] = (sum.targets[target] ?? 0) + cases;
  if (problems.length > 0) fail(target, seed, path, problems);
}

/** One process. Resolves when it has ended. */
function work(job) {
  const { cases, seconds: limit, seed, only, path } = values;
  const given = Object.entries({ cases, seconds: limit, seed, only, path, job: String(job), jobs: String(jobs) });
  const args = given.filter(([, value]) => value !== undefined).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, ['--enable-source-maps', bundle, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  children.add(child);
  let running = { begins: 'the start', seed: 0 };
  let stderr = '';
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), HANGS);
  };
  watch();
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    watch();
    const line = JSON.parse(text);
    if (line.begins) running = line;
    else take(line);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      if (code !== 0 && sum.failed.length < ENOUGH) {
        const why = signal ? `no answer within ${HANGS} ms` : `exit code ${code}`;
        fail(running.begins, running.seed, undefined, [`the process died: ${why}\n${stderr}`]);
      }
      resolve();
    });
  });
}

process.on('exit', () => rmSync(bundle, { force: true }));
build();
await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
const summary = { ...sum, seconds: seconds() };
if (values.json) {
  process.stdout.write(`${JSON.stringify(summary)}\n`);
} else {
  const words = (counts) => Object.entries(counts).map(([name, count]) => `${name} ${count.toLocaleString('en-GB')}`);
  console.log(
    `${sum.cases.toLocaleString('en-GB')} cases, seed ${sum.seed}, ${sum.failed.length} failed, in ${summary.seconds.toFixed(1)} s`,
  );
  console.log(`${words(sum.targets).join(', ')}\nmet: ${words(sum.met).sort().join(', ')}`);
}
process.exitCode = sum.failed.length > 0 || sum.cases === 0 ? 1 : 0;
