import type { Acceptor, BoundAddress, Environment, Transport } from '../environment.js';
import type { Framing } from '../framing/framing.js';
import { nodeEnvironment } from '../socket/node.js';
import { type ScriptConnection, ScriptLine } from './script-line.js';
import type { ScriptRules, Step } from './script-steps.js';

/** Where a script listens. */
export interface ScriptListenOptions {
  /** The world it lives in, such as `network.environment('server')`. Default: Node's own, a real port. */
  readonly environment?: Environment;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** Default: all addresses on a given environment, `127.0.0.1` on a real port. */
  readonly host?: string;
}

/** Where a script dials. */
export interface ScriptDialOptions {
  /** The world it lives in, such as `network.environment('client')`. Default: Node's own, a real port. */
  readonly environment?: Environment;
  readonly port: number;
  /** Default `'127.0.0.1'`. */
  readonly host?: string;
}

/** How far a script has come. */
export interface ScriptResult {
  readonly state: 'running' | 'done' | 'failed';
  /** Each connection, in the order in which they began. */
  readonly connections: readonly ScriptConnection[];
  /** How many connections came for which nothing was written down; they were reset. */
  readonly extra: number;
  /** Why it failed. */
  readonly error: Error | undefined;
}

/** What a script says. */
export interface ScriptPlan {
  readonly rules: ScriptRules;
  readonly framing: Framing;
  readonly connections: readonly (readonly Step[])[];
  readonly repeats: boolean;
}

/** A script that runs, as a server or as a client. */
export class ScriptRun {
  private readonly lines: ScriptLine[] = [];
  private readonly refused = new Set<Transport>();
  private readonly waiting: (() => void)[] = [];
  private acceptor: Acceptor | undefined;
  private address: BoundAddress | undefined;
  private error: Error | undefined;
  private finished = 0;
  private extra = 0;
  private closed = false;

  private constructor(
    private readonly plan: ScriptPlan,
    private readonly environment: Environment,
  ) {}

  /** Use `script.listen()`. */
  static listening(plan: ScriptPlan, options: ScriptListenOptions): ScriptRun {
    const { environment = nodeEnvironment, port = 0 } = options;
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new RangeError(`port: 0 … 65535, not ${port}`);
    const run = new ScriptRun(plan, environment);
    const host = options.host ?? (environment === nodeEnvironment ? '127.0.0.1' : undefined);
    run.acceptor = environment.listen(
      { port, host, noDelay: true },
      {
        listening: (address) => {
          run.address = address;
          run.tell();
        },
        accepted: (transport) => run.accept(transport),
        failed: (error) => run.fail(error),
      },
    );
    return run;
  }

  /** Use `script.dial()`. */
  static dialing(plan: ScriptPlan, options: ScriptDialOptions): ScriptRun {
    const { environment = nodeEnvironment, port, host = '127.0.0.1' } = options;
    const run = new ScriptRun(plan, environment);
    const dialNext = (): void => {
      if (run.closed || run.error || run.lines.length === plan.connections.length) return;
      const transport = environment.dial({ host, port, noDelay: true });
      run.follow(transport, false, dialNext);
    };
    dialNext();
    return run;
  }

  /** How far it has come. */
  get result(): ScriptResult {
    const { lines, extra, error } = this;
    return { state: error ? 'failed' : this.isDone ? 'done' : 'running', connections: [...lines], extra, error };
  }

  /** The port it listens on; undefined before it does. */
  get port(): number | undefined {
    return this.address?.port;
  }

  /** Resolves when it listens, with the address. On a simulated network a dial may come before. */
  async ready(): Promise<BoundAddress> {
    if (!this.acceptor) throw new Error('ready(): this script dials');
    await this.until(() => this.address !== undefined);
    return this.address as BoundAddress;
  }

  /**
   * Resolves when every step of every connection was done; of `everyConnection()`, when each was followed once. On a
   * virtual clock: `await clock.runUntil(run.done())`.
   *
   * @throws ScriptError (as a rejection) at the first step that the other side did not follow
   */
  async done(): Promise<ScriptResult> {
    await this.until(() => this.isDone);
    return this.result;
  }

  /** Frees the port and throws its connections away, at once. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.acceptor?.close();
    for (const line of this.lines) line.close();
    for (const transport of this.refused) transport.destroy();
    this.tell();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private get isDone(): boolean {
    return this.finished >= this.plan.connections.length;
  }

  private accept(transport: Transport): void {
    const { connections, repeats } = this.plan;
    if (!this.closed && !this.error && (this.lines.length < connections.length || repeats)) {
      this.follow(transport, true, () => {});
      return;
    }
    this.extra += 1;
    this.refused.add(transport);
    const closed = (): void => void this.refused.delete(transport);
    transport.attach({ opened() {}, chunk() {}, ended() {}, failed() {}, closed });
    transport.reset();
  }

  private follow(transport: Transport, isOpen: boolean, then: () => void): void {
    const { connections, rules, framing } = this.plan;
    const steps = connections[Math.min(this.lines.length, connections.length - 1)] as readonly Step[];
    const owner = {
      finished: () => {
        this.finished += 1;
        this.tell();
        then();
      },
      failed: (error: Error) => this.fail(error),
    };
    const number = this.lines.length + 1;
    const { clock } = this.environment;
    this.lines.push(new ScriptLine(number, steps, rules, framing, clock, transport, owner, isOpen));
  }

  private fail(error: Error): void {
    this.error ??= error;
    this.tell();
  }

  private tell(): void {
    for (const look of this.waiting.splice(0)) look();
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.error) throw this.error;
      if (this.closed) throw new Error('the script was closed before it was done');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    if (this.error) throw this.error;
  }
}
