import { NinjaTcpError } from '../errors.js';

export const DONE = { done: true, value: undefined } as const;

/** One open iterator, as the inbox sees it. */
export interface Reader {
  open: boolean;
  /** Places of the messages that it was given last: it is done with them when it asks again. */
  owed: { readonly from: number; readonly to: number } | undefined;
  readonly copy: boolean;
  readonly inBatches: boolean;
  /** What there is for it now, if there is anything. */
  take(): unknown;
  forgetSignal(): void;
}

/** Where readers take from: the inbox. */
export interface ReaderHost {
  /** What comes next, now or later. */
  next<T>(reader: InboxIterator<T>): Promise<IteratorResult<T, undefined>>;
  isWaiting(reader: Reader): boolean;
  /** It is done with what it was given. */
  pay(reader: Reader): void;
  /** It will ask no more. */
  leave(reader: Reader, error?: Error): void;
}

/** Of a batch, or of one message. */
export function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 1;
}

/** Memory of its own; what a session has put on a message stays on it. */
export function copyOf(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  return 'acknowledge' in message
    ? Object.assign(copy, { acknowledge: message.acknowledge, number: (message as { number?: number }).number })
    : copy;
}

/** One `for await`. Two of them share the messages, each message once. Ending it ends nothing else. */
export class InboxIterator<T> implements Reader, AsyncIterableIterator<T, undefined, undefined> {
  open = true;
  owed: Reader['owed'];
  private aborted: NinjaTcpError | undefined;

  constructor(
    private readonly inbox: ReaderHost,
    readonly copy: boolean,
    private readonly signal: AbortSignal | undefined,
    readonly inBatches: boolean,
    readonly take: () => T | undefined,
  ) {
    if (signal?.aborted) this.abort();
    else signal?.addEventListener('abort', this.abort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    // Also of one that a signal has ended meanwhile: until now the program was busy with it.
    this.inbox.pay(this);
    if (this.open) return this.inbox.next(this);
    const { aborted } = this;
    this.aborted = undefined;
    return aborted ? Promise.reject(aborted) : Promise.resolve(DONE);
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.inbox.pay(this);
    this.inbox.leave(this);
    return Promise.resolve(DONE);
  }

  forgetSignal(): void {
    this.signal?.removeEventListener('abort', this.abort);
  }

  private readonly abort = (): void => {
    const error = new NinjaTcpError('NINJA_ABORTED', 'the iteration was aborted by its signal', this.signal?.reason);
    const waiting = this.inbox.isWaiting(this);
    // Nobody waits: the next call to next() is told.
    if (!waiting) this.aborted = error;
    this.inbox.leave(this, error);
  };
}
