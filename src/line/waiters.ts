import { NinjaTcpError } from '../errors.js';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Those who wait for the same thing. Every wait settles exactly once, and leaves nothing behind. */
export class Waiters<T> {
  private waiting: Set<Waiter<T>> | undefined;

  /** @param what for the error of an aborted wait: `connected()` */
  wait(what: string, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(aborted(what, signal));
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        if (this.waiting?.delete(waiter) && this.waiting.size === 0) this.waiting = undefined;
        signal?.removeEventListener('abort', abort);
      };
      const abort = () => {
        leave();
        reject(aborted(what, signal));
      };
      const waiter: Waiter<T> = {
        resolve: (value) => {
          leave();
          resolve(value);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.waiting ??= new Set();
      this.waiting.add(waiter);
      signal?.addEventListener('abort', abort);
    });
  }

  resolve(value: T): void {
    for (const waiter of this.waiting ?? []) waiter.resolve(value);
  }

  reject(error: Error): void {
    for (const waiter of this.waiting ?? []) waiter.reject(error);
  }

  get size(): number {
    return this.waiting?.size ?? 0;
  }
}

export function aborted(what: string, signal: AbortSignal | undefined): NinjaTcpError {
  return new NinjaTcpError('NINJA_ABORTED', `${what} was aborted by its signal`, signal?.reason);
}

/** Whatever can be waited for, also where it comes from another library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
