import type { Clock, Transport } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import { type ProxyHeader, readProxyHeader } from '../protocol/proxy-v2.js';
import { HandedOn, NOTHING, ReadAhead } from './read-ahead.js';

/** Reads the PROXY header from a transport. */
export class HeaderReading extends ReadAhead {
  private seen: Buffer = NOTHING;
  private over = false;

  /** @param done is told of the header, or why there is none; once, from the event loop */
  constructor(
    transport: Transport,
    private readonly done: (header: ProxyHeader | undefined, error?: NinjaTcpError) => void,
  ) {
    super();
    transport.attach(this);
  }

  protected read(bytes: Buffer): void {
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

  protected cut(): void {
    const had = `it closed after ${this.seen.length} bytes`;
    this.fail(new NinjaTcpError('NINJA_PROXY_HEADER', `no PROXY header of version 2: ${had}`));
  }

  private fail(error: NinjaTcpError): void {
    if (this.over) return;
    this.over = true;
    this.done(undefined, error);
  }
}

/** A transport that came through a proxy: it tells the client's address. */
export class ProxiedTransport extends HandedOn {
  constructor(
    inner: Transport,
    { client }: ProxyHeader,
    clock: Clock,
    /** Absent where `inner` is fresh: TLS took what came behind the header. */
    reading?: HeaderReading,
  ) {
    super(inner, clock, reading, {
      proxyAddress: inner.remoteAddress,
      remoteAddress: client ? client.address : inner.remoteAddress,
      remotePort: client ? client.port : inner.remotePort,
    });
  }
}
