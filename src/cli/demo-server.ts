import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** `ninja-tcp echo` as a process of its own, that can be stopped and killed. It never outlives this process. */
export class EchoProcess {
  /** Known from the first start; later starts use it again. */
  port = 0;
  private child: ChildProcess | undefined;
  /** Also when this process ends by a fault or by `process.exit`. */
  private readonly lastHand = () => this.signal('SIGKILL');

  constructor(
    /** The program's file. */
    private readonly file: string,
    /** It ended, and nobody had asked for it. */
    private readonly onTrouble: (sentence: string) => void,
  ) {
    process.on('exit', this.lastHand);
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts it, and waits until it listens. @returns the time of that, monotonic milliseconds */
  async start(signal: AbortSignal): Promise<number> {
    // Over the channel ('ipc') it notices the end of this process, even one by SIGKILL.
    const child = spawn(process.execPath, [this.file, 'echo', '--port', String(this.port)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    let complaint = '';
    (child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-1000);
    });
    child.once('error', (error) => this.onTrouble(`The server process cannot be started: ${error.message}`));
    child.once('close', (code, by) => {
      if (this.child !== child) return;
      this.child = undefined;
      this.onTrouble(`The server process ended by itself (${by ?? `code ${code}`}). ${complaint.trim()}`.trimEnd());
    });
    const output = (child.stdout as Readable).setEncoding('utf8');
    let said = '';
    let port: string | undefined;
    while (port === undefined) {
      const [text] = (await once(output, 'data', { signal })) as [string];
      said += text;
      port = /^listening on .*:(\d+)\n/m.exec(said)?.[1];
    }
    const listeningAt = performance.now();
    this.port = Number(port);
    output.resume();
    return listeningAt;
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Kills it, also where it is stopped, and waits until it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child) return;
    this.child = undefined;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills it for good. */
  async end(): Promise<void> {
    await this.kill();
    process.off('exit', this.lastHand);
  }
}
