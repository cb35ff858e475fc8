/** A server in a process of its own, what its memory is, and those who attack it. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Connection, ListenOptions } from '../../../src/index.js';
import { connectTo, later, next, until } from '../support.js';

export const MiB = 2 ** 20;
/** For `test.skipIf`: memory is read where Linux tells it. */
export const noProc = !existsSync('/proc/self/status');
const script = fileURLToPath(new URL('server.mjs', import.meta.url));
const cache = fileURLToPath(new URL('../../../node_modules/.cache/ninja-tcp/', import.meta.url));
/** A loaded machine is slow; who behaves must not be taken for silent by itself. */
const PATIENT = 60_000;

interface Tally {
  /** Peers that there are now. */
  readonly peers: number;
  /** The most that there were at a time. */
  readonly most: number;
  /** How often peers ended, by code; and what else the server told. */
  readonly ends: Readonly<Record<string, number>>;
  /** Bytes of all buffers, dead ones too. */
  readonly held: number;
}

/** One row of the table in docs/limits.md. */
export interface Figure {
  readonly attack: string;
  readonly bound: string;
  readonly grewMiB: number;
  readonly slowestMs: number;
  readonly became: string;
}

const figures: Figure[] = [];

export class Target {
  private readonly sockets = new Set<Socket>();
  private before = 0;
  private readonly honest: Connection;
  private answers = 0;
  private slowest = 0;
  private over = false;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    this.honest = connectTo(port, { staleAfter: PATIENT });
    later(() => {
      this.over = true;
      for (const socket of this.sockets) socket.destroy();
    });
  }

  /** Starts it, and lets an honest client talk to it from then on. */
  static async start(options: Partial<ListenOptions>): Promise<Target> {
    const args = [JSON.stringify({ staleAfter: PATIENT, ...options })];
    const child = fork(script, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: ['--expose-gc'] });
    const gone = next(child, 'exit');
    later(async () => {
      if (child.exitCode === null) child.kill('SIGKILL');
      await gone;
    });
    const { port } = await next<{ port: number }>(child, 'message');
    const target = new Target(child, port);
    await target.warmUp();
    return target;
  }

  private async warmUp(): Promise<void> {
    await this.honest.connected({ proven: true });
    for (let i = 0; i < 200; i += 1) await this.ask();
    this.slowest = 0;
    this.answers = 0;
    this.before = this.memory('VmRSS');
    void this.talk();
  }

  private async ask(): Promise<void> {
    const from = performance.now();
    this.honest.send(`are you there? ${this.answers}`);
    await next(this.honest, 'message');
    this.answers += 1;
    this.slowest = Math.max(this.slowest, performance.now() - from);
  }

  private async talk(): Promise<void> {
    while (!this.over) {
      await this.ask();
      await sleep(20);
    }
  }

  /** How often the honest client was answered since the attack began, and whether its line was ever lost. */
  get served(): { readonly answers: number; readonly epoch: number } {
    return { answers: this.answers, epoch: this.honest.epoch };
  }

  async servesAgain(): Promise<void> {
    const { answers } = this;
    await until(() => this.answers > answers + 1);
  }

  private memory(what: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(new RegExp(`${what}:\\s*(\\d+) kB`).exec(status)?.[1]) * 1024;
  }

  /** Bytes of memory that the process had more at its highest than before the attack. */
  get grown(): number {
    return this.memory('VmHWM') - this.before;
  }

  async tally(ask: 'tally' | 'collect' = 'tally'): Promise<Tally> {
    const answer = next<Tally>(this.child, 'message');
    this.child.send(ask);
    return answer;
  }

  /** Bytes of the buffers that somebody holds: the least after several collections, since V8 sweeps in its own time. */
  async held(): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 10; i += 1) {
      least = Math.min(least, (await this.tally('collect')).held);
      await sleep(20);
    }
    return least;
  }

  /** Waits until what became of the peers is as wanted. */
  async tallied(wanted: (tally: Tally) => boolean): Promise<Tally> {
    for (;;) {
      const tally = await this.tally();
      if (wanted(tally)) return tally;
      await sleep(50);
    }
  }

  /** One socket of an attacker. It takes what comes, unless it is paused, and never complains. */
  async open(prepare: (socket: Socket) => void = (socket) => socket.resume()): Promise<Socket> {
    const socket = dial({ host: '127.0.0.1', port: this.port, allowHalfOpen: true });
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    prepare(socket);
    await new Promise<void>((resolve) => socket.on('error', () => resolve()).once('connect', resolve));
    return socket;
  }

  /** Many of them, not faster than the kernel's queue takes them. */
  async openAll(count: number, prepare?: (socket: Socket) => void): Promise<Socket[]> {
    const all: Socket[] = [];
    while (all.length < count) {
      const some = Math.min(100, count - all.length);
      all.push(...(await Promise.all(Array.from({ length: some }, () => this.open(prepare)))));
    }
    return all;
  }

  note(attack: string, bound: string, became: string): void {
    figures.push({ attack, bound, became, grewMiB: this.grown / MiB, slowestMs: this.slowest });
  }
}

/** What was measured, for `npm run attack`. */
export function writeFigures(): void {
  if (figures.length === 0) return;
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  mkdirSync(cache, { recursive: true });
  const at = new Date().toISOString().slice(0, 10);
  writeFileSync(`${cache}attack.json`, JSON.stringify({ at, machine, figures }, undefined, 2));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when the system has taken it. Whoever was thrown out meanwhile writes no more. */
export function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.writable) return Promise.resolve();
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}
