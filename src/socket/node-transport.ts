import type { Socket } from 'node:net';
import type { Transport, TransportHandlers } from '../environment.js';

/** TCP, or a Unix domain socket. */
export class NodeTransport implements Transport {
  private referenced = true;

  /** @param isTcp whether it can be reset: other sockets know no RST */
  constructor(
    private readonly socket: Socket,
    private readonly isTcp: boolean,
  ) {}

  attach(handlers: TransportHandlers): void {
    this.socket
      .on('connect', () => {
        // A dial of several addresses has made a new handle since.
        if (!this.referenced) this.socket.unref();
        handlers.opened();
      })
      .on('data', (chunk: Buffer) => handlers.chunk(chunk))
      .on('end', () => handlers.ended())
      .on('error', (error) => handlers.failed(error))
      .on('close', () => handlers.closed());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.socket.write(bytes, written);
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  end(finished: () => void): void {
    // Destroyed meanwhile, Node calls back with an error.
    this.socket.end((error?: Error | null) => {
      if (!error) finished();
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    if (this.isTcp) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  ref(): void {
    this.referenced = true;
    this.socket.ref();
  }

  unref(): void {
    this.referenced = false;
    this.socket.unref();
  }
}
