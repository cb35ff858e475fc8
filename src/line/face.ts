import type { IterateOptions, MessageTaker, ReadOptions } from '../delivery/inbox.js';
import { messageOf, NinjaTcpError, type Reason, show } from '../errors.js';
import { MAX_DELAY } from '../options.js';
import type { Delivered } from './delivering.js';
import type { Line } from './line.js';
import { isPromise, Waiters } from './waiters.js';
import { type AnyStatus, Watched } from './watched.js';

export interface DeliverOptions extends SendOptions {
  /** Takes the message back where it was not handed over yet; else ends the wait only. */
  readonly signal?: AbortSignal | undefined;
}

export interface SendOptions {
  /** Milliseconds after which the message is dropped if it still waits in the outbox. Default: the option `ttl`. */
  readonly ttl?: number | undefined;
}

export interface WaitOptions {
  /** Ends the wait with `NINJA_ABORTED`; the connection goes on. */
  readonly signal?: AbortSignal | undefined;
}

function checkTtl(ttl: unknown): void {
  if (typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= MAX_DELAY) return;
  const rule = `a whole number of ms from 0 (for ever) to ${MAX_DELAY}`;
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `ttl must be ${rule}, got ${show(ttl)}`);
}

/** An end that one of the two sides asked for. */
const isWished = ({ code }: Reason): boolean => code === 'NINJA_DISPOSED' || code === 'NINJA_CLOSED_BY_PEER';

type MessageListener = (message: Buffer) => unknown;

/** What users see of a line, be it a connection or a server's peer: sending, receiving, and their ends. */
export abstract class Face<
  L extends Line,
  Events extends Record<keyof Events, unknown[]>,
  Status extends AnyStatus,
> extends Watched<L, Events, Status> {
  protected readonly ends = new Waiters<Reason>();
  protected endReason: Reason | undefined;
  private faulted = false;
  /** The one listener of `message`, or who stands for many, or who finds out. A method's call V8 inlines, `Function.call` not. */
  private taker: MessageListener = this.findTaker;

  constructor() {
    super();
    this.watchListeners();
  }

  /**
   * Accepts a message for sending; it is framed, numbered, and written at the end of the tick. A buffer must not be
   * changed afterwards; a string is sent as UTF-8.
   *
   * @returns false when `highWaterMark` bytes or half of `outboxMessages` are pending: await `drained()` before you send
   *   more
   * @throws NinjaTcpError `NINJA_INVALID_MESSAGE`, `NINJA_OUTBOX_FULL`, `NINJA_NOT_CONNECTED`, `NINJA_DISPOSED`,
   *   `NINJA_GAVE_UP`: nothing was accepted
   */
  send(message: Uint8Array | string, options?: SendOptions): boolean {
    const ttl = options?.ttl;
    if (ttl === undefined) return this.line.send(message);
    checkTtl(ttl);
    return this.line.send(message, ttl);
  }

  /**
   * Sends a message as `send` does, and waits until the other side has handled it. Only in a session.
   *
   * @throws NinjaTcpError as `send`; and `NINJA_EXPIRED`, `NINJA_ABORTED`, `NINJA_SESSION_LOST`, `NINJA_GAVE_UP`,
   *   `NINJA_DISPOSED`, whose `outcome` says what became of an accepted message: `'notSent'` or `'unknown'`
   */
  async deliver(message: Uint8Array | string, options: DeliverOptions = {}): Promise<Delivered> {
    const { ttl, signal } = options;
    if (ttl !== undefined) checkTtl(ttl);
    return this.line.deliverTo(message, ttl, signal);
  }

  /**
   * Waits until the other side has handled all that was accepted so far. Only in a session.
   *
   * @throws NinjaTcpError `NINJA_SESSION_LOST`, `NINJA_GAVE_UP`, `NINJA_DISPOSED`, `NINJA_ABORTED`
   */
  async flush(options: WaitOptions = {}): Promise<void> {
    return this.line.flush(options.signal);
  }

  /** Resolves when at most half of that is pending at which `send` returns false; rejects when the line gives up or is disposed. */
  drained(options: WaitOptions = {}): Promise<void> {
    return this.settled ? Promise.reject(this.settled) : this.line.drained(options.signal);
  }

  /** The next message, or undefined where there is none now. Never waits. */
  receive(options?: ReadOptions): Buffer | undefined {
    return this.line.inbox.receive(options);
  }

  /** Iterates over the messages. Several iterators share them, each message once. */
  messages(options?: IterateOptions): AsyncIterableIterator<Buffer, undefined, undefined> {
    return this.line.inbox.iterate(options);
  }

  /**
   * Iterates over the messages in batches: each time all that is there, at least one. For small messages it is several
   * times as fast as one promise for each. Its batches are shared with other iterators as messages are.
   */
  batches(options?: IterateOptions): AsyncIterableIterator<Buffer[], undefined, undefined> {
    return this.line.inbox.iterateBatches(options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer, undefined, undefined> {
    return this.line.inbox.iterate();
  }

  /** Flushes what was accepted, then parts with the other side. Resolves with the reason of the end; never rejects. */
  abstract close(): Promise<Reason>;

  /** Ends at once. Resolves with the reason of the end; never rejects. */
  abstract dispose(): Promise<Reason>;

  /** Resolves with the reason of the end; never rejects, unless `signal` fires. */
  closed(options: WaitOptions = {}): Promise<Reason> {
    return this.endReason ? Promise.resolve(this.endReason) : this.ends.wait('closed()', options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** As of every emitter; but the wire that tells us of `message` listeners stays. */
  override removeAllListeners(name?: unknown): this {
    this.plain.off('newListener', this.listenerComes).off('removeListener', this.listenerGoes);
    super.removeAllListeners(...((name === undefined ? [] : [name]) as never[]));
    if (this.plain.listenerCount('message') === 0) this.line.inbox.listen(undefined);
    this.watchListeners();
    return this;
  }

  private watchListeners(): void {
    this.plain.on('newListener', this.listenerComes).on('removeListener', this.listenerGoes);
  }

  private listenerComes(name: string): void {
    if (name !== 'message') return;
    // It is not among them yet.
    this.taker = this.findTaker;
    this.beginListening();
  }

  private listenerGoes(name: string): void {
    if (name !== 'message') return;
    this.taker = this.findTaker;
    if (this.plain.listenerCount('message') === 0) this.line.inbox.listen(undefined);
  }

  /** Who hands messages to the listeners, one by one. `emit` does the same for any number of them, in twice the time of all the rest. */
  private makeHand(): MessageTaker {
    return (message) => {
      try {
        const result = this.taker(message);
        if (result !== undefined) return this.follow(result);
      } catch (error) {
        this.fault(error, 'message');
      }
      return undefined;
    };
  }

  private findTaker(message: Buffer): unknown {
    const takers = this.plain.rawListeners('message') as MessageListener[];
    this.taker = takers.length === 1 ? (takers[0] as MessageListener) : this.tellAll;
    return this.taker(message);
  }

  /** Done when all of them are. */
  private tellAll(message: Buffer): unknown {
    const results = (this.plain.rawListeners('message') as MessageListener[]).map((taker) => taker.call(this, message));
    const working = results.filter(isPromise);
    return working.length > 0 ? Promise.all(working) : undefined;
  }

  /** What an async listener comes to. */
  private follow(result: unknown): PromiseLike<unknown> | undefined {
    return isPromise(result) ? result.then(undefined, (error: unknown) => this.fault(error, 'message')) : undefined;
  }

  /** Emits; a listener that throws is the program's fault, and is not ours to die of. */
  protected announce(name: string, event: unknown): void {
    try {
      this.plain.emit(name, event);
    } catch (error) {
      this.fault(error, name);
    }
  }

  /** Gives the dump to whom the option `flightRecorder` names, if this end was nobody's wish. */
  protected override tellEnd(reason: Reason): void {
    super.tellEnd(reason);
    this.tellFlight(reason);
  }

  protected tellFlight(reason: Reason): void {
    const { recorder, settings } = this.line;
    if (!recorder?.settings.dumpOnFailure || (isWished(reason) && !this.faulted)) return;
    const { dumpOnFailure } = recorder.settings;
    // The step that leads to the failure is not over yet.
    settings.environment.clock.defer(() => {
      const dump = recorder.dump();
      if (typeof dumpOnFailure !== 'function') {
        this.announce('flightDump', dump);
        return;
      }
      try {
        dumpOnFailure(dump);
      } catch (cause) {
        const words = `flightRecorder.dumpOnFailure threw: ${messageOf(cause)}`;
        settings.environment.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', words, cause));
      }
    });
  }

  protected tellDropped(): void {
    for (const dropped of this.line.takeDropped()) this.announce('dropped', dropped);
  }

  /** What a wait is rejected with that can come to nothing any more. */
  protected get settled(): NinjaTcpError | undefined {
    const { refusal } = this.line;
    return this.endReason || refusal?.code === 'NINJA_GAVE_UP' ? refusal : undefined;
  }

  /** The program's code threw: told once, and this line is closed. Others are untouched. */
  protected fault(cause: unknown, where: string): void {
    if (this.faulted || this.isOwnError(cause)) return;
    this.faulted = true;
    this.line.inbox.listen(undefined);
    const error = new NinjaTcpError(
      'NINJA_HANDLER_FAILED',
      `${where}: the program's code threw: ${messageOf(cause)}`,
      cause,
    );
    this.line.deaf = true;
    const told = this.plain.listenerCount('error') > 0;
    try {
      if (told) this.plain.emit('error', error);
    } catch (second) {
      this.line.settings.environment.warn(second instanceof Error ? second : error);
    }
    this.onFault(error, told);
  }

  /** The line's own error, thrown on by the program's code: nothing is wrong with that code. */
  protected isOwnError(error: unknown): error is NinjaTcpError {
    return error instanceof NinjaTcpError && (this.endReason !== undefined || error === this.line.refusal);
  }

  /** @param told whether an `error` listener heard of it */
  protected onFault(error: NinjaTcpError, told: boolean): void {
    if (!told) this.line.settings.environment.warn(error);
    void this.close();
  }

  /** An async listener rejected: Node brings it here. */
  [Symbol.for('nodejs.rejection')](error: unknown, name: string): void {
    this.fault(error, name);
  }

  private beginListening(): void {
    const { line } = this;
    line.inbox.listen(this.makeHand());
    if (line.inbox.messages > 0) line.settings.environment.clock.defer(() => line.inbox.drain());
  }
}
