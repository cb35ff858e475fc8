import type { DialTarget, Environment } from '../environment.js';
import { clockOf, loopOf, type VirtualClock } from './clock.js';
import { type HostNetwork, type NetworkHost, SimulatedHost } from './host.js';
import type { Cut } from './intake.js';
import type { EventLoop } from './loop.js';
import { lookupError } from './node-errors.js';
import { type Link, Pipe, type Wiring } from './pipe.js';
import type { Process } from './process.js';
import { createRandom } from './random.js';
import { SimulatedSocket } from './socket.js';

/** Options of {@link createNetwork}. */
export interface NetworkOptions {
  /** The clock that drives it, from `createVirtualClock()`. */
  readonly clock: VirtualClock;
  /** Everything that is left to chance comes from this number. Default 1. */
  readonly seed?: number;
  /** How long a packet takes, one way, milliseconds. Default 1. */
  readonly latencyMs?: number;
  /** At most so much more, by chance, milliseconds. Default 0. Order is kept. */
  readonly jitterMs?: number;
  /** Of each connection, in each direction. Default: without bound. */
  readonly bytesPerSecond?: number;
  /** How the stream is cut into chunks. Default `'asWritten'`. */
  readonly cut?: Cut;
  /** The longest chunk, bytes. Default 65 536, as in Node. */
  readonly chunkSize?: number;
  /** How much the kernels take that the reader has not read, bytes, each direction. Default 262 144. */
  readonly windowBytes?: number;
  /** Record what happens, in `trace`, or call back with each line. Default false. */
  readonly trace?: boolean | ((line: string) => void);
}

/** A way through the network: all hosts where a side is absent. */
export interface Way {
  readonly from?: string;
  readonly to?: string;
}

/**
 * A network in memory. All of it is decided by the seed and by what the test does; the same run gives the same trace.
 *
 * It has one host to begin with, `server`, for which `localhost`, `127.0.0.1` and `::1` stand as well; others come into
 * being when they are named. Names that nobody has given fail with ENOTFOUND, addresses with EHOSTUNREACH.
 */
export interface Network {
  /**
   * What a program on a host asks of the world: give it to `connect` or `listen` as `environment`.
   *
   * @param hostName default `'server'`; a new name makes a new host
   */
  environment(hostName?: string): Environment;
  /** A host, by its name; a new name makes a new host. */
  host(name?: string): NetworkHost;
  /** Gives a host one more name, or takes a name away (`undefined`): then looking it up fails with ENOTFOUND. */
  setName(name: string, hostName: string | undefined): void;
  /**
   * Packets are lost without a word, those under way too: all, or those of one way. TCP would send them again, so
   * after `heal` they arrive, late, in order; unless their sender was destroyed meanwhile.
   *
   * @throws RangeError when no host has such a name
   */
  cut(way?: Way): void;
  /** Takes back a cut of that very way; without an argument, all of them. */
  heal(way?: Way): void;
  /** Every open connection is reset in the middle: both ends hear ECONNRESET at once. */
  resetAll(): void;
  /** Transports that were dialed or accepted and are not closed yet: 0 when nothing was left behind. */
  readonly openTransports: number;
  /** What was given to `environment.warn`. */
  readonly warnings: readonly Error[];
  /** Lines `<milliseconds> <host> <event> <detail>`, when the option `trace` is true. */
  readonly trace: readonly string[];
}

const firstRetryMs = 1000;
const dialLimitMs = 127_000;
const looksLikeAddress = /^[\d.]+$|:/;

class SimulatedNetwork implements HostNetwork, Wiring {
  readonly loop: EventLoop;
  readonly warnings: Error[] = [];
  readonly open = new Set<SimulatedSocket>();
  private readonly hosts = new Map<string, SimulatedHost>();
  private readonly names = new Map<string, SimulatedHost>();
  private readonly waitingPipes = new Set<Pipe>();
  private cuts: Way[] = [];
  private connections = 0;

  constructor(
    readonly clock: VirtualClock,
    readonly seed: number,
    readonly link: Link,
    readonly cutting: Cut,
    readonly chunkSize: number,
    readonly windowBytes: number,
    private readonly record: ((line: string) => void) | undefined,
  ) {
    this.loop = loopOf(clock);
    const server = this.host('server');
    for (const name of ['localhost', '127.0.0.1', '::1']) this.names.set(name, server);
  }

  host(name: string): SimulatedHost {
    const known = this.names.get(name) ?? this.hosts.get(name);
    if (known !== undefined) return known;
    const number = this.hosts.size + 1;
    const chosen = number === 1 ? '127.0.0.1' : `10.0.${number >> 8}.${number & 255}`;
    const host = new SimulatedHost(this, name, looksLikeAddress.test(name) ? name : chosen);
    this.hosts.set(name, host);
    this.names.set(name, host);
    this.names.set(host.address, host);
    return host;
  }

  setName(name: string, hostName: string | undefined): void {
    if (hostName === undefined) this.names.delete(name);
    else this.names.set(name, this.host(hostName));
  }

  resolve(name: string): SimulatedHost | undefined {
    return this.names.get(name);
  }

  clockFor(process: Process): Environment['clock'] {
    return clockOf(this.clock, process);
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.some((way) => (way.from ?? from) === from && (way.to ?? to) === to);
  }

  waits(pipe: Pipe): void {
    this.waitingPipes.add(pipe);
  }

  addCut(way: Way): void {
    this.cuts.push(this.known(way));
    this.trace('network', 'cut', words(way));
  }

  removeCut(way: Way | undefined): void {
    const wanted = way && this.known(way);
    this.trace('network', 'heal', words(way ?? {}));
    this.cuts = wanted === undefined ? [] : this.cuts.filter((cut) => cut.from !== wanted.from || cut.to !== wanted.to);
    for (const pipe of this.waitingPipes) {
      if (pipe.isCut) continue;
      this.waitingPipes.delete(pipe);
      pipe.healed();
    }
  }

  resetAll(): void {
    this.trace('network', 'resetAll', '');
    for (const host of this.hosts.values()) for (const socket of host.sockets) socket.breakNow();
  }

  trace(host: string, event: string, detail: string): void {
    this.record?.(`${this.loop.now} ${host} ${event} ${detail}`.trimEnd());
  }

  warn(error: Error): void {
    this.trace('network', 'warning', error.message);
    this.warnings.push(error);
  }

  get traces(): boolean {
    return this.record !== undefined;
  }

  dial(from: SimulatedHost, process: Process, target: DialTarget): SimulatedSocket {
    this.connections += 1;
    const id = this.connections;
    const socket = new SimulatedSocket(this, from, process, `#${id}>`, createRandom(this.seed, `read ${id}>`));
    if (process.dead) {
      socket.die();
      return socket;
    }
    this.trace(from.name, 'dial', `#${id}> ${target.path ?? `${target.host}:${target.port}`}`);
    from.sockets.add(socket);
    this.open.add(socket);
    this.loop.enqueue(process, () => this.lookUp(socket, from, target, id));
    return socket;
  }

  private lookUp(socket: SimulatedSocket, from: SimulatedHost, target: DialTarget, id: number): void {
    if (target.path !== undefined) {
      socket.at = target.path;
      this.meet(socket, from, from, target.path, id);
      return;
    }
    if (target.lookup === undefined || looksLikeAddress.test(target.host)) {
      this.connect(socket, from, target, target.host, id);
      return;
    }
    // As Node asks when it may choose between addresses; the answer may be one address or several.
    target.lookup(target.host, { all: true, family: 0, hints: 0 }, (error, found: unknown) => {
      const first: unknown = Array.isArray(found) ? found[0] : found;
      const address = typeof first === 'object' ? (first as { address?: unknown } | null)?.address : first;
      if (error) socket.fail(error);
      else this.connect(socket, from, target, String(address), id);
    });
  }

  private connect(socket: SimulatedSocket, from: SimulatedHost, target: DialTarget, name: string, id: number): void {
    if (socket.state !== 'dialing') return;
    const host = this.resolve(name);
    socket.remotePort = target.port;
    socket.at = target.port;
    socket.remoteAddress = host?.address ?? name;
    socket.localAddress = target.localAddress ?? from.address;
    socket.localPort = target.localPort ?? from.freePort();
    if (host === undefined) {
      if (!looksLikeAddress.test(name)) socket.fail(lookupError(name));
      else this.loop.atInstant(this.loop.now + 2 * this.link.latencyMs, () => socket.unanswered('EHOSTUNREACH'));
      return;
    }
    this.meet(socket, from, host, target.port as number, id);
  }

  /** Knocks at a host's port, or at a path of the own host, until there is an answer. */
  private meet(
    socket: SimulatedSocket,
    from: SimulatedHost,
    host: SimulatedHost,
    at: number | string,
    id: number,
  ): void {
    const { loop } = this;
    const out = new Pipe(this, from.name, host.name, createRandom(this.seed, `way ${id}>`));
    const back = new Pipe(this, host.name, from.name, createRandom(this.seed, `way ${id}<`));
    socket.out = out;
    socket.handshakeLimit = loop.atInstant(loop.now + dialLimitMs, () => socket.unanswered('ETIMEDOUT'));
    const knock = (retryMs: number): void => {
      if (socket.state !== 'dialing') return;
      out.send(0, () => {
        const random = createRandom(this.seed, `read ${id}<`);
        if (host.answer(socket, at, back, `#${id}<`, random) === 'nothing') {
          loop.atInstant(loop.now + retryMs, () => knock(2 * retryMs));
        }
      });
    };
    knock(firstRetryMs);
  }

  private known(way: Way): Way {
    const nameOf = (side: string): string => {
      const host = this.names.get(side) ?? this.hosts.get(side);
      if (host === undefined) throw new RangeError(`There is no host '${side}' in this network`);
      return host.name;
    };
    return {
      ...(way.from === undefined ? {} : { from: nameOf(way.from) }),
      ...(way.to === undefined ? {} : { to: nameOf(way.to) }),
    };
  }
}

/**
 * Makes a network on a virtual clock.
 *
 * @throws RangeError for a number out of bounds
 * @throws TypeError when `clock` is not from `createVirtualClock()`
 */
export function createNetwork(options: NetworkOptions): Network {
  const { clock, seed = 1, cut = 'asWritten', trace = false } = options;
  const link: Link = {
    latencyMs: bounded('latencyMs', options.latencyMs ?? 1, 0),
    jitterMs: bounded('jitterMs', options.jitterMs ?? 0, 0),
    bytesPerSecond: options.bytesPerSecond ?? Number.POSITIVE_INFINITY,
  };
  if (!(link.bytesPerSecond > 0)) throw new RangeError(`bytesPerSecond: above 0, not ${link.bytesPerSecond}`);
  const chunkSize = bounded('chunkSize', options.chunkSize ?? 65_536, 1);
  const windowBytes = bounded('windowBytes', options.windowBytes ?? 262_144, 1);
  const lines: string[] = [];
  const record = typeof trace === 'function' ? trace : trace ? (line: string) => void lines.push(line) : undefined;
  const network = new SimulatedNetwork(clock, seed, link, cut, chunkSize, windowBytes, record);
  return {
    environment: (hostName = 'server') => network.host(hostName).environment(),
    host: (name = 'server') => network.host(name),
    setName: (name, hostName) => network.setName(name, hostName),
    cut: (way = {}) => network.addCut(way),
    heal: (way) => network.removeCut(way),
    resetAll: () => network.resetAll(),
    get openTransports() {
      return network.open.size;
    },
    warnings: network.warnings,
    trace: lines,
  };
}

function bounded(name: string, value: number, least: number): number {
  if (value >= least && Number.isFinite(value)) return value;
  throw new RangeError(`${name}: a number from ${least}, not ${value}`);
}

function words(way: Way): string {
  return `${way.from ?? '*'} > ${way.to ?? '*'}`;
}
