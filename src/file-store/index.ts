/** ninja-tcp/file-store: sessions that outlive their process, in one file. For a client, or a server that is alone. */
import { resolve } from 'node:path';
import { messageOf, NinjaTcpError } from '../errors.js';
import { SessionTable } from '../sessions/table.js';
import { nodeClock } from '../socket/node-clock.js';
import type { SessionStore, StoreClaimed, StoreOutcome } from '../store/contract.js';
import { createSealer } from '../store/sealing.js';
import { JournalFile } from './journal.js';
import { lock } from './lock.js';
import { decodeOperations, doAgain, encodeOperations, type Operation, rowsOf, sizeOf } from './operations.js';

export type { SessionStore } from '../store/contract.js';

export interface FileStoreOptions {
  /** The file; it is made where there is none, its folder is not. Beside it, for a while, `.lock` and `.new`. */
  readonly path: string;
  /**
   * Seals what is kept, AES-256-GCM: 32 bytes from a cryptographic source; or several, of which the first seals and all open.
   * False leaves ids, secrets and messages as they are, in a file that only its owner can read.
   */
  readonly key: Uint8Array | readonly Uint8Array[] | false;
  /** Hears that a crash had left half a record, which was cut off. Default: `process.emitWarning`. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Wall-clock milliseconds; for tests. */
  readonly now?: (() => number) | undefined;
}

/** The journal is written anew when it is longer than so many bytes, and than four times what it has to say. */
const SHORT = 1024 * 1024;
const GROWN = 4;

/** One thing that is asked, and who hears the answer when it is on the disk. */
interface Question {
  readonly operations: readonly Operation[];
  /** Answers from what is in memory. */
  ask(at: number): unknown;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

class FileStore implements SessionStore {
  readonly sealer;
  private readonly table = new SessionTable();
  private readonly path: string;
  private readonly now: () => number;
  private readonly questions: Question[] = [];
  private opened: Promise<{ file: JournalFile; unlock: () => Promise<void> }> | undefined;
  private working: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: FileStoreOptions) {
    if (typeof options.path !== 'string' || options.path === '') {
      throw new NinjaTcpError('NINJA_INVALID_OPTION', 'path must be the path of a file, got none');
    }
    this.path = resolve(options.path);
    this.sealer = options.key === false ? undefined : createSealer(options.key);
    this.now = options.now ?? nodeClock.wallNow;
  }

  async find(alias: string): Promise<string | undefined> {
    await this.open();
    return this.table.find(alias, this.now());
  }

  async load(id: string): ReturnType<SessionStore['load']> {
    await this.open();
    return this.table.load(id, this.now());
  }

  claim: SessionStore['claim'] = (id, claim) =>
    this.put([{ kind: 'claim', id, claim }], (at) => this.table.claim(id, claim, at)) as Promise<StoreClaimed>;

  write: SessionStore['write'] = (changes) =>
    this.put(
      changes.map((change) => ({ kind: 'write', change })),
      (at) => changes.map((change) => this.table.write(change, at)),
    ) as Promise<readonly StoreOutcome[]>;

  async close(): Promise<void> {
    this.closed = true;
    await this.working;
    const opened = await this.opened?.catch(() => undefined);
    await opened?.file.close();
    await opened?.unlock();
  }

  private put(operations: readonly Operation[], ask: (at: number) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.questions.push({ operations, ask, resolve, reject });
      this.working ??= this.work();
    });
  }

  /** What was asked while a record was written goes into the next one, all of it. */
  private async work(): Promise<void> {
    while (this.questions.length > 0) {
      // So that all that is asked in this tick comes along.
      await undefined;
      const questions = this.questions.splice(0);
      try {
        const { file } = await this.open();
        const at = this.now();
        const answers = questions.map((question) => question.ask(at));
        await file.append(encodeOperations({ at, operations: questions.flatMap(({ operations }) => operations) }), () =>
          this.all(at),
        );
        if (file.length > SHORT && file.length > GROWN * sizeOf(this.table)) await file.rewrite(this.all(at));
        questions.forEach(({ resolve }, index) => {
          resolve(answers[index]);
        });
      } catch (error) {
        for (const { reject } of questions) reject(error);
      }
    }
    this.working = undefined;
  }

  private all(at: number): Buffer[] {
    return [encodeOperations({ at, operations: rowsOf(this.table) })];
  }

  private async open(): Promise<{ file: JournalFile; unlock: () => Promise<void> }> {
    if (this.closed) throw new NinjaTcpError('NINJA_STORE_FAILED', `the session store ${this.path} is closed`);
    this.opened ??= this.read();
    try {
      return await this.opened;
    } catch (error) {
      // What is wrong with the file stays wrong; what was wrong with the disk, or the lock, may be over next time.
      if (!(error instanceof NinjaTcpError && error.code === 'NINJA_STORE_CORRUPT')) this.opened = undefined;
      throw error;
    }
  }

  private async read(): Promise<{ file: JournalFile; unlock: () => Promise<void> }> {
    const { path } = this;
    const unlock = await lock(path);
    try {
      const { file, payloads } = await JournalFile.open(path, (bytes) => this.warn(bytes));
      this.table.clear();
      for (const [index, payload] of payloads.entries()) this.doAgain(payload, index);
      return { file, unlock };
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  private doAgain(payload: Buffer, index: number): void {
    try {
      doAgain(this.table, decodeOperations(payload));
    } catch (error) {
      const why = `record ${index + 1} says what is not known here: ${messageOf(error)}`;
      throw new NinjaTcpError('NINJA_STORE_CORRUPT', `the session store cannot be believed: ${this.path}: ${why}`);
    }
  }

  private warn(bytes: number): void {
    const message = `the session store ${this.path} ended in ${bytes} bytes of a record that a crash had cut short: removed`;
    if (this.options.onWarning) this.options.onWarning(message);
    else process.emitWarning(message, { code: 'NINJA_STORE_TORN' });
  }
}

/**
 * A store of sessions in one file, for `session: { store }`: what it says that it has is on the disk. One process at a time.
 *
 * ```ts
 * const store = fileStore({ path: '/var/lib/meter/session', key });
 * const connection = connect({ host: '10.0.0.7', port: 65432, session: { store } });
 * ```
 *
 * A file that was changed, or cut anywhere but at its end, is never believed: `NINJA_STORE_CORRUPT` says where. It is read when it
 * is first needed.
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`
 */
export function fileStore(options: FileStoreOptions): SessionStore {
  return new FileStore(options);
}
