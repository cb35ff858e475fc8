import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Cut } from './intake.js';
import { ProxyLine } from './proxy-line.js';
import type { ProxyLink } from './proxy-way.js';
import { createRandom } from './random.js';

/** How bytes travel through a {@link FaultProxy}; all of it can be changed by `set`. */
export interface FaultProxyLinkOptions {
  /** How much later bytes come out, one way, milliseconds. Default 0. */
  readonly latencyMs?: number;
  /** Of each connection, in each direction. Default: without bound. */
  readonly bytesPerSecond?: number;
  /** How the stream is cut into chunks. Default `'asWritten'`. The reader's kernel may put pieces together again. */
  readonly cut?: Cut;
  /** The longest chunk, bytes. Default 65 536. */
  readonly chunkSize?: number;
}

/** Options of {@link createFaultProxy}. */
export interface FaultProxyOptions extends FaultProxyLinkOptions {
  /** Where the real server is. */
  readonly target: { readonly host?: string; readonly port: number };
  /** The proxy's own port, on 127.0.0.1. Default 0: the system chooses. */
  readonly port?: number;
  /** Cutting at random comes from this number. Default 1. */
  readonly seed?: number;
}

/** A way through the proxy: both where a side is absent. */
export interface ProxyWayName {
  readonly from?: 'client' | 'server';
  readonly to?: 'client' | 'server';
}

/**
 * A TCP proxy with faults, on 127.0.0.1, for tests that use real sockets, of any TCP program. The words are those of the
 * simulated network.
 */
export interface FaultProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Lines that clients have open. */
  readonly connections: number;
  /** Changes how bytes travel, those under way too; what is absent stays as it is. */
  set(link: FaultProxyLinkOptions): void;
  /**
   * Nothing passes any more, not even a FIN or a reset: all, or one way. What comes is held, up to 256 KiB a way; then the
   * sender feels that nobody reads. New connections are opened by the kernel, and hear nothing.
   */
  cut(way?: ProxyWayName): void;
  /** Takes back a cut of that very way; without an argument, all of them. What was held arrives. */
  heal(way?: ProxyWayName): void;
  /** Every connection is reset, on both sides. */
  resetAll(): void;
  /** Every connection gets a FIN, on both sides. */
  hangUp(): void;
  /** The server's ends are closed, and the clients are not told: what they send is lost, and nobody answers. */
  halfOpen(): void;
  /** Dials are refused (default `true`), since the port is closed. Open connections live on. Await it. */
  refuse(on?: boolean): Promise<void>;
  /** Dials are accepted and closed at once, as by a proxy without a backend. */
  acceptAndDrop(on?: boolean): void;
  /** Nothing that clients send is read; what the server sends passes. */
  stall(on?: boolean): void;
  /** New connections lead nowhere. (The kernel opens them all the same: no program can keep it from that.) */
  blackhole(on?: boolean): void;
  /** Closes the port and all connections, and resolves when nothing of it is left. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const host = '127.0.0.1';

class RealFaultProxy implements FaultProxy {
  readonly host = host;
  port = 0;
  private server: Server | undefined;
  private readonly lines = new Set<ProxyLine>();
  private readonly sockets = new Set<Socket>();
  private cuts: ProxyWayName[] = [];
  private dropping = false;
  private stalled = false;
  private silent = false;
  private closed = false;
  private readonly random: () => number;

  constructor(
    private readonly target: FaultProxyOptions['target'],
    private link: ProxyLink,
    seed: number,
  ) {
    this.random = createRandom(seed, 'proxy');
  }

  get connections(): number {
    return [...this.lines].filter((line) => line.isOpen).length;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket));
    this.server = server;
    server.listen({ host, port });
    await once(server, 'listening');
    const address = server.address();
    this.port = typeof address === 'object' && address ? address.port : port;
  }

  set(link: FaultProxyLinkOptions): void {
    this.link = checkedLink(link, this.link);
    this.pump();
  }

  cut(way: ProxyWayName = {}): void {
    this.cuts.push(checkedWay(way));
    this.pump();
  }

  heal(way?: ProxyWayName): void {
    const { from, to } = way ? checkedWay(way) : {};
    this.cuts = way ? this.cuts.filter((cut) => cut.from !== from || cut.to !== to) : [];
    this.pump();
  }

  resetAll(): void {
    for (const line of this.lines) line.end('resetAndDestroy');
  }

  hangUp(): void {
    for (const line of this.lines) line.end('end');
  }

  halfOpen(): void {
    for (const line of this.lines) line.halve();
  }

  async refuse(on = true): Promise<void> {
    if (this.closed || on === (this.server === undefined)) return;
    if (!on) {
      await this.listen(this.port);
      return;
    }
    // Its own close waits for all its connections: they live on.
    this.server?.close();
    this.server = undefined;
  }

  acceptAndDrop(on = true): void {
    this.dropping = on;
  }

  stall(on = true): void {
    this.stalled = on;
    for (const line of this.lines) line.toServer.stall(on);
  }

  blackhole(on = true): void {
    this.silent = on;
    this.pump();
  }

  async close(): Promise<void> {
    this.closed = true;
    const { server } = this;
    this.server = undefined;
    const ends = [...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const line of this.lines) line.end('destroy');
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all(ends);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private accept(client: Socket): void {
    this.keep(client);
    if (this.dropping || this.closed) {
      client.on('error', () => {}).destroy();
      return;
    }
    const { target } = this;
    const dial = (opened: () => void): Socket => {
      const server = connect(
        { host: target.host ?? host, port: target.port, allowHalfOpen: true, noDelay: true },
        opened,
      );
      this.keep(server);
      return server;
    };
    const line = new ProxyLine(client, dial, () => this.link, this.random);
    this.lines.add(line);
    if (this.stalled) line.toServer.stall(true);
    this.arrange(line);
  }

  /** Known until it is closed. */
  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => {
      this.sockets.delete(socket);
      for (const line of this.lines) if (line.isGone) this.lines.delete(line);
    });
  }

  private pump(): void {
    for (const line of this.lines) this.arrange(line);
  }

  private arrange(line: ProxyLine): void {
    const toServer = this.isCut('client', 'server');
    const toClient = this.isCut('server', 'client');
    line.toServer.cut(toServer);
    line.toClient.cut(toClient);
    // A handshake needs both ways.
    if (!toServer && !toClient && !this.silent) line.connect();
  }

  private isCut(from: string, to: string): boolean {
    return this.cuts.some((way) => (way.from ?? from) === from && (way.to ?? to) === to);
  }
}

function checkedWay(way: ProxyWayName): ProxyWayName {
  for (const side of [way.from, way.to]) {
    if (side === undefined || side === 'client' || side === 'server') continue;
    throw new RangeError(`A way leads from 'client' or 'server' to the other, not '${side}'`);
  }
  return way;
}

function checkedLink(wanted: FaultProxyLinkOptions, before: ProxyLink): ProxyLink {
  const link = { ...before, ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) };
  const { latencyMs, bytesPerSecond, chunkSize, cut } = link;
  if (!(latencyMs >= 0 && latencyMs < 2 ** 31)) throw new RangeError(`latencyMs: a number from 0, not ${latencyMs}`);
  if (!(bytesPerSecond > 0)) throw new RangeError(`bytesPerSecond: above 0, not ${bytesPerSecond}`);
  if (!(chunkSize >= 1)) throw new RangeError(`chunkSize: a number from 1, not ${chunkSize}`);
  if (!['asWritten', 'random', 'bytes'].includes(cut)) throw new RangeError(`cut: there is no '${cut}'`);
  return { latencyMs, bytesPerSecond, chunkSize, cut };
}

/**
 * Makes a TCP proxy with faults, and resolves when it listens.
 *
 * ```ts
 * await using proxy = await createFaultProxy({ target: { port: 5432 } });
 * const client = connectToDatabase(proxy.host, proxy.port);
 * proxy.cut();
 * ```
 *
 * @throws RangeError for a number out of bounds
 * @throws Error of Node (as a rejection) where the port cannot be had
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { target, port = 0, seed = 1, latencyMs, bytesPerSecond, cut, chunkSize } = options;
  const plain: ProxyLink = {
    latencyMs: 0,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    cut: 'asWritten',
    chunkSize: 65_536,
  };
  const wanted = { latencyMs, bytesPerSecond, cut, chunkSize } as FaultProxyLinkOptions;
  const proxy = new RealFaultProxy(target, checkedLink(wanted, plain), seed);
  await proxy.listen(port);
  return proxy;
}
