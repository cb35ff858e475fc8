import type { Environment, LookupFunction } from '../../src/environment.js';
import { type Connection, connect, NinjaTcpError } from '../../src/index.js';

/** No byte for so long, milliseconds: short enough for a test, and long enough for a busy machine to do three steps. */
export const STALE = 1000;
/** The other side answers a heartbeat at once: a server that stops was heard a moment ago. */
const HEARTBEAT = 50;
const CONNECT_TIMEOUT = 1000;
const BACKOFF = 10;

/** A server that echoes raw bytes, and the faults that it can have. */
export interface EchoServer {
  start(): Promise<void>;
  /** As by SIGKILL: its lines are reset, its port is closed. */
  die(): Promise<void>;
  /** As by SIGSTOP: lines are opened and bytes taken by its kernel, nobody reads or answers. */
  stop(): void;
  continue(): void;
  /** Sends a FIN on every line, and goes on listening. */
  hangUp(): void;
}

/** One user, one server, and what lies between them. Shared by the real and the simulated one. */
export abstract class World {
  abstract readonly server: EchoServer;
  connection: Connection | undefined;
  /** What the user hears, in order: each event with its reason's code. */
  readonly words: string[] = [];
  /** Calls of close() and dispose() that have not been answered yet. */
  unanswered = 0;
  namesAnswer = true;
  loginAsked = false;
  patient = true;
  private readonly lookups: (() => void)[] = [];
  private login: PromiseWithResolvers | undefined;

  protected abstract readonly port: number;
  protected abstract readonly address: string;
  protected abstract readonly environment: Environment | undefined;
  /** By how much a verdict of silence may be late, milliseconds. */
  protected abstract readonly lateness: number;

  /** Lets time go by until it holds. */
  abstract until(what: () => string, condition: () => boolean): Promise<void>;
  abstract pass(ms: number): Promise<void>;
  /** Everything is taken down; throws if something was left behind. */
  abstract end(): Promise<void>;

  /** What became of a promise: its value, or the code it was rejected with. Settling must not take long. */
  async outcome(what: string, promise: Promise<unknown>): Promise<unknown> {
    let outcome: { readonly value: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { value: error instanceof NinjaTcpError ? codeOf(error) : error };
      },
    );
    await this.until(
      () => `${what} to settle`,
      () => outcome !== undefined,
    );
    return outcome?.value;
  }

  /** The program's first call. */
  open(): void {
    const connection = connect({
      host: 'echo.test',
      port: this.port,
      environment: this.environment,
      lookup: this.lookup,
      staleAfter: STALE,
      heartbeatInterval: HEARTBEAT,
      connectTimeout: CONNECT_TIMEOUT,
      backoff: () => this.patient && BACKOFF,
      onConnect: this.loginAsked ? () => this.greet() : undefined,
    });
    const hear = (word: string) => void this.words.push(word);
    connection
      .on('connecting', () => hear('connecting'))
      .on('connected', () => hear('connected'))
      .on('live', () => hear('live'))
      .on('message', (message) => hear(`${message}` === 'hello' ? 'message' : `message ${message}`))
      .on('stale', ({ silentForMs: ms }) => hear(ms >= STALE && ms <= STALE + this.lateness ? 'stale' : `stale ${ms}`))
      .on('disconnected', ({ reason }) => hear(`disconnected ${codeOf(reason)}`))
      .on('failed', ({ reason }) => hear(`failed ${codeOf(reason)}`))
      .on('disposed', ({ reason }) => hear(`disposed ${codeOf(reason)}`))
      .on('dropped', (dropped) => hear(`dropped ${codeOf(dropped)}`))
      .on('warning', ({ message }) => hear(`warning ${message}`))
      .on('error', (error) => hear(`error ${error.message}`));
    this.connection = connection;
  }

  send(): void {
    try {
      this.user.send('hello');
    } catch (error) {
      if (!(error instanceof NinjaTcpError)) throw error;
      this.words.push(`thrown ${codeOf(error)}`);
    }
  }

  /** close() or dispose(), whose promise has to be answered some day. */
  part(how: 'close' | 'dispose'): void {
    this.unanswered += 1;
    void this.user[how]().then(() => {
      this.unanswered -= 1;
    });
  }

  /** The connection, once there is one. */
  get user(): Connection {
    if (!this.connection) throw new Error('connect() was not called yet');
    return this.connection;
  }

  answerNames(): void {
    this.namesAnswer = true;
    for (const answer of this.lookups.splice(0)) answer();
  }

  answerLogin(error?: Error): void {
    if (!error) this.loginAsked = false;
    if (error) this.login?.reject(error);
    else this.login?.resolve();
  }

  private greet(): Promise<void> | undefined {
    if (!this.loginAsked) return undefined;
    this.words.push('onConnect');
    this.login = withResolvers();
    return this.login.promise;
  }

  private readonly lookup: LookupFunction = (_name, options, callback) => {
    const { address } = this;
    const answer = () => (options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4));
    if (this.namesAnswer) answer();
    else this.lookups.push(answer);
  };
}

function codeOf({ code }: { readonly code: string }): string {
  return code.replace('NINJA_', '');
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  let reject = (_: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
