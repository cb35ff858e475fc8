// A Redis of the tests' own: on a free port of loopback, with its data in a folder that goes with it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, later } from './support.js';

const PATHS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
/** Where both are there, `NINJA_REDIS` names the one that is wanted. */
const commands = process.env.NINJA_REDIS ? [process.env.NINJA_REDIS] : ['redis-server', 'valkey-server'];
/** What there is of them. */
const command = commands.find((each) => {
  try {
    execFileSync(each, ['--version'], { stdio: 'ignore', env: PATHS });
    return true;
  } catch {
    return false;
  }
});
export const noRedis = command === undefined;

export interface Redis {
  readonly url: string;
  /** As by a power cut; its data stays. */
  kill(): Promise<void>;
  /** With the data that it had. */
  start(): Promise<void>;
  /** So that it neither answers nor closes. */
  signal(signal: NodeJS.Signals): void;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    return String(reply).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** @param closes `later`, or the hook of a whole file */
export async function redis(closes: (close: () => unknown) => void = later): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'ninja-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const dying = child;
    child = undefined;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    dying.kill('SIGCONT');
    dying.kill('SIGKILL');
    await once(dying, 'exit');
  };
  const start = async (): Promise<void> => {
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawn(command as string, args, { stdio: 'ignore', env: PATHS });
    for (let tries = 0; tries < 600; tries += 1) {
      if (await answers(port)) return;
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${command} does not answer`);
  };
  closes(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return { url: `redis://127.0.0.1:${port}`, kill, start, signal: (signal) => void child?.kill(signal) };
}
