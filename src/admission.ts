import { type AddressMatcher, canonical, clientOf, familyOf } from './addresses.js';
import type { Acceptor, BoundAddress, Timer, Transport } from './environment.js';
import { type ErrorCode, messageOf, NinjaTcpError, show } from './errors.js';
import type { ProxyHeader } from './protocol/proxy-v2.js';
import type { ServerSettings } from './settings.js';
import { DescriptorWatch } from './socket/descriptor-watch.js';
import { HeaderReading, ProxiedTransport } from './socket/proxied.js';
import type { Timers } from './socket/timers.js';

/** Who lets in and who turns away: the server. */
export interface Doorman {
  /** How many were let in and are not gone. */
  peers(): number;
  /** @param left is to be called when it is gone */
  admit(transport: Transport, left: (() => void) | undefined): void;
  refuse(remoteAddress: string | undefined, error: NinjaTcpError): void;
}

/** What becomes of the port. */
export interface PortOwner {
  listening(address: BoundAddress): void;
  failed(error: NinjaTcpError): void;
  /** The process is short of descriptors; the port is still open. */
  starved(error: NinjaTcpError): void;
}

/** Refusals of which the last alert of TLS may tell the client. */
const ENDED_BY_FIN: ReadonlySet<ErrorCode> = new Set(['NINJA_CERTIFICATE', 'NINJA_TLS_FAILED', 'NINJA_NOT_TLS']);

/** What a socket on the way is waited for: the words of its deadline. */
type Step = 'PROXY header' | 'TLS';

interface Underway {
  readonly timer: Timer;
  step: Step;
  /** Which client it counts for. */
  client?: string | undefined;
  /** Of the client, once a proxy has told it. */
  remoteAddress?: string | undefined;
}

/** A port, and the way of a socket from being accepted to becoming a peer: guards, PROXY header, guards, TLS. */
export class Admission {
  /** Those who are on the way. They count as peers do. */
  private readonly underway = new Map<Transport, Underway>();
  /** How many sockets each client has, where that is limited. */
  private readonly clients = new Map<string, number>();
  private acceptor: Acceptor | undefined;
  private referenced = true;
  private readonly watch: DescriptorWatch;

  constructor(
    private readonly settings: ServerSettings,
    private readonly timers: Timers,
    private readonly doorman: Doorman,
  ) {
    this.watch = new DescriptorWatch(settings.reservedDescriptors, settings.environment, timers);
  }

  /** Binds the port. @param again the port that it had before */
  open(owner: PortOwner, again: number | undefined): { close(): void } {
    const failed = (error: unknown) => owner.failed(new NinjaTcpError('NINJA_LISTEN_FAILED', messageOf(error), error));
    const { settings } = this;
    try {
      const acceptor = settings.environment.listen(
        settings.path === undefined && again ? { ...settings, port: again } : settings,
        {
          listening: (address) => {
            this.watch.begin((free) => owner.starved(this.starved(free)));
            owner.listening(address);
          },
          accepted: (transport) => {
            this.accept(transport);
            this.watch.accepted();
          },
          refused: (error) => {
            const why = `a connection could not be accepted: ${messageOf(error)}`;
            this.doorman.refuse(undefined, new NinjaTcpError('NINJA_SERVER_FULL', why, error));
          },
          failed,
        },
      );
      this.acceptor = acceptor;
      if (!this.referenced) acceptor.unref();
      return {
        close: () => {
          this.watch.end();
          acceptor.close();
        },
      };
    } catch (error) {
      failed(error);
      return { close() {} };
    }
  }

  /** Whether there are descriptors enough to open again. */
  mayOpen(): boolean {
    return this.watch.isEnough();
  }

  private starved(free: number): NinjaTcpError {
    const few = `${free} ${free === 1 ? 'descriptor is' : 'descriptors are'} free, fewer than reservedDescriptors`;
    const rule = `${few}, ${this.settings.reservedDescriptors}: the port is closed until there are more`;
    return new NinjaTcpError('NINJA_FEW_DESCRIPTORS', rule);
  }

  /** Drops those who are on the way. */
  close(): void {
    for (const transport of [...this.underway.keys()]) {
      this.uncount(this.leave(transport));
      transport.destroy();
    }
  }

  refer(how: 'ref' | 'unref'): void {
    this.referenced = how === 'ref';
    this.acceptor?.[how]();
    for (const transport of this.underway.keys()) transport[how]();
  }

  private accept(transport: Transport): void {
    const { proxyProtocol, tls } = this.settings;
    const { remoteAddress } = transport;
    const objection = this.isFull() ?? (proxyProtocol ? this.distrusts(remoteAddress) : this.objectsTo(remoteAddress));
    if (objection) {
      this.turnAway(transport, objection);
    } else if (proxyProtocol) {
      this.begin(transport, 'PROXY header');
      const reading = new HeaderReading(transport, (header, error) => {
        const one = this.underway.get(transport);
        if (one && header) this.behindHeader(transport, one, header, reading);
        else if (one && error) this.drop(transport, error);
      });
    } else if (tls) {
      this.begin(transport, 'TLS', this.count(remoteAddress));
      this.secure(transport, Buffer.alloc(0), (secured) => secured);
    } else {
      this.admit(transport, this.count(remoteAddress));
    }
  }

  private behindHeader(transport: Transport, one: Underway, header: ProxyHeader, reading: HeaderReading): void {
    const { clock } = this.settings.environment;
    const proxied = new ProxiedTransport(transport, header, clock, reading);
    const { remoteAddress } = proxied;
    one.remoteAddress = remoteAddress;
    const objection = this.objectsTo(remoteAddress);
    if (objection) {
      this.drop(transport, objection);
      return;
    }
    one.client = this.count(remoteAddress);
    if (this.settings.tls) {
      one.step = 'TLS';
      this.secure(transport, reading.rest, (secured) => new ProxiedTransport(secured, header, clock));
    } else {
      this.admit(proxied, this.leave(transport));
    }
  }

  private isFull(): NinjaTcpError | undefined {
    const { maxConnections } = this.settings;
    if (this.doorman.peers() + this.underway.size < maxConnections) return undefined;
    return new NinjaTcpError('NINJA_SERVER_FULL', `the server has maxConnections, ${maxConnections} peers`);
  }

  /** Where a header is expected, it is believed only from those who are trusted. A path is guarded by its permissions. */
  private distrusts(remoteAddress: string | undefined): NinjaTcpError | undefined {
    const { proxyProtocol } = this.settings;
    if (!proxyProtocol || remoteAddress === undefined) return undefined;
    if (this.isIn(proxyProtocol.trusted, 'proxyProtocol.trusted', remoteAddress, false)) return undefined;
    return new NinjaTcpError('NINJA_BLOCKED', `${canonical(remoteAddress)} is not a trusted proxy of proxyProtocol`);
  }

  /** The guards by the client's own address. */
  private objectsTo(remoteAddress: string | undefined): NinjaTcpError | undefined {
    const { blockList, maxConnectionsPerAddress } = this.settings;
    if (remoteAddress === undefined) return undefined;
    if (blockList && this.isIn(blockList, 'blockList', remoteAddress, true)) {
      return new NinjaTcpError('NINJA_BLOCKED', `${canonical(remoteAddress)} is in blockList`);
    }
    if (maxConnectionsPerAddress === Number.POSITIVE_INFINITY) return undefined;
    const client = clientOf(remoteAddress);
    if ((this.clients.get(client) ?? 0) < maxConnectionsPerAddress) return undefined;
    const rule = `maxConnectionsPerAddress, ${maxConnectionsPerAddress} peers`;
    return new NinjaTcpError('NINJA_SERVER_FULL', `the client ${client} has ${rule}`);
  }

  /** A list of the program's own may throw: then the answer is `otherwise`, which lets nobody in. */
  private isIn(list: AddressMatcher, name: string, remoteAddress: string, otherwise: boolean): boolean {
    const address = canonical(remoteAddress);
    try {
      const answer: unknown = list.check(address, familyOf(address));
      if (typeof answer === 'boolean') return answer;
      throw new TypeError(`it must answer true or false, got ${show(answer)}`);
    } catch (cause) {
      const error = new NinjaTcpError('NINJA_HANDLER_FAILED', `${name} threw: ${messageOf(cause)}`, cause);
      this.settings.environment.warn(error);
      return otherwise;
    }
  }

  /** Counts one more socket of a client. @returns which client that is, where it is counted at all */
  private count(remoteAddress: string | undefined): string | undefined {
    if (remoteAddress === undefined || this.settings.maxConnectionsPerAddress === Number.POSITIVE_INFINITY) {
      return undefined;
    }
    const client = clientOf(remoteAddress);
    this.clients.set(client, (this.clients.get(client) ?? 0) + 1);
    return client;
  }

  private uncount(client: string | undefined): void {
    if (client === undefined) return;
    const left = (this.clients.get(client) ?? 0) - 1;
    if (left > 0) this.clients.set(client, left);
    else this.clients.delete(client);
  }

  private admit(transport: Transport, client: string | undefined): void {
    this.doorman.admit(transport, client === undefined ? undefined : () => this.uncount(client));
  }

  private begin(transport: Transport, step: Step, client?: string): void {
    const { handshakeTimeout } = this.settings;
    if (!this.referenced) transport.unref();
    const late = () => {
      const rule = `handshakeTimeout, ${handshakeTimeout} ms`;
      const missing = `no ${this.underway.get(transport)?.step} within ${rule}`;
      this.drop(transport, new NinjaTcpError('NINJA_HANDSHAKE_TIMEOUT', missing));
    };
    this.underway.set(transport, { timer: this.timers.setTimeout(late, handshakeTimeout), step, client });
  }

  private secure(transport: Transport, received: Buffer, dressed: (secured: Transport) => Transport): void {
    this.acceptor?.secure?.(transport, received, (secured, error) => {
      if (!this.underway.has(transport)) {
        // Dropped meanwhile.
        secured?.destroy();
      } else if (secured) {
        this.admit(dressed(secured), this.leave(transport));
      } else {
        const why = `no TLS with the client: ${messageOf(error)}`;
        this.drop(
          transport,
          error instanceof NinjaTcpError ? error : new NinjaTcpError('NINJA_CONNECT_FAILED', why, error),
        );
      }
    });
  }

  /** One is no longer on the way. @returns which client it counts for */
  private leave(transport: Transport): string | undefined {
    const one = this.underway.get(transport);
    if (one) this.timers.clearTimeout(one.timer);
    this.underway.delete(transport);
    return one?.client;
  }

  /** Drops one that is on the way. */
  private drop(transport: Transport, error: NinjaTcpError): void {
    const remoteAddress = this.underway.get(transport)?.remoteAddress ?? transport.remoteAddress;
    this.uncount(this.leave(transport));
    // Not by a RST where the other side is to hear the last alert of TLS.
    if (ENDED_BY_FIN.has(error.code)) transport.destroy();
    else transport.reset();
    this.doorman.refuse(remoteAddress, error);
  }

  /** Drops one that nobody has attached to yet. */
  private turnAway(transport: Transport, error: NinjaTcpError): void {
    const { remoteAddress } = transport;
    transport.attach({ opened() {}, chunk() {}, ended() {}, failed() {}, closed() {} });
    transport.reset();
    this.doorman.refuse(remoteAddress, error);
  }
}
