import { NinjaTcpError } from '../errors.js';
import { Fifo } from './fifo.js';
import { copyOf, countOf, DONE, InboxIterator, type Reader } from './reader.js';

export interface InboxLimits {
  readonly inboxBytes: number;
  readonly inboxMessages: number;
}

export interface ReadOptions {
  /** Memory of its own for each message, instead of a view of the chunk it came in. Default: the option `copy`. */
  readonly copy?: boolean | undefined;
}

export interface IterateOptions extends ReadOptions {
  /** Ends the iteration with `NINJA_ABORTED` when it fires; the connection goes on. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly reader: Reader;
  /** With what `reader.take()` gave. */
  resolve(result: IteratorResult<never, undefined>): void;
  reject(error: Error): void;
}

/** Hears messages. What it returns settles when the program is done with one; undefined says at once. */
export type MessageTaker = (message: Buffer) => PromiseLike<unknown> | undefined;

/** Is told of each message that the program is done with, by its place among all that came, from 1. */
export interface Settler {
  settlePlace(place: number): void;
}

/** Where the socket is told to stop and go on reading. */
export interface ReadingGate {
  pauseReading(): void;
  resumeReading(): void;
}

/**
 * Decoded but not yet taken. A message goes to exactly one place: the listener if there is one, else the first
 * waiting reader, else the queue. When the queue is full, reading pauses until half of it is taken; the chunk that
 * filled it is still taken in whole.
 */
export class Inbox {
  bytes = 0;
  full = false;
  /** Of a session. */
  settler: Settler | undefined;
  private handedOut = 0;
  private readonly queue = new Fifo<Buffer>();
  private readonly waiters = new Fifo<Waiter>();
  private listener: MessageTaker | undefined;
  /** Open iterators. */
  private iterators = 0;
  private end: { readonly error: Error | undefined } | undefined;

  constructor(
    private readonly limits: InboxLimits,
    private readonly gate: ReadingGate,
    private readonly copyAlways: boolean,
  ) {}

  get messages(): number {
    return this.queue.length;
  }

  deliver(message: Buffer): void {
    const { listener } = this;
    if (listener === undefined || this.queue.length > 0) this.keep(message);
    else listener(this.copyAlways ? copyOf(message) : message);
  }

  /** The same for a session that wants to know. @returns true where the program is done with it; else the settler hears */
  deliverCounted(message: Buffer): boolean {
    const { listener } = this;
    if (listener === undefined || this.queue.length > 0) {
      this.keep(message);
      return false;
    }
    this.handedOut += 1;
    const working = listener(this.copyAlways ? copyOf(message) : message);
    if (working === undefined) return true;
    this.settleAfter(working, this.handedOut);
    return false;
  }

  private settleAfter(working: PromiseLike<unknown>, place: number): void {
    const done = () => this.settler?.settlePlace(place);
    working.then(done, done);
  }

  /** Messages that a reader was given, this many more. */
  private owe(reader: Reader, count: number): void {
    if (!this.settler) return;
    this.pay(reader);
    reader.owed = { from: this.handedOut + 1, to: this.handedOut + count };
    this.handedOut += count;
  }

  /** A reader is done with what it was given. */
  pay(reader: Reader): void {
    const { owed } = reader;
    if (!owed) return;
    reader.owed = undefined;
    for (let place = owed.from; place <= owed.to; place += 1) this.settler?.settlePlace(place);
  }

  /** For a reader. On its own, as is what is rare in it, so that V8 inlines `deliver`, down to the listener. */
  private keep(message: Buffer): void {
    const { queue, limits } = this;
    if (queue.length === 0 && this.answered(message)) return;
    queue.push(message);
    this.bytes += message.length;
    if (this.bytes >= limits.inboxBytes || queue.length >= limits.inboxMessages) this.pause();
  }

  /** Gives it to who waits, if somebody does. */
  private answered(message: Buffer): boolean {
    const waiter = this.waiters.first();
    if (waiter === undefined) return false;
    if (waiter.reader.inBatches) {
      // Answered when the running chunk is decoded: then the batch is whole.
      void Promise.resolve().then(() => this.serve());
      return false;
    }
    this.waiters.shift();
    this.owe(waiter.reader, 1);
    waiter.resolve({ done: false, value: (waiter.reader.copy ? copyOf(message) : message) as never });
    return true;
  }

  private pause(): void {
    if (this.full) return;
    this.full = true;
    this.gate.pauseReading();
  }

  /** Takes the next message without waiting: the program is done with it then. */
  receive(options: ReadOptions = {}): Buffer | undefined {
    const message = this.take(options);
    if (message !== undefined && this.settler) {
      this.handedOut += 1;
      this.settler.settlePlace(this.handedOut);
    }
    return message;
  }

  private take(options: ReadOptions = {}): Buffer | undefined {
    const message = this.queue.shift();
    if (message === undefined) return undefined;
    this.bytes -= message.length;
    this.resumeIfRoom();
    return (options.copy ?? this.copyAlways) ? copyOf(message) : message;
  }

  /** Takes all that is there, without waiting; undefined where there is nothing. */
  receiveAll(copy: boolean): Buffer[] | undefined {
    if (this.queue.length === 0) return undefined;
    const messages = this.queue.drain();
    this.bytes = 0;
    this.resumeIfRoom();
    return copy ? messages.map(copyOf) : messages;
  }

  private resumeIfRoom(): void {
    const { inboxBytes, inboxMessages } = this.limits;
    if (!this.full || this.bytes > inboxBytes / 2 || this.queue.length > inboxMessages / 2) return;
    this.full = false;
    this.gate.resumeReading();
  }

  /** Gives what is queued to those who wait. */
  private serve(): void {
    while (this.queue.length > 0) {
      const waiter = this.waiters.shift();
      if (!waiter) return;
      const value = waiter.reader.take();
      this.owe(waiter.reader, countOf(value));
      waiter.resolve({ done: false, value: value as never });
    }
  }

  /**
   * Sets or takes away the one who hears every message. What is queued is not given here: see `drain`.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION` while an iterator is open
   */
  listen(listener: MessageTaker | undefined): void {
    if (listener && this.iterators > 0) {
      throw new NinjaTcpError(
        'NINJA_INVALID_OPTION',
        "on('message') must not be used while an iterator is open: a message goes to one of them only",
      );
    }
    this.listener = listener;
  }

  /** Gives what is queued to the listener. */
  drain(): void {
    while (this.listener) {
      const message = this.take();
      if (message === undefined) return;
      this.handedOut += 1;
      const place = this.handedOut;
      const working = this.listener(message);
      if (working) this.settleAfter(working, place);
      else this.settler?.settlePlace(place);
    }
  }

  /**
   * No more messages will come: readers end once the queue is empty, with `error` if there is one. A later end may take
   * the place of an error (who gave up, and is disposed then, just ends), never that of a peaceful end.
   */
  close(error?: Error): void {
    if (this.end && !this.end.error) return;
    this.serve();
    this.end = { error };
    for (const waiter of this.waiters.extract(() => true)) {
      this.leave(waiter.reader);
      if (error) waiter.reject(error);
      else waiter.resolve(DONE);
    }
  }

  /** Messages may come again. */
  reopen(): void {
    this.end = undefined;
  }

  /** @throws NinjaTcpError `NINJA_INVALID_OPTION` while there is a `message` listener */
  iterate(options: IterateOptions = {}): AsyncIterableIterator<Buffer, undefined, undefined> {
    const copy = options.copy ?? this.copyAlways;
    return this.open(new InboxIterator(this, copy, options.signal, false, () => this.take({ copy })));
  }

  /** The same in batches: each time all that is there, at least one message. */
  iterateBatches(options: IterateOptions = {}): AsyncIterableIterator<Buffer[], undefined, undefined> {
    const copy = options.copy ?? this.copyAlways;
    return this.open(new InboxIterator(this, copy, options.signal, true, () => this.receiveAll(copy)));
  }

  private open<Iterator extends Reader>(reader: Iterator): Iterator {
    if (this.listener) {
      reader.forgetSignal();
      throw new NinjaTcpError(
        'NINJA_INVALID_OPTION',
        "an iterator must not be used beside on('message'): a message goes to one of them only",
      );
    }
    if (reader.open) this.iterators += 1;
    return reader;
  }

  /** What comes next for `reader`, who waits for it where there is nothing yet. */
  next<T>(reader: InboxIterator<T>): Promise<IteratorResult<T, undefined>> {
    const value = reader.take();
    if (value !== undefined) this.owe(reader, countOf(value));
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.end) {
      this.leave(reader);
      return this.end.error ? Promise.reject(this.end.error) : Promise.resolve(DONE);
    }
    return new Promise((resolve, reject) => this.waiters.push({ reader, resolve, reject }));
  }

  isWaiting(reader: Reader): boolean {
    for (const waiter of this.waiters) if (waiter.reader === reader) return true;
    return false;
  }

  /** `reader` will ask no more; what it still waits for is answered with the error, or with the end. */
  leave(reader: Reader, error?: Error): void {
    if (!reader.open) return;
    reader.open = false;
    reader.forgetSignal();
    this.iterators -= 1;
    for (const waiter of this.waiters.extract((one) => one.reader === reader)) {
      if (error) waiter.reject(error);
      else waiter.resolve(DONE);
    }
  }
}
