// Where a runtime is had from: the one that runs this, or npx.
import { npm, run } from './processes.mjs';

export const all = ['node@20', 'node@22', 'node@24', 'node@26', 'bun', 'deno'];

/** How each kind tells its version and where its binary lies, and how it runs a file. */
const kinds = {
  node: { title: 'Node', tell: ['-p', 'process.version.slice(1) + " " + process.execPath'], before: [] },
  bun: { title: 'Bun', tell: ['-e', 'console.log(Bun.version, process.execPath)'], before: [] },
  deno: { title: 'Deno', tell: ['eval', 'console.log(Deno.version.deno, Deno.execPath())'], before: ['run', '-A'] },
};

/**
 * @param spec `node@26`, `bun`, `deno@2`: the name and version of an npm package
 * @returns `{ kind, title, version, binary, before }`, or `{ missing }` with the reason
 */
export async function find(spec, folder) {
  const [name, version] = spec.split('@');
  const kind = kinds[name];
  if (!kind) throw new Error(`'${spec}' is no runtime: choose among ${all.join(' ')}`);
  const isHere = name === 'node' && (version === undefined || version === process.versions.node.split('.')[0]);
  const { code, stdout, stderr } = isHere
    ? await run(process.execPath, kind.tell)
    : await npm(['exec', '--yes', '--prefer-offline', `--package=${spec}`, '--', name, ...kind.tell], folder);
  const [, found, binary] = /^(\d\S*) (.+)$/m.exec(stdout) ?? [];
  if (code !== 0 || !binary) {
    const why = stderr.split('\n').find((line) => /\w/.test(line.replace(/^npm error (code )?/, '')));
    return { missing: why ?? `npx ended with ${code}` };
  }
  return { kind: name, title: kind.title, version: found, binary, before: kind.before };
}
