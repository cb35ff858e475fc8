// Makes a bare clone ready: `npm ci` when node_modules is missing or older than the lock file, and
//   --build   the JavaScript of dist when it is missing or older than what it is made from (no types: fast)
//   --full    all of dist, with types, whatever its age
// Uses Node and npm alone, since nothing else is installed yet.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const changedAt = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const newest = (path) => {
  const own = changedAt(path);
  if (!existsSync(join(root, path)) || !statSync(join(root, path)).isDirectory()) return own;
  // The time of a folder counts as well: it tells of deleted files.
  return Math.max(own, ...readdirSync(join(root, path)).map((name) => newest(`${path}/${name}`)));
};

const fail = (what, result) => {
  process.stdout.write(`${result.stdout ?? ''}`);
  process.stderr.write(`${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`);
  console.error(`setup: ${what} failed`);
  process.exit(result.status || 1);
};

const run = (what, command, args, env = {}) => {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.status !== 0) fail(what, result);
};

const seconds = async (work) => {
  const start = performance.now();
  await work();
  return ((performance.now() - start) / 1000).toFixed(1);
};

/** npm insists on a cache that it can write: where the home has none (`nobody`, a sandbox) it gets one for a while. */
const withCache = (work) => {
  const usual = process.env.npm_config_cache || join(homedir(), '.npm');
  try {
    mkdirSync(usual, { recursive: true });
    accessSync(usual, constants.W_OK);
    return work({});
  } catch {
    const cache = mkdtempSync(join(tmpdir(), 'ninja-tcp-npm-'));
    process.on('exit', () => rmSync(cache, { recursive: true, force: true }));
    return work({ npm_config_cache: cache });
  }
};

const install = (env) => {
  const npm = process.env.npm_execpath;
  // The tools are devDependencies: --include=dev keeps them under NODE_ENV=production.
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit'];
  if (npm?.endsWith('.js')) run('npm ci', process.execPath, [npm, ...args], env);
  else run('npm ci', 'npm', args, env);
};

const build = (kind) => {
  const start = Date.now();
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
  run('build', process.execPath, [tsup, '--config', '.config/tsup.config.ts'], { NINJA_BUILD: kind });
  // What this build did not write is left over from an earlier one. (Times of files lag a little behind the clock.)
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(path).mtimeMs < start - 50) rmSync(path);
  }
};

const installed = changedAt('node_modules/.package-lock.json');
const done = [];

if (installed === 0 || installed < changedAt('package-lock.json')) {
  done.push(`installed in ${await seconds(() => withCache(install))} s`);
}

if (process.argv.includes('--full')) {
  done.push(`built in ${await seconds(() => build('full'))} s`);
} else if (process.argv.includes('--build')) {
  const outputs = ['dist/index.js', 'dist/index.cjs', 'dist/cli/main.js', 'dist/inspector/page.js'].map(changedAt);
  const inputs = ['src', 'machines', '.config/tsup.config.ts', 'package.json', 'tsconfig.json'].map(newest);
  if (Math.min(...outputs) < Math.max(...inputs)) done.push(`built in ${await seconds(() => build('js'))} s`);
}

console.log(`setup: ${done.join(', ') || 'nothing to do'}`);
