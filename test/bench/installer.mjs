// The peers have a package.json of their own, and are installed on first use, under node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = join(root, 'node_modules/.cache/ninja-bench');
const own = (name) => fileURLToPath(new URL(name, import.meta.url));

/** @returns false, with a word on the console, where they cannot be had */
export async function install() {
  const lock = await readFile(own('package-lock.json'), 'utf8');
  const installed = await readFile(join(home, 'installed.json'), 'utf8').catch(() => '');
  if (lock === installed) return true;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await cp(own('package.json'), join(home, 'package.json'));
  await cp(own('package-lock.json'), join(home, 'package-lock.json'));
  const args = ['ci', '--prefix', home, '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.log('the peers could not be installed');
    await rm(home, { recursive: true, force: true });
    return false;
  }
  // A package is looked for from where the import stands.
  await writeFile(join(home, 'load.mjs'), 'export const load = (name) => import(name);\n');
  await writeFile(join(home, 'installed.json'), lock);
  return true;
}

/** Imports a peer by its name. */
export async function load(name) {
  const { load } = await import(pathToFileURL(join(home, 'load.mjs')).href);
  return load(name);
}

/** The installed version of each peer. */
export async function versions() {
  const { packages } = JSON.parse(await readFile(own('package-lock.json'), 'utf8'));
  const { dependencies } = packages[''];
  return Object.fromEntries(Object.keys(dependencies).map((name) => [name, packages[`node_modules/${name}`].version]));
}

/** What the machine has of the programs that npm does not install. */
export const programs = () => ({ 'nats-server': spawnSync('nats-server', ['--version']).status === 0 });
