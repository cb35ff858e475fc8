// The folder of a user of the package: the tarball is installed there, and the programs that try it lie beside it.
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, root, run } from './processes.mjs';

const newest = (path) => {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
};

/** Whether dist is whole, with types, and not older than what it is made from. */
function isBuilt() {
  const doors = ['index', 'testing/index', 'machines/index', 'inspector/index'];
  const types = doors.flatMap((name) => [`${name}.d.ts`, `${name}.d.cts`]);
  const built = types.map((name) => statSync(join(root, 'dist', name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const inputs = ['src', 'machines', '.config/tsup.config.ts', 'package.json', 'tsconfig.json'];
  return Math.min(...built) >= Math.max(...inputs.map((path) => newest(join(root, path))));
}

async function must(what, running) {
  const result = await running;
  if (result.code === 0) return result;
  throw new Error(`${what} failed (${result.code}):\n${result.stdout}${result.stderr}`);
}

export class Home {
  /** Outside the repository, where none of its node_modules is found. */
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ninja-tcp-package-')));
  /** The paths in the tarball. */
  contents = [];
  /** Where the one dependency came from. */
  dependency = '';

  async install() {
    if (!isBuilt())
      await must('the build', run(process.execPath, [join(root, '.config/setup.mjs'), '--full'], { timeout: 600_000 }));
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', this.folder];
    const [{ filename, files }] = JSON.parse((await must('npm pack', npm(pack, root))).stdout);
    this.contents = files.map(({ path }) => path);
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify({ private: true }));
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', this.folder];
    const tarball = join(this.folder, filename);
    const { code } = await npm([...install, tarball], this.folder);
    if (code !== 0) {
      const own = join(root, 'node_modules/xstate');
      const args = [...install, '--offline', '--install-links', tarball, own];
      await must('npm install', npm(args, this.folder));
    }
    const { version } = JSON.parse(readFileSync(join(this.folder, 'node_modules/xstate/package.json'), 'utf8'));
    this.dependency = `xstate ${version}${code === 0 ? '' : ' of this repository, as the registry cannot be reached'}`;
    for (const name of ['checks.mjs', 'smoke.mjs', 'smoke.cjs', 'consumer.mts', 'consumer.cts']) {
      cpSync(join(root, 'test/package', name), join(this.folder, name));
    }
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
