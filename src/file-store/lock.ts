/**
 * That one process has a file: a file beside it says which. Its process gone, the lock is stale, and is taken over; so a killed
 * process can be started again. Where nobody can tell, it holds.
 */
import { link, open, readFile, readlink, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { NinjaTcpError } from '../errors.js';

interface Owner {
  readonly pid: number;
  /** When the process was started, in the system's own count; undefined where the system does not tell. */
  readonly started: string | undefined;
  readonly host: string;
  /** Of this run of the system. */
  readonly boot: string | undefined;
  /** A container counts processes by itself: of another one a pid says nothing. */
  readonly space: string | undefined;
}

const textOf = async (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

/** Field 22 of what the system says of a process; its name, which may have spaces, ends with the last bracket. */
const startOf = async (pid: number | 'self'): Promise<string | undefined> => {
  const stat = await textOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
};

async function ourselves(): Promise<Owner> {
  const [started, boot, space] = await Promise.all([
    startOf('self'),
    textOf('/proc/sys/kernel/random/boot_id'),
    readlink('/proc/self/ns/pid').catch(() => undefined),
  ]);
  return { pid: process.pid, started, host: hostname(), boot, space };
}

/** Whether the owner of a lock is gone for sure. */
async function isGone(owner: Owner, self: Owner): Promise<boolean> {
  // Another run of the same system; another system may have the file over a network.
  if (owner.boot !== self.boot) return owner.host === self.host;
  // A container that was started anew. If it was not, the first write tells: see journal.ts.
  if (owner.space !== self.space) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // The number may have been given to another process since.
  return owner.started !== undefined && (await startOf(owner.pid)) !== owner.started;
}

const locked = (path: string, why: string): NinjaTcpError =>
  new NinjaTcpError('NINJA_STORE_LOCKED', `the file of the session store, ${path}, is in use: ${why}`);

/**
 * @returns gives it back
 * @throws NinjaTcpError `NINJA_STORE_LOCKED`
 */
export async function lock(path: string): Promise<() => Promise<void>> {
  const file = `${path}.lock`;
  const self = await ourselves();
  for (let tries = 0; tries < 3; tries += 1) {
    if (await create(file, self)) return () => giveBack(file, self);
    const text = await textOf(file);
    // Given back in this moment.
    if (text === undefined) continue;
    const owner = ownerOf(text);
    if (!owner) throw locked(path, `${file} does not say by whom. Remove it if no process has the file`);
    if (!(await isGone(owner, self))) {
      throw locked(path, `process ${owner.pid} on ${owner.host} has it. If it has not, remove ${file}`);
    }
    await takeAway(file, text);
  }
  throw locked(path, 'others take it all the time');
}

/** Unless somebody else has it by now. */
async function giveBack(file: string, owner: Owner): Promise<void> {
  if ((await textOf(file)) === JSON.stringify(owner)) await rm(file, { force: true });
}

async function create(file: string, owner: Owner): Promise<boolean> {
  // Whole from the first: who sees it can read it.
  const own = `${file}.${owner.pid}`;
  const handle = await open(own, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(owner));
  } finally {
    await handle.close();
  }
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes a stale lock, unless somebody else has done so in this moment and put a lock of its own there. */
async function takeAway(file: string, text: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await textOf(aside)) === text) await rm(aside, { force: true });
  else await rename(aside, file);
}

function ownerOf(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return Number.isInteger(owner.pid) && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}
