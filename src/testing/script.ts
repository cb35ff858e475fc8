import type { Framing } from '../framing/framing.js';
import { lengthPrefixed } from '../framing/length-prefixed.js';
import { type Bytes, bytesOf, patternOf } from './bytes.js';
import { type ScriptDialOptions, type ScriptListenOptions, ScriptRun } from './script-run.js';
import { isLast, type ScriptRules, type Step, wordsOf } from './script-steps.js';

/** Options of {@link createScript}. */
export interface ScriptOptions {
  /**
   * An expectation that is not met within so many milliseconds has failed. Default 2500: less than a connection's
   * `staleAfter`, so that one hears of it before the connection finds the script silent.
   */
  readonly patienceMs?: number;
  /** Take no notice of empty frames between frames: they come whenever they like. Default true. */
  readonly ignoreHeartbeats?: boolean;
  /** What a heartbeat looks like, and where frames begin. Default `lengthPrefixed()`. */
  readonly framing?: Framing;
}

/** Options of {@link Script.expect} and {@link Script.expectEnd}. */
export interface ExpectOptions {
  /** It has to be met within so many milliseconds. Default: `patienceMs` of the script. */
  readonly withinMs?: number;
}

/** Options of {@link Script.send}. */
export interface ScriptSendOptions {
  /** Writes pieces of so many bytes … */
  readonly pieceBytes?: number;
  /** … and waits so many milliseconds between them. Default 0. */
  readonly everyMs?: number;
}

const longestDelay = 2 ** 31 - 1;

/**
 * A peer that follows a script byte for byte. Each method gives a longer script and leaves the one that it was called
 * on as it is; nothing happens until `listen` or `dial`, and a script can be run as often as one likes.
 *
 * Bytes are buffers or hex; a message is `frame('login')`.
 */
export class Script {
  /** Use {@link createScript}. */
  constructor(
    private readonly rules: ScriptRules,
    private readonly framing: Framing,
    /** The steps of each connection. */
    private readonly connections: readonly (readonly Step[])[] = [[]],
    private readonly repeats = false,
  ) {}

  /** These bytes have to come next, however they are cut. `??` in hex stands for any byte. What differs fails at once. */
  expect(bytes: Bytes, options: ExpectOptions = {}): Script {
    return this.with({ type: 'expect', pattern: patternOf(bytes), withinMs: within(options) });
  }

  /** The other side has to end: by a FIN or a reset, and no byte may come before. */
  expectEnd(options: ExpectOptions = {}): Script {
    return this.with({ type: 'expectEnd', withinMs: within(options) });
  }

  /** Writes bytes, all at once or in pieces. */
  send(bytes: Bytes, options: ScriptSendOptions = {}): Script {
    const { pieceBytes = Number.POSITIVE_INFINITY, everyMs = 0 } = options;
    if (!(pieceBytes >= 1)) throw new RangeError(`pieceBytes: from 1, not ${pieceBytes}`);
    return this.with({ type: 'send', bytes: bytesOf(bytes), pieceBytes, everyMs: delay('everyMs', everyMs, 0) });
  }

  /** Does nothing for so many milliseconds; what comes meanwhile is kept for the next `expect`. */
  wait(ms: number): Script {
    return this.with({ type: 'wait', ms: delay('wait', ms, 0) });
  }

  /** From here on an empty frame is written at once and every so many milliseconds, until the script goes silent or ends. */
  heartbeats(everyMs = 1000): Script {
    return this.with({ type: 'heartbeats', everyMs: delay('heartbeats', everyMs, 1) });
  }

  /** Calls a function of the test, and waits for its promise if it gives one. What it throws is what `done()` rejects with. */
  call(callback: () => unknown): Script {
    return this.with({ type: 'call', callback });
  }

  /** Sends a FIN. The other direction stays open: `expect` and `expectEnd` may follow. */
  end(): Script {
    return this.with({ type: 'end' });
  }

  /** Says nothing any more, not even a heartbeat or a FIN; but reads on. The last step of its connection. */
  silent(): Script {
    return this.with({ type: 'silent' });
  }

  /** Says nothing and reads nothing any more. The last step of its connection. */
  stall(): Script {
    return this.with({ type: 'stall' });
  }

  /** Resets the line: the other side hears ECONNRESET, and may lose what was sent just before. The last step. */
  reset(): Script {
    return this.with({ type: 'reset' });
  }

  /** Closes the line as a process does that exits: a FIN, or a reset where something came unread. The last step. */
  destroy(): Script {
    return this.with({ type: 'destroy' });
  }

  /** What follows is for the next connection. Without it, further connections are reset as they come. */
  nextConnection(): Script {
    if (this.repeats) throw new Error('nextConnection(): behind everyConnection() nothing can follow');
    return new Script(this.rules, this.framing, [...this.connections, []]);
  }

  /** Every further connection follows the last script too. */
  everyConnection(): Script {
    return new Script(this.rules, this.framing, this.connections, true);
  }

  /**
   * Runs it as a server, for `connect()`. On a simulated network: `listen({ environment: network.environment('server'),
   * port: 7 })`; on a real port: `listen()`, and `await run.ready()` says which.
   *
   * @throws RangeError for a port that is none
   */
  listen(options: ScriptListenOptions = {}): ScriptRun {
    return ScriptRun.listening(this.plan, options);
  }

  /** Runs it as a client, for `listen()`. It dials once for each connection of the script, one after the other. */
  dial(options: ScriptDialOptions): ScriptRun {
    if (this.repeats) throw new Error('dial(): everyConnection() is for a script that listens');
    return ScriptRun.dialing(this.plan, options);
  }

  private get plan() {
    const { rules, framing, connections, repeats } = this;
    return { rules, framing, connections, repeats };
  }

  private with(step: Step): Script {
    const { connections } = this;
    const last = connections.at(-1) as readonly Step[];
    const before = last.at(-1);
    if (this.repeats) throw new Error(`${wordsOf(step)}: behind everyConnection() nothing can follow`);
    if (before && isLast(before)) throw new Error(`${wordsOf(step)}: behind ${before.type}() nothing can follow`);
    return new Script(this.rules, this.framing, [...connections.slice(0, -1), [...last, step]]);
  }
}

function within({ withinMs }: ExpectOptions): number | undefined {
  return withinMs === undefined ? undefined : delay('withinMs', withinMs, 0);
}

function delay(name: string, ms: number, least: number): number {
  if (ms >= least && ms <= longestDelay) return ms;
  throw new RangeError(`${name}: milliseconds from ${least} to ${longestDelay}, not ${ms}`);
}

/**
 * Begins a script: a peer that says and expects exactly what is written down.
 *
 * ```ts
 * const script = createScript().expect(frame('login')).wait(200).send('00 00 00 02 6f 6b').silent();
 * const server = script.listen({ environment: network.environment('server'), port: 7 });
 * await clock.runUntil(server.done());
 * ```
 *
 * @throws RangeError for a number out of bounds
 */
export function createScript(options: ScriptOptions = {}): Script {
  const { patienceMs = 2500, ignoreHeartbeats = true, framing = lengthPrefixed() } = options;
  return new Script({ patienceMs: delay('patienceMs', patienceMs, 0), ignoreHeartbeats }, framing);
}
