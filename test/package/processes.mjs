// Runs programs to their end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @returns `{ code, stdout, stderr }`; code is the name of the signal, or of the error, where there is none
 */
export async function run(command, args, { cwd, env = {}, input = '', timeout = 90_000, shell = false } = {}) {
  const child = spawn(command, args, {
    cwd,
    shell,
    timeout,
    killSignal: 'SIGKILL',
    // npm tells the programs that it runs where it works; another npm would work there as well.
    env: { ...process.env, npm_config_local_prefix: undefined, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {}).end(input);
  try {
    const [code, signal] = await once(child, 'close');
    return { code: code ?? signal, ...output };
  } catch (error) {
    return { code: error.code, stdout: '', stderr: error.message };
  }
}

/** npm, with little patience for a registry that cannot be reached. */
export function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  const env = {
    npm_config_loglevel: 'error',
    npm_config_fetch_retries: '1',
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_timeout: '30000',
  };
  if (cli?.endsWith('.js')) return run(process.execPath, [cli, ...args], { cwd, env });
  return run('npm', args, { cwd, env, shell: process.platform === 'win32' });
}
