/** Programs of test/real/programs as processes of their own: they tell events as lines of JSON, and take orders as such. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Has something done behind a test, also when it fails: `onTestFinished` where tests run side by side, else `later`. */
export type Later = (close: () => void | Promise<void>) => void;

/** What a program told. */
export interface Told {
  readonly event: string;
  /** As {@link now}. */
  readonly at: number;
  readonly epoch?: number;
  readonly code?: string;
  readonly substate?: string;
  readonly silentForMs?: number;
  /** Lateness of the control timer for the same instant, milliseconds. */
  readonly late?: number;
  readonly failures?: number;
  readonly retryInMs?: number;
  readonly port?: number;
  readonly peers?: number;
  readonly bytes?: number;
  readonly lost?: readonly unknown[];
  readonly fooled?: boolean;
  readonly url?: string;
  readonly name?: string;
  /** Wall-clock milliseconds since 1970. */
  readonly wall?: number;
  readonly watchers?: number;
  /** Resident bytes of a process. */
  readonly resident?: number;
  readonly account?: Account;
}

/** What programs/volume.mjs counts. */
export interface Account {
  /** Accepted by `send()`. */
  readonly sent: number;
  /** How often it had to wait. */
  readonly waits: number;
  readonly received: number;
  readonly distinct: number;
  readonly highest: number;
  readonly doubled: number;
  readonly disordered: number;
  readonly damaged: number;
  readonly lines: number;
  readonly lost: number;
  readonly resumed: number;
  readonly replayed: number;
  readonly sessions: number;
  readonly sessionsLost: number;
  readonly keptMessages: number;
  readonly keptBytes: number;
  readonly outboxMessages: number;
  readonly outboxBytes: number;
  readonly unreadMessages: number;
  readonly unreadBytes: number;
}

/** Monotonic milliseconds of the machine: the same in every process on it. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Where a system program is, if it is there. */
export function which(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

// The kernel kills what we started when we die, however that comes: a stopped process could not see that its input ended.
const setpriv = process.platform === 'linux' ? which('setpriv') : undefined;
const tied = setpriv ? [setpriv, '--pdeathsig', 'KILL'] : [];

const built = existsSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)));
/** Why the programs cannot run here; for titles. */
export const cannotRun = built ? undefined : 'dist is not built';

/** The title of a test that may be skipped: it says why. */
export const titled = (title: string, why: string | undefined): string => (why ? `${title} (skipped: ${why})` : title);

/** One run of a program; killed behind the test. */
export class Program {
  readonly told: Told[] = [];
  readonly process: ChildProcess;
  private readonly gone: Promise<void>;
  private readonly looks = new Set<() => void>();
  private isGone = false;

  /** @param command the program with its arguments, @param tells whether its output is lines of JSON */
  constructor(later: Later, command: readonly string[], tells = true) {
    const [file, ...args] = [...tied, ...command] as [string, ...string[]];
    const child = spawn(file, args, { stdio: ['pipe', tells ? 'pipe' : 'ignore', 'inherit'] });
    this.process = child;
    this.gone = new Promise((resolve) => {
      child.once('exit', () => {
        this.isGone = true;
        this.look();
        resolve();
      });
    });
    child.stdin?.on('error', () => {});
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.told.push(JSON.parse(line));
        this.look();
      });
    }
    later(() => this.kill());
  }

  /** Gives an order. */
  tell(order: object): void {
    this.process.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Sends a signal, and sees that it was taken. */
  signal(name: NodeJS.Signals): void {
    if (!this.process.kill(name)) throw new Error(`there is no process for ${name}`);
  }

  /** kill -9; resolves when it is gone. */
  kill(): Promise<void> {
    if (!this.isGone) this.process.kill('SIGKILL');
    return this.gone;
  }

  /** All that it told by this name, from an instant on. */
  all(event: string, from = 0): Told[] {
    return this.told.filter((told) => told.event === event && told.at >= from);
  }

  /** The first of these that has come or will come. */
  hears(event: string, from = 0): Promise<Told> {
    return this.until(`'${event}'`, () => this.all(event, from)[0]);
  }

  /** Waits until there is something to be found in what it told. @param what it is, for the error when it ends without */
  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.isGone) reject(new Error(`it ended without ${what}, after ${JSON.stringify(this.told)}`));
        else return;
        this.looks.delete(look);
      };
      this.looks.add(look);
      look();
    });
  }

  private look(): void {
    for (const look of this.looks) look();
  }
}

const nodeProgram = (name: string, flags: readonly string[], args: readonly unknown[]): string[] => [
  process.execPath,
  ...flags,
  fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url)),
  ...args.map((arg) => JSON.stringify(arg)),
];

/** What is put before a command to run it elsewhere, such as in a network namespace. */
export type Inside = readonly string[];

/** Starts programs/NAME.mjs. @param options its argument */
export function startProgram(later: Later, name: string, options: object, inside: Inside = []): Program {
  return new Program(later, [...inside, ...nodeProgram(name, ['--expose-gc'], [options])]);
}

/** An echo server in a process of its own, which listens. */
export async function startServer(
  later: Later,
  options: object = {},
  inside: Inside = [],
): Promise<{ server: Program; port: number }> {
  const server = startProgram(later, 'server', { host: '127.0.0.1', ...options }, inside);
  const { port } = await server.hears('listening');
  return { server, port: port as number };
}
