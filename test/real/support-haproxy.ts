// A haproxy of the tests' own, on a free port of loopback.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, later } from './support.js';

const PATHS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
export const noHaproxy = (() => {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'ignore', env: PATHS });
    return false;
  } catch {
    return true;
  }
})();

/** A haproxy in front of `targets`, in turns, which are told the client's address by `how`. Gives its port. */
export async function haproxyTo(targets: readonly string[], how = ''): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen till
  bind 127.0.0.1:${port}
${targets.map((target, index) => `  server s${index} ${target} ${how}`).join('\n')}
`,
  );
  const child: ChildProcess = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore', env: PATHS });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  later(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    return gone;
  });
  return port;
}
