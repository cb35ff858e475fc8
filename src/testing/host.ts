import type {
  Acceptor,
  AcceptorHandlers,
  BoundAddress,
  DialTarget,
  Environment,
  ListenTarget,
} from '../environment.js';
import { Listener, type ListenerHost } from './listener.js';
import { listenError } from './node-errors.js';
import type { Pipe } from './pipe.js';
import { Process } from './process.js';
import { createRandom, createRandomBytes } from './random.js';
import { SimulatedSocket, type SocketNetwork } from './socket.js';

/** A host of the network, and the faults that it can have. Each fault lasts until it is taken back. */
export interface NetworkHost {
  readonly name: string;
  /** Its address, `127.0.0.1` for the default host, else `10.0.0.2` and so on. */
  readonly address: string;
  /** Whether its process is stopped. */
  readonly frozen: boolean;
  /** The environment of its process, as `network.environment(name)`. */
  environment(): Environment;
  /**
   * Stops its process, as SIGSTOP does: no timer fires and no handler hears. Its kernel lives on: it acknowledges up
   * to the receive window, and opens connections for listening ports. (Promise jobs of code that the test calls run on.)
   */
  freeze(): void;
  /** Lets it go on, as SIGCONT does: first it hears what has arrived, then its late timers fire. */
  thaw(): void;
  /**
   * Kills its process, as SIGKILL does: its connections are reset, its ports closed, and nothing of it ever runs
   * again. The next `environment()` is that of a restarted process.
   */
  crash(): void;
  /** Dials are refused, even where somebody listens (default `true`). Open connections live on. */
  refuse(on?: boolean): void;
  /** Dials are accepted and closed at once, as by a proxy without a backend. The listener does not hear of them. */
  acceptAndDrop(on?: boolean): void;
  /** Its process accepts, writes and ends as before, but reads nothing. */
  stall(on?: boolean): void;
  /**
   * So many descriptors its process may have: each port takes one, and each connection that it dialed or accepted
   * (default: as many as it likes). When none is left, whoever is accepted is closed at once, as by libuv.
   */
  limitDescriptors(most?: number): void;
  /** Dials are not answered. As in TCP they are tried again after 1, 2, 4, … s, and fail with ETIMEDOUT after 127 s. */
  blackhole(on?: boolean): void;
}

/** What a host asks of its network. */
export interface HostNetwork extends SocketNetwork {
  readonly seed: number;
  /** Transports that a process knows of and that are not gone. */
  readonly open: Set<SimulatedSocket>;
  clockFor(process: Process): Environment['clock'];
  dial(from: SimulatedHost, process: Process, target: DialTarget): SimulatedSocket;
  /** The host that a name stands for. */
  resolve(name: string): SimulatedHost | undefined;
  warn(error: Error): void;
}

/** Names of a host's own interfaces, on every host. */
const ownAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::1', '127.0.0.1', 'localhost']);

/** Linux's default length of the queue, as Node asks for it. */
const defaultBacklog = 511;

export class SimulatedHost implements NetworkHost, ListenerHost {
  stalled = false;
  dropping = false;
  readonly sockets = new Set<SimulatedSocket>();
  private process: Process;
  private current: Environment | undefined;
  private incarnation = 1;
  private refusing = false;
  private silent = false;
  private mostDescriptors = Number.POSITIVE_INFINITY;
  private readonly listeners = new Map<number | string, Listener>();
  /** Paths that exist: a process that was killed leaves its own behind. */
  private readonly files = new Set<string>();
  private nextPort = 49_152;

  constructor(
    private readonly network: HostNetwork,
    readonly name: string,
    readonly address: string,
  ) {
    this.process = new Process(name);
  }

  get frozen(): boolean {
    return this.process.frozen;
  }

  environment(): Environment {
    this.current ??= this.environmentOf(this.process);
    return this.current;
  }

  freeze(): void {
    this.trace('freeze');
    this.network.loop.freeze(this.process);
  }

  thaw(): void {
    this.trace('thaw');
    this.network.loop.thaw(this.process);
  }

  crash(): void {
    this.trace('crash');
    this.network.loop.kill(this.process);
    for (const socket of this.sockets) socket.die();
    this.listeners.clear();
    this.incarnation += 1;
    this.process = new Process(this.name);
    this.current = undefined;
  }

  refuse(on = true): void {
    this.trace('refuse', on);
    this.refusing = on;
  }

  acceptAndDrop(on = true): void {
    this.trace('acceptAndDrop', on);
    this.dropping = on;
  }

  stall(on = true): void {
    this.trace('stall', on);
    this.stalled = on;
    if (!on) for (const socket of this.sockets) socket.readSoon();
  }

  limitDescriptors(most = Number.POSITIVE_INFINITY): void {
    this.network.trace(this.name, 'limitDescriptors', String(most));
    this.mostDescriptors = most;
  }

  get freeDescriptors(): number {
    const { open } = this.network;
    let taken = this.listeners.size;
    for (const socket of this.sockets) if (open.has(socket)) taken += 1;
    return Math.max(0, this.mostDescriptors - taken);
  }

  blackhole(on = true): void {
    this.trace('blackhole', on);
    this.silent = on;
  }

  /** Kernel: a dial arrives at a port or a path. */
  answer(dialer: SimulatedSocket, at: number | string, back: Pipe, label: string, random: () => number): Answer {
    const listener = this.listeners.get(at);
    if (this.silent) return 'nothing';
    if (this.refusing || listener === undefined) {
      const code = typeof at === 'string' && !this.files.has(at) ? 'ENOENT' : 'ECONNREFUSED';
      back.send(0, () => dialer.unanswered(code));
      return 'sent';
    }
    if (listener.isFull) return 'nothing';
    const socket = new SimulatedSocket(this.network, this, listener.process, label, random);
    socket.out = back;
    socket.peer = dialer;
    socket.at = at;
    if (typeof at === 'number') {
      socket.localAddress = this.address;
      socket.localPort = at;
    }
    socket.remoteAddress = dialer.localAddress;
    socket.remotePort = dialer.localPort;
    this.sockets.add(socket);
    listener.expect(socket);
    back.send(0, () => dialer.answered(socket));
    return 'sent';
  }

  accepting(socket: SimulatedSocket): void {
    this.network.trace(this.name, 'accepted', socket.label);
    this.network.open.add(socket);
  }

  gone(socket: SimulatedSocket): void {
    this.sockets.delete(socket);
    this.network.open.delete(socket);
    if (socket.at !== undefined) this.listeners.get(socket.at)?.forget(socket);
  }

  released(listener: Listener): void {
    if (this.listeners.get(listener.at) !== listener) return;
    this.listeners.delete(listener.at);
    if (typeof listener.at === 'string') this.files.delete(listener.at);
  }

  /** A port of the range that the system chooses from. */
  freePort(): number {
    do {
      this.nextPort = this.nextPort < 65_535 ? this.nextPort + 1 : 49_152;
    } while (this.listeners.has(this.nextPort));
    return this.nextPort;
  }

  private environmentOf(process: Process): Environment {
    const { network } = this;
    return {
      clock: network.clockFor(process),
      // A stream of its own for each process: what the network draws does not change what its programs draw.
      random: createRandom(network.seed, `process ${this.name} ${this.incarnation}`),
      randomBytes: createRandomBytes(network.seed, `process ${this.name} ${this.incarnation} bytes`),
      dial: (target) => network.dial(this, process, target),
      listen: (target, handlers) => this.listen(process, target, handlers),
      freeDescriptors: () => (this.mostDescriptors === Number.POSITIVE_INFINITY ? undefined : this.freeDescriptors),
      warn: (error) => network.warn(error),
    };
  }

  private listen(process: Process, target: ListenTarget, handlers: AcceptorHandlers): Acceptor {
    if (target.path !== undefined) return this.listenAt(target.path, process, target, handlers);
    const { loop } = this.network;
    const port = target.port ? target.port : this.freePort();
    const listener = new Listener(loop, this, process, port, target.backlog ?? defaultBacklog, handlers);
    if (process.dead) return listener;
    const address = ownAddresses.has(target.host ?? '::') ? (target.host ?? '::') : this.address;
    const isOurs =
      target.host === undefined || ownAddresses.has(target.host) || this.network.resolve(target.host) === this;
    if (!isOurs || this.listeners.has(port)) {
      const code = isOurs ? 'EADDRINUSE' : 'EADDRNOTAVAIL';
      const error = listenError(code, isOurs ? address : (target.host as string), port);
      this.network.trace(this.name, 'listen', error.message);
      loop.enqueue(process, () => handlers.failed(error));
      return listener;
    }
    this.listeners.set(port, listener);
    const bound: BoundAddress = { address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' };
    this.network.trace(this.name, 'listen', `${port}`);
    loop.enqueue(process, () => handlers.listening(bound));
    return listener;
  }

  private listenAt(path: string, process: Process, target: ListenTarget, handlers: AcceptorHandlers): Acceptor {
    const { loop } = this.network;
    const listener = new Listener(loop, this, process, path, target.backlog ?? defaultBacklog, handlers);
    if (process.dead) return listener;
    const error = this.files.has(path) ? listenError('EADDRINUSE', path, path) : undefined;
    this.network.trace(this.name, 'listen', error?.message ?? path);
    if (error) {
      loop.enqueue(process, () => handlers.failed(error));
      return listener;
    }
    this.files.add(path);
    this.listeners.set(path, listener);
    loop.enqueue(process, () => handlers.listening({ address: path, port: 0, family: 'unix' }));
    return listener;
  }

  private trace(fault: string, on?: boolean): void {
    this.network.trace(this.name, fault, on === undefined ? '' : String(on));
  }
}

/** Whether a dial's packet got any answer. */
export type Answer = 'sent' | 'nothing';
