// Runs seeds of the simulation in processes of their own, with xstate as users have it in production.
//   npm run simulate -- --seeds 1000 --from 1 --jobs 2       many
//   npm run simulate -- --seed 1234 --trace                  one, with all that happened
//   npm run simulate -- --sessions --seeds 1000              the same with sessions on: sessions/world.ts
//   npm run simulate -- --bulk --messages 1e8                sessions, with many more messages: sessions/bulk.ts
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
    /** So many are run, however long it takes. */
    least: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    twice: { type: 'string', default: '50' },
    trace: { type: 'boolean', default: false },
    /** The world of sessions. */
    sessions: { type: 'boolean', default: false },
    /** The same with many more messages; and when so many arrived, no seed is begun any more. */
    bulk: { type: 'boolean', default: false },
    messages: { type: 'string', default: 'Infinity' },
    /** Says every so many seconds how far it is. */
    report: { type: 'string', default: '0' },
    /** Seconds for one seed, at most: more where the machine is busy. */
    patience: { type: 'string' },
    /** So many failing seeds end the run. */
    failures: { type: 'string', default: '5' },
    /** The folder of the library, for a copy that was changed on purpose. */
    root: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const own = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const root = values.root ?? own;
const inRoot = (url) => fileURLToPath(url).replace(own, root);
const entry = inRoot(import.meta.resolve('./child.ts'));
const turns = inRoot(import.meta.resolve('./turns.ts'));
const bundle = `${root}/node_modules/.cache/ninja-tcp/simulation-${process.pid}.mjs`;
/** A seed that takes longer than this in real time goes round in circles, ms. */
const HANGS = 1000 * Number(values.patience ?? (values.bulk ? 600 : 60));
const mode = values.bulk ? ['--bulk'] : values.sessions ? ['--sessions'] : [];

function build() {
  const { status, stderr } = spawnSync(
    `${own}/node_modules/.bin/esbuild`,
    [
      entry,
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node20',
      '--conditions=production',
      '--define:process.env.NODE_ENV="production"',
      `--alias:node:timers=${turns}`,
      '--sourcemap=inline',
      '--log-level=warning',
      `--outfile=${bundle}`,
    ],
    { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) throw new Error(`esbuild failed:\n${stderr}`);
}

const total = values.seed !== undefined ? 1 : Number(values.messages) < Infinity ? 1e9 : Number(values.seeds);
const first = Number(values.seed ?? values.from);
const jobs = Math.max(1, Math.min(2, Number(values.jobs), total));
const sum = { seeds: 0, twice: 0, virtualMs: 0, shortestMs: Number.POSITIVE_INFINITY, counts: {}, failed: [] };
const begun = performance.now();
const tty = process.stderr.isTTY === true && !values.json;

const seconds = () => (performance.now() - begun) / 1000;
const rate = () => ({
  seedsPerSecond: sum.seeds / seconds(),
  virtualHoursPerSecond: sum.virtualMs / 3_600_000 / seconds(),
});

function showProgress() {
  if (!tty) return;
  const byTime = Number.isFinite(Number(values.seconds)) ? seconds() / Number(values.seconds) : 0;
  const part = Math.min(1, Math.max(sum.seeds / total, byTime));
  const bar = '█'.repeat(Math.round(part * 30)).padEnd(30, '░');
  const { seedsPerSecond, virtualHoursPerSecond } = rate();
  process.stderr.write(
    `\r${bar} ${sum.seeds} seeds, ${seedsPerSecond.toFixed(1)}/s, ${virtualHoursPerSecond.toFixed(2)} virtual h/s, ${sum.failed.length} failed `,
  );
}

function report() {
  const { seeds, counts, failed } = sum;
  const { arrived = 0, breaks = 0 } = counts;
  process.stdout.write(
    `${seconds().toFixed(0)} s: ${seeds} seeds, ${arrived} messages arrived, ${breaks} breaks, ${failed.length} failed\n`,
  );
}

function replayOf(seed) {
  return ['npm run simulate --', ...mode, `--seed ${seed} --trace`].join(' ');
}

function take(line) {
  sum.seeds += 1;
  sum.virtualMs += line.virtualMs;
  sum.shortestMs = Math.min(sum.shortestMs, line.virtualMs);
  if (line.twice) sum.twice += 1;
  for (const [name, value] of Object.entries(line.counts)) sum.counts[name] = (sum.counts[name] ?? 0) + value;
  if (line.problems.length > 0) sum.failed.push({ ...line, replay: replayOf(line.seed) });
  if (values.json) return;
  if (values.trace) process.stdout.write(`${line.trace.join('\n')}\n`);
  if (line.problems.length > 0) {
    const tail = values.trace ? '' : `${line.trace.map((one) => `  ${one}`).join('\n')}\n`;
    process.stdout.write(
      `\nseed ${line.seed} FAILED\n${tail}  ${line.problems.join('\n  ')}\nreplay: ${replayOf(line.seed)}\n`,
    );
  }
}

/** Enough failed, or arrived. */
function isEnough() {
  return sum.failed.length >= Number(values.failures) || (sum.counts.arrived ?? 0) >= Number(values.messages);
}

/** One process: every so manieth seed. Resolves when it has ended. */
function work(job) {
  const count = Math.ceil((total - job) / jobs);
  const { seconds: limit, twice } = values;
  const least = Math.ceil(Number(values.least) / jobs);
  const options = { from: first + job, step: jobs, seeds: count, seconds: limit, least, twice };
  const flags = values.trace ? [...mode, '--trace'] : mode;
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, ['--enable-source-maps', bundle, ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let next = first + job;
  let stderr = '';
  let stopped = false;
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
    take(JSON.parse(text));
    next += jobs;
    showProgress();
    if (stopped || !isEnough()) return;
    stopped = true;
    child.kill('SIGKILL');
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && !stopped) {
        const why = signal ? `no answer within ${HANGS} ms` : `exit code ${code}`;
        take({ seed: next, virtualMs: 0, counts: {}, trace: [], problems: [`the process died: ${why}\n${stderr}`] });
      }
      resolve();
    });
  });
}

process.on('exit', () => rmSync(bundle, { force: true }));
build();
const reports = Number(values.report) > 0 && setInterval(report, 1000 * Number(values.report));
await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
clearInterval(reports);
if (tty) process.stderr.write('\n');
const summary = { ...sum, seconds: seconds(), ...rate() };
if (values.json) {
  process.stdout.write(`${JSON.stringify(summary)}\n`);
} else {
  const facts = Object.entries(sum.counts).map(([name, value]) => `${name} ${value.toLocaleString('en-GB')}`);
  process.stdout.write(
    `${sum.seeds} seeds (${sum.twice} of them twice), ${sum.failed.length} failed, in ${summary.seconds.toFixed(1)} s: ` +
      `${summary.seedsPerSecond.toFixed(1)} seeds/s, ${summary.virtualHoursPerSecond.toFixed(2)} virtual hours per second\n` +
      `${facts.join(', ')}\n`,
  );
  if (sum.failed.length > 0) process.stdout.write(`failed: ${sum.failed.map(({ seed }) => seed).join(' ')}\n`);
}
process.exitCode = sum.failed.length > 0 || sum.seeds === 0 ? 1 : 0;
