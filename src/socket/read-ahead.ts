import type { Clock, TlsFacts, Transport, TransportHandlers } from '../environment.js';

export const NOTHING: Buffer = Buffer.alloc(0);

/** Reads the beginning of a transport; then whatever else it says goes to its new owner. */
export abstract class ReadAhead implements TransportHandlers {
  /** What came behind the beginning, for the new owner. */
  rest: Buffer = NOTHING;
  owner: TransportHandlers | undefined;

  opened(): void {}

  chunk(bytes: Buffer): void {
    if (this.owner) this.owner.chunk(bytes);
    else this.read(bytes);
  }

  ended(): void {
    if (this.owner) this.owner.ended();
    else this.cut();
  }

  failed(error: Error): void {
    if (this.owner) this.owner.failed(error);
    else this.cut();
  }

  closed(): void {
    if (this.owner) this.owner.closed();
    else this.cut();
  }

  protected abstract read(bytes: Buffer): void;
  /** It is over, and has no owner. */
  protected abstract cut(): void;
}

/**
 * A transport whose beginning was read already, for a new owner: it gives first what came behind that. Where nothing did it
 * is the transport itself, and `reading` hears no more.
 */
export function handOn(inner: Transport, clock: Clock, reading: ReadAhead): Transport {
  return reading.rest.length === 0 && inner.passesOn ? inner : new HandedOn(inner, clock, reading);
}

/** What `handOn` gives where something came. */
export class HandedOn implements Transport {
  private owner: TransportHandlers | undefined;
  private isPaused = false;
  private isGone = false;

  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly proxyAddress: string | undefined;

  /** @param addresses those of `inner`, unless a proxy has told others */
  constructor(
    private readonly inner: Transport,
    private readonly clock: Clock,
    /** Has been attached to `inner`, and holds what came behind the beginning. Absent where `inner` is fresh. */
    private readonly reading: ReadAhead | undefined,
    addresses: Pick<Transport, 'remoteAddress' | 'remotePort' | 'proxyAddress'> = inner,
  ) {
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.proxyAddress = addresses.proxyAddress;
  }

  get passesOn(): boolean {
    return this.reading !== undefined || this.inner.passesOn === true;
  }

  attach(handlers: TransportHandlers): void {
    if (!this.reading) {
      this.inner.attach(handlers);
      return;
    }
    this.owner = handlers;
    this.reading.owner = handlers;
    if (this.reading.rest.length > 0) this.clock.defer(() => this.giveRest());
  }

  /** Before any I/O, so before anything that came later. */
  private giveRest(): void {
    const { reading } = this;
    if (!reading || this.isPaused || this.isGone) return;
    const { rest } = reading;
    reading.rest = NOTHING;
    if (rest.length > 0) this.owner?.chunk(rest);
  }

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
    if (this.reading && this.reading.rest.length > 0) this.clock.defer(() => this.giveRest());
    this.inner.resume();
  }

  ref(): void {
    this.inner.ref();
  }

  unref(): void {
    this.inner.unref();
  }
}
