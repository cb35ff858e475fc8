import type { Transport, TransportHandlers } from '../../src/environment.js';

/** The server's end of a socket of which nothing is real but what comes: thousands of them cost next to nothing. */
export class FloodTransport implements Transport {
  handlers!: TransportHandlers;
  readonly pendingBytes = 0;
  readonly remotePort = 50_000;
  private gone = false;

  constructor(readonly remoteAddress: string) {}

  attach(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }

  write(_bytes: Uint8Array, written: () => void): void {
    written();
  }

  destroy(): void {
    if (this.gone) return;
    this.gone = true;
    this.handlers.closed();
  }

  reset(): void {
    this.destroy();
  }

  end(): void {}
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  ref(): void {}
  unref(): void {}
}
