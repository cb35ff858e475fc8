// What is tried of an installed package; each trial gives rows `{ name, failure }`, failure is null where it holds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { root, run } from './processes.mjs';

const row = (name, failure) => ({ name, failure: failure || null });
const told = ({ code, stdout, stderr }) => `ended with ${code}: ${`${stdout}${stderr}`.trim().slice(-2000)}`;

/** Once, without a runtime: what is packed, and its types as TypeScript's own resolution finds them. */
export async function packed({ folder, contents }) {
  const strange = contents.filter((path) => !/^(dist\/.*|README\.md|LICENSE|package\.json)$/.test(path));
  const options = { strict: true, noEmit: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] };
  const args = Object.entries({ ...options, target: 'es2022', module: 'node16', verbatimModuleSyntax: true });
  const { code, stdout } = await run(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...args.flatMap(([name, value]) => [`--${name}`, `${value}`]),
      'consumer.mts',
      'consumer.cts',
    ],
    { cwd: folder },
  );
  return [
    row('the tarball holds dist, the README and the licence', strange.join(', ')),
    row('its types, by import and by require', code !== 0 && `tsc ended with ${code}: ${stdout}`),
  ];
}

/** The checks of checks.mjs, as a program of the user. */
export async function program({ folder }, { binary, before }, file, way) {
  const result = await run(binary, [...before, file], { cwd: folder, timeout: 120_000 });
  const lines = result.stdout.split('\n').filter((line) => line.startsWith('{'));
  const rows = lines.map((line) => JSON.parse(line));
  const isWhole = rows.pop()?.name === 'all checks';
  return [
    ...rows,
    row('the program ends although an unref() line is open', (result.code !== 0 || !isWhole) && told(result)),
    row('nothing is said on standard error', isWhole && result.stderr),
  ].map(({ name, failure }) => row(`${way}: ${name}`, failure));
}

/** The command line, as npm installs it; a runtime that npm knows nothing of is given the file. */
export async function commandLine({ folder }, { kind, binary, before }) {
  const home = join(folder, 'node_modules/ninja-tcp');
  const asInstalled = kind === 'node' && process.platform !== 'win32';
  const [command, ...first] = asInstalled
    ? [join(folder, 'node_modules/.bin/ninja-tcp')]
    : [binary, ...before, join(home, 'dist/cli/main.js')];
  // Its first line asks for the `node` of the path.
  const env = { PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };

  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const shown = await run(command, [...first, '--version'], { cwd: folder, env });
  const rows = [row('ninja-tcp --version', shown.stdout !== `${version}\n` && told(shown))];

  const name = 'ninja-tcp echo, and connect with a line by pipe';
  const server = spawn(command, [...first, 'echo', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const end = once(server, 'close');
  const { value } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
  const port = /^listening on 127\.0\.0\.1:(\d+)$/.exec(value)?.[1];
  if (!port) {
    server.kill('SIGKILL');
    await end;
    return [...rows, row(name, `echo said ${value}`)];
  }
  const args = [...first, 'connect', '127.0.0.1', port];
  const answer = await run(command, args, { cwd: folder, env, input: 'over the pipe\n', timeout: 30_000 });
  server.kill('SIGTERM');
  const [code, signal] = await end;
  const isRight = answer.code === 0 && answer.stdout === 'over the pipe\n';
  return [
    ...rows,
    row(name, !isRight && told(answer)),
    row('ninja-tcp echo ends by SIGTERM', code !== 0 && `ended with ${code ?? signal}`),
  ];
}
