import type { Socket } from 'node:net';
import type { TlsFacts, Transport, TransportHandlers } from '../environment.js';

/** TCP, or a Unix domain socket. */
export class NodeTransport implements Transport {
  protected referenced = true;
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  private listeners: readonly (readonly [event: string, listener: (...told: any[]) => void])[] = [];

  /** @param isTcp whether it can be reset: other sockets know no RST */
  constructor(
    protected stream: Socket,
    readonly isTcp: boolean,
    /** The system's own socket, where `stream` is TLS on top of it. */
    readonly base = stream,
  ) {}

  attach(handlers: TransportHandlers): void {
    this.listen('connect', handlers);
  }

  protected listen(opening: 'connect' | 'secureConnect', handlers: TransportHandlers): void {
    this.listeners = [
      [
        opening,
        () => {
          // A dial of several addresses has made a new handle since.
          if (!this.referenced) this.stream.unref();
          handlers.opened();
        },
      ],
      ['data', (chunk: Buffer) => handlers.chunk(chunk)],
      ['end', () => handlers.ended()],
      ['error', (error: Error) => handlers.failed(this.explain(error))],
      ['close', () => handlers.closed()],
    ];
    for (const [event, listener] of this.listeners) this.stream.on(event, listener);
  }

  /** Says nothing more to its owner. What comes from now on waits in the socket. */
  detach(): void {
    this.stream.pause();
    for (const [event, listener] of this.listeners) this.stream.off(event, listener);
  }

  /** What an error of the stream means. */
  protected explain(error: Error): Error {
    return error;
  }

  get tls(): TlsFacts | undefined {
    return undefined;
  }

  get remoteAddress(): string | undefined {
    return this.base.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.base.remotePort;
  }

  get localAddress(): string | undefined {
    return this.base.localAddress;
  }

  get localPort(): number | undefined {
    return this.base.localPort;
  }

  get pendingBytes(): number {
    return this.stream.writableLength;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.stream.write(bytes, written);
  }

  cork(): void {
    this.stream.cork();
  }

  uncork(): void {
    this.stream.uncork();
  }

  end(finished: () => void): void {
    // Destroyed meanwhile, Node calls back with an error.
    this.stream.end((error?: Error | null) => {
      if (!error) finished();
    });
  }

  destroy(): void {
    this.stream.destroy();
  }

  reset(): void {
    // TLS knows no RST of its own, and goes with its socket.
    if (this.isTcp) this.base.resetAndDestroy();
    else this.stream.destroy();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  ref(): void {
    this.referenced = true;
    this.stream.ref();
  }

  unref(): void {
    this.referenced = false;
    this.stream.unref();
  }
}
