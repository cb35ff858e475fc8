/** The journal on the disk: opened, appended to, and written anew when it has grown. */
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, NinjaTcpError } from '../errors.js';
import { type Chain, Damage, decodeJournal, encodeRecord, FILE_HEAD, NO_CHAIN } from './format.js';

/** Only its owner reads it: without a key there are secrets in it. */
const OWNER_ONLY = 0o600;

export class JournalFile {
  private constructor(
    private readonly path: string,
    private handle: FileHandle,
    private chain: Chain,
    /** Where the next record goes. */
    private end: number,
    /** What went wrong, and how much of the file is good nobody knows: it has to be written anew. */
    private broken = false,
  ) {}

  /**
   * Opens the file at `path`, or makes it.
   *
   * @param cut called with the number of bytes that a crash has left of a record that was never finished
   * @throws NinjaTcpError `NINJA_STORE_CORRUPT`
   */
  static async open(
    path: string,
    cut: (bytes: number) => void,
  ): Promise<{ file: JournalFile; payloads: readonly Buffer[] }> {
    // Of a crash in the middle of writing it anew: the old one is still whole.
    await rm(`${path}.new`, { force: true });
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!bytes) {
      const { handle, chain, end } = await writeNew(path, []);
      return { file: new JournalFile(path, handle, chain, end), payloads: [] };
    }
    const { payloads, chain, end } = read(path, bytes);
    const handle = await open(path, 'r+');
    if (end < bytes.length) {
      cut(bytes.length - end);
      await handle.truncate(end);
      await handle.sync();
    }
    return { file: new JournalFile(path, handle, chain, end), payloads };
  }

  get length(): number {
    return this.end;
  }

  /**
   * Puts a record behind the others; resolves when it is on the disk.
   *
   * @param all gives all that there is, for the file to be written anew where it is not known what became of it
   * @throws NinjaTcpError `NINJA_STORE_LOCKED` where another process has written into it
   */
  async append(payload: Buffer, all: () => readonly Buffer[]): Promise<void> {
    await this.checkOurs();
    if (this.broken) {
      await this.rewrite(all());
      return;
    }
    const { bytes, chain } = encodeRecord(this.chain, payload);
    try {
      await this.handle.write(bytes, 0, bytes.length, this.end);
      await this.handle.datasync();
    } catch (error) {
      this.broken = true;
      throw error;
    }
    this.chain = chain;
    this.end += bytes.length;
  }

  /** Writes it anew, beside the old one, and puts it in its place. */
  async rewrite(payloads: readonly Buffer[]): Promise<void> {
    const { handle, chain, end } = await writeNew(this.path, payloads);
    await this.handle.close().catch(() => {});
    this.handle = handle;
    this.chain = chain;
    this.end = end;
    this.broken = false;
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /** Whether the file is still what we left: a lock is only as good as what the system tells of processes. */
  private async checkOurs(): Promise<void> {
    const [there, open] = await Promise.all([stat(this.path).catch(() => undefined), this.handle.stat()]);
    const same = there && there.ino === open.ino && there.dev === open.dev;
    if (same && (this.broken || open.size === this.end)) return;
    throw new NinjaTcpError(
      'NINJA_STORE_LOCKED',
      `the file of the session store, ${this.path}, was written or replaced by another process`,
    );
  }
}

function read(path: string, bytes: Buffer): ReturnType<typeof decodeJournal> {
  try {
    return decodeJournal(bytes);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw new NinjaTcpError(
      'NINJA_STORE_CORRUPT',
      `the session store cannot be believed: ${path}, byte ${error.at}: ${messageOf(error)}`,
      error,
    );
  }
}

async function writeNew(
  path: string,
  payloads: readonly Buffer[],
): Promise<{ handle: FileHandle; chain: Chain; end: number }> {
  const beside = `${path}.new`;
  const handle = await open(beside, 'w+', OWNER_ONLY);
  try {
    const parts: Buffer[] = [FILE_HEAD];
    let chain: Chain = NO_CHAIN;
    for (const payload of payloads) {
      const record = encodeRecord(chain, payload);
      parts.push(record.bytes);
      chain = record.chain;
    }
    const bytes = Buffer.concat(parts);
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.sync();
    await rename(beside, path);
    await syncFolder(dirname(path));
    return { handle, chain, end: bytes.length };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** So that the new name is on the disk as well; not every system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
