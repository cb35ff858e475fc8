// Each end of a measurement is a process of its own, which talks to the command by messages.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PATIENCE = 60_000;
const PARTING = 2000;

/** A program of this folder, running. */
class End {
  #told = [];
  #waiting;
  #gone;

  constructor(program, args) {
    this.what = `${program} ${args.join(' ')}`;
    this.process = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (told) => {
      this.#told.push(told);
      this.#waiting?.();
    });
    this.process.on('exit', (code, signal) => {
      this.#gone ??= `${this.what}: ended with ${signal ?? code}`;
      this.#waiting?.();
    });
  }

  /** What it tells next. */
  async next() {
    const deadline = setTimeout(() => {
      this.#gone = `${this.what}: silent for ${PATIENCE / 1000} s`;
      this.#waiting?.();
    }, PATIENCE);
    while (this.#told.length === 0 && !this.#gone) {
      await new Promise((resolve) => {
        this.#waiting = resolve;
      });
    }
    clearTimeout(deadline);
    if (this.#told.length === 0) throw new Error(this.#gone);
    return this.#told.shift();
  }

  /** Asks, and waits for the answer. */
  ask(order) {
    this.process.send(order);
    return this.next();
  }

  /** An end leaves when the command's line to it is shut: also when the command itself is killed. */
  async end() {
    if (this.#gone) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.connected) this.process.disconnect();
    const deadline = setTimeout(() => this.process.kill('SIGKILL'), PARTING);
    await gone;
    clearTimeout(deadline);
  }
}

/** Starts programs for `work`, which is given `start(program, ...args)`; whatever happens, they end with it. */
export async function withEnds(work) {
  const ends = [];
  const start = (program, ...args) => {
    const end = new End(
      program,
      args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))),
    );
    ends.push(end);
    return end;
  };
  try {
    return await work(start);
  } finally {
    await Promise.all(ends.map((end) => end.end()));
  }
}

if (process.send) process.on('disconnect', () => process.exit());

/** In an end: tells the command. */
export const tell = (what) => process.send(what);

/** In an end: answers each order. */
export function answer(orders) {
  process.on('message', async ({ order, ...facts }) => tell((await orders[order](facts)) ?? {}));
}

/** In an end: seconds of the processor since `process.cpuUsage()` gave `from`. */
export function cpuSince(from) {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}
