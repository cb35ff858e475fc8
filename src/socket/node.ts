import { createServer, type Socket as NetSocket, connect as netConnect, type Server } from 'node:net';
import type {
  Acceptor,
  AcceptorHandlers,
  BoundAddress,
  Clock,
  DialTarget,
  Environment,
  ListenTarget,
  Timer,
  Transport,
  TransportHandlers,
} from '../environment.js';

/** When the last timer came due in the loop: what had arrived by then was read before its callback ran. */
let polledAt = 0;

/**
 * A timer that calls back after a poll phase. `setTimeout` fires before the loop has looked at its sockets; after a
 * blocked loop the peer's bytes may lie unread in the kernel at that moment. So hop by `setImmediate`: the poll phase
 * lies between the two, and whatever had arrived when the timer came due has been read when the callback runs. What
 * blocks the loop between the two (in poll, or in an earlier immediate) makes `now()` late, but not `polledAt()`.
 */
class AfterPollTimer implements Timer {
  private readonly timeout: NodeJS.Timeout;
  private immediate: NodeJS.Immediate | undefined;
  private referenced = true;
  private dueAt = 0;

  constructor(
    private readonly callback: () => void,
    ms: number,
  ) {
    this.timeout = setTimeout(AfterPollTimer.hop, ms, this);
  }

  private static hop(this: void, timer: AfterPollTimer): void {
    timer.dueAt = performance.now();
    timer.immediate = setImmediate(AfterPollTimer.fire, timer);
    if (!timer.referenced) timer.immediate.unref();
  }

  private static fire(this: void, timer: AfterPollTimer): void {
    polledAt = timer.dueAt;
    timer.callback();
  }

  clear(): void {
    clearTimeout(this.timeout);
    if (this.immediate) clearImmediate(this.immediate);
  }

  ref(): void {
    this.referenced = true;
    this.timeout.ref();
    this.immediate?.ref();
  }

  unref(): void {
    this.referenced = false;
    this.timeout.unref();
    this.immediate?.unref();
  }
}

const clock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  polledAt: () => polledAt,
  setTimeout: (callback, ms) => new AfterPollTimer(callback, ms),
  clearTimeout: (timer) => (timer as AfterPollTimer).clear(),
  defer: (callback) => process.nextTick(callback),
};

class NodeTransport implements Transport {
  private referenced = true;

  constructor(private readonly socket: NetSocket) {}

  attach(handlers: TransportHandlers): void {
    this.socket
      .on('connect', () => {
        // A dial of several addresses has made a new handle since.
        if (!this.referenced) this.socket.unref();
        handlers.opened();
      })
      .on('data', (chunk: Buffer) => handlers.chunk(chunk))
      .on('end', () => handlers.ended())
      .on('error', (error) => handlers.failed(error))
      .on('close', () => handlers.closed());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.socket.write(bytes, written);
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  end(finished: () => void): void {
    // Destroyed meanwhile, Node calls back with an error.
    this.socket.end((error?: Error | null) => {
      if (!error) finished();
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  ref(): void {
    this.referenced = true;
    this.socket.ref();
  }

  unref(): void {
    this.referenced = false;
    this.socket.unref();
  }
}

function dial(target: DialTarget): Transport {
  const socket = netConnect({
    host: target.host,
    port: target.port,
    noDelay: target.noDelay,
    allowHalfOpen: true,
    // Absent and undefined differ to Node.
    ...(target.localAddress !== undefined && { localAddress: target.localAddress }),
    ...(target.localPort !== undefined && { localPort: target.localPort }),
    ...(target.lookup !== undefined && { lookup: target.lookup }),
  });
  return new NodeTransport(socket);
}

function listen(target: ListenTarget, handlers: AcceptorHandlers): Acceptor {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: target.noDelay });
  server
    .on('listening', () => handlers.listening(server.address() as BoundAddress))
    .on('connection', (socket) => handlers.accepted(new NodeTransport(socket)))
    .on('error', (error) => handlers.failed(error));
  server.listen({
    port: target.port,
    ...(target.host !== undefined && { host: target.host }),
    ...(target.backlog !== undefined && { backlog: target.backlog }),
  });
  return server;
}

/** The default environment: Node's own timers, chance and network. */
export const nodeEnvironment: Environment = {
  clock,
  random: () => Math.random(),
  dial,
  listen,
  warn: (error) => process.emitWarning(error),
};
