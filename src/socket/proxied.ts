import type { Clock, TlsFacts, Transport, TransportHandlers } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import { type ProxyHeader, readProxyHeader } from '../protocol/proxy-v2.js';

const NOTHING = Buffer.alloc(0);

/** Reads the PROXY header from a transport; then whatever else it says goes to its new owner. */
export class HeaderReading implements TransportHandlers {
  /** What came behind the header. */
  rest: Buffer = NOTHING;
  owner: TransportHandlers | undefined;
  private seen: Buffer = NOTHING;
  private over = false;

  /** @param done is told of the header, or why there is none; once, from the event loop */
  constructor(
    transport: Transport,
    private readonly done: (header: ProxyHeader | undefined, error?: NinjaTcpError) => void,
  ) {
    transport.attach(this);
  }

  opened(): void {}

  chunk(bytes: Buffer): void {
    if (this.owner) {
      this.owner.chunk(bytes);
      return;
    }
    if (this.over) return;
    this.seen = this.seen.length === 0 ? bytes : Buffer.concat([this.seen, bytes]);
    try {
      const header = readProxyHeader(this.seen);
      if (!header) return;
      this.over = true;
      this.rest = this.seen.subarray(header.length);
      this.seen = NOTHING;
      this.done(header);
    } catch (error) {
      this.fail(error as NinjaTcpError);
    }
  }

  ended(): void {
    if (this.owner) this.owner.ended();
    else this.closedEarly();
  }

  failed(error: Error): void {
    if (this.owner) this.owner.failed(error);
    else this.closedEarly();
  }

  closed(): void {
    if (this.owner) this.owner.closed();
    else this.closedEarly();
  }

  private closedEarly(): void {
    const had = `it closed after ${this.seen.length} bytes`;
    this.fail(new NinjaTcpError('NINJA_PROXY_HEADER', `no PROXY header of version 2: ${had}`));
  }

  private fail(error: NinjaTcpError): void {
    if (this.over) return;
    this.over = true;
    this.done(undefined, error);
  }
}

/** A transport that came through a proxy: it tells the client's address, and gives first what came with the header. */
export class ProxiedTransport implements Transport {
  readonly proxyAddress: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  private owner: TransportHandlers | undefined;
  private isPaused = false;
  private isGone = false;

  constructor(
    private readonly inner: Transport,
    { client }: ProxyHeader,
    private readonly clock: Clock,
    /** Has been attached to `inner`, and holds what came behind the header. Absent where `inner` is fresh: TLS took it. */
    private readonly reading?: HeaderReading,
  ) {
    this.proxyAddress = inner.remoteAddress;
    this.remoteAddress = client ? client.address : inner.remoteAddress;
    this.remotePort = client ? client.port : inner.remotePort;
  }

  attach(handlers: TransportHandlers): void {
    if (!this.reading) {
      this.inner.attach(handlers);
      return;
    }
    this.owner = handlers;
    this.reading.owner = handlers;
    if (this.reading.rest.length > 0) this.clock.defer(this.giveRest);
  }

  /** Before any I/O, so before anything that came later. */
  private readonly giveRest = (): void => {
    const { reading } = this;
    if (!reading || this.isPaused || this.isGone) return;
    const { rest } = reading;
    reading.rest = NOTHING;
    if (rest.length > 0) this.owner?.chunk(rest);
  };

  get localAddress(): string | undefined {
    return this.inner.localAddress;
  }

  get localPort(): number | undefined {
    return this.inner.localPort;
  }

  get tls(): TlsFacts | undefined {
    return this.inner.tls;
  }

  get pendingBytes(): number {
    return this.inner.pendingBytes;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.inner.write(bytes, written);
  }

  cork(): void {
    this.inner.cork();
  }

  uncork(): void {
    this.inner.uncork();
  }

  end(finished: () => void): void {
    this.inner.end(finished);
  }

  destroy(): void {
    this.isGone = true;
    this.inner.destroy();
  }

  reset(): void {
    this.isGone = true;
    this.inner.reset();
  }

  pause(): void {
    this.isPaused = true;
    this.inner.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (this.reading && this.reading.rest.length > 0) this.clock.defer(this.giveRest);
    this.inner.resume();
  }

  ref(): void {
    this.inner.ref();
  }

  unref(): void {
    this.inner.unref();
  }
}
