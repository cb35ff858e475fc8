import type { Socket } from 'node:net';
import type { TlsFacts, Transport, TransportHandlers } from '../environment.js';

/** Where a stream keeps the transport that listens to it. */
const LISTENER = Symbol('ninja-tcp.listener');

interface HeardSocket extends Socket {
  [LISTENER]: NodeTransport;
}

/** TCP, or a Unix domain socket. */
export class NodeTransport implements Transport {
  protected referenced = true;
  private handlers: TransportHandlers | undefined;

  // The same for all streams: a closure for each event of each would weigh more than the stream's own listeners.
  private static readonly opened = function (this: HeardSocket) {
    const transport = this[LISTENER];
    // A dial of several addresses has made a new handle since.
    if (!transport.referenced) this.unref();
    transport.handlers?.opened();
  };
  private static readonly listeners = {
    data(this: HeardSocket, chunk: Buffer) {
      this[LISTENER].handlers?.chunk(chunk);
    },
    end(this: HeardSocket) {
      this[LISTENER].handlers?.ended();
    },
    error(this: HeardSocket, error: Error) {
      const transport = this[LISTENER];
      transport.handlers?.failed(transport.explain(error));
    },
    close(this: HeardSocket) {
      this[LISTENER].handlers?.closed();
    },
  };

  /** @param isTcp whether it can be reset: other sockets know no RST */
  constructor(
    protected stream: Socket,
    readonly isTcp: boolean,
    /** The system's own socket, where `stream` is TLS on top of it. */
    readonly base = stream,
  ) {}

  get passesOn(): boolean {
    return true;
  }

  attach(handlers: TransportHandlers): void {
    if (this.handlers) this.handlers = handlers;
    else this.listen('connect', handlers);
  }

  protected listen(opening: 'connect' | 'secureConnect', handlers: TransportHandlers): void {
    const { data, end, error, close } = NodeTransport.listeners;
    this.handlers = handlers;
    (this.stream as HeardSocket)[LISTENER] = this;
    this.stream.on(opening, NodeTransport.opened).on('data', data).on('end', end).on('error', error).on('close', close);
  }

  /** Says nothing more to its owner. What comes from now on waits in the socket. */
  detach(): void {
    const { data, end, error, close } = NodeTransport.listeners;
    this.handlers = undefined;
    this.stream
      .pause()
      .off('connect', NodeTransport.opened)
      .off('data', data)
      .off('end', end)
      .off('error', error)
      .off('close', close);
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
