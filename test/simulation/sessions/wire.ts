/** Between the library and the network: breaks single sockets, and lets an old one be heard after its time. */
import type { Clock, Environment, TlsFacts, Transport, TransportHandlers } from '../../../src/index.js';

/** Of a line that nobody else can read. */
export const TLS_FACTS: TlsFacts = {
  authorized: true,
  authorizationError: undefined,
  protocol: 'TLSv1.3',
  alpnProtocol: undefined,
  servername: undefined,
  peerCertificate: undefined,
};

type Told = 'opened' | 'chunk' | 'ended' | 'failed' | 'closed';

/** One end of a socket. */
export class Wire implements Transport, TransportHandlers {
  isOpen = false;
  /** The library threw it away, or it is gone. */
  over = false;
  private handlers: TransportHandlers | undefined;
  /** What was heard while it was held up. */
  private held: (readonly [what: Told, tell: () => void])[] | undefined;

  constructor(
    private readonly inner: Transport,
    private readonly clock: Clock,
    readonly tls: TlsFacts | undefined,
  ) {}

  // --- faults

  /** The socket breaks here: with a RST, or as a process in between dies, with a FIN. */
  kill(how: 'reset' | 'fin'): void {
    if (how === 'reset') this.inner.reset();
    else this.inner.destroy();
  }

  /** What this end hears comes so much later, in order: as of a socket whose other end is long gone. */
  holdUp(ms: number): void {
    if (this.held || this.over) return;
    this.held = [];
    this.clock.setTimeout(() => {
      for (let next = this.held?.shift(); next; next = this.held?.shift()) next[1]();
      this.held = undefined;
    }, ms);
  }

  private tell(what: Told, tell: () => void): void {
    if (this.held) this.held.push([what, tell]);
    else tell();
  }

  // --- what the network tells

  opened(): void {
    this.isOpen = true;
    this.tell('opened', () => this.handlers?.opened());
  }

  chunk(bytes: Buffer): void {
    this.tell('chunk', () => this.handlers?.chunk(bytes));
  }

  ended(): void {
    this.tell('ended', () => this.handlers?.ended());
  }

  failed(error: Error): void {
    this.tell('failed', () => this.handlers?.failed(error));
  }

  closed(): void {
    this.tell('closed', () => {
      this.over = true;
      this.handlers?.closed();
    });
  }

  // --- what the library orders

  attach(handlers: TransportHandlers): void {
    this.handlers = handlers;
    this.inner.attach(this);
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
    this.letGo();
    this.inner.destroy();
  }

  reset(): void {
    this.letGo();
    this.inner.reset();
  }

  /** What was held up is of no interest any more, but for the end. */
  private letGo(): void {
    const end = this.held?.find(([what]) => what === 'closed');
    this.held = undefined;
    this.over = true;
    if (end) this.clock.setTimeout(end[1], 0);
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  ref(): void {
    this.inner.ref();
  }

  unref(): void {
    this.inner.unref();
  }

  get pendingBytes(): number {
    return this.inner.pendingBytes;
  }

  get remoteAddress(): string | undefined {
    return this.inner.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.inner.remotePort;
  }

  get localAddress(): string | undefined {
    return this.inner.localAddress;
  }

  get localPort(): number | undefined {
    return this.inner.localPort;
  }
}

/** The same environment, where each socket is a wire. `met` is called with each before the library has it. */
export function wired(environment: Environment, secure: boolean, met: (wire: Wire) => void): Environment {
  const wireTo = (transport: Transport): Wire => {
    const wire = new Wire(transport, environment.clock, secure ? TLS_FACTS : undefined);
    met(wire);
    return wire;
  };
  return {
    ...environment,
    dial: (target) => wireTo(environment.dial(target)),
    listen: (target, handlers) =>
      environment.listen(target, { ...handlers, accepted: (transport) => handlers.accepted(wireTo(transport)) }),
  };
}
