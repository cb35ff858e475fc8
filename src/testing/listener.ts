import type { Acceptor, AcceptorHandlers } from '../environment.js';
import type { EventLoop } from './loop.js';
import type { Process } from './process.js';
import type { SimulatedSocket } from './socket.js';

/** What a listener asks of the host that it lives on. */
export interface ListenerHost {
  /** Whoever was accepted is thrown out at once. */
  readonly dropping: boolean;
  /** How many its process may still open. */
  readonly freeDescriptors: number;
  /** The port is free again. */
  released(listener: Listener): void;
  /** A transport is handed to the process. */
  accepting(socket: SimulatedSocket): void;
}

/** How long the kernel waits for the dialer's last word of the handshake, as on Linux. */
const handshakeLimitMs = 63_000;

/** A simulated listening port, with the kernel's queue of those not yet accepted. */
export class Listener implements Acceptor {
  private readonly waiting = new Set<SimulatedSocket>();
  private isClosed = false;

  constructor(
    private readonly loop: EventLoop,
    private readonly host: ListenerHost,
    readonly process: Process,
    /** A port, or a path. */
    readonly at: number | string,
    private readonly backlog: number,
    private readonly handlers: AcceptorHandlers,
  ) {}

  /** The queue is full: the kernel does not answer dials. */
  get isFull(): boolean {
    return this.waiting.size >= this.backlog;
  }

  /** Kernel: a dial is to be answered. */
  expect(socket: SimulatedSocket): void {
    this.waiting.add(socket);
    socket.handshakeLimit = this.loop.atInstant(this.loop.now + handshakeLimitMs, () => socket.die());
    socket.confirmed = () => {
      if (socket.state !== 'dialing') return;
      socket.established();
      this.loop.enqueue(this.process, () => this.accept(socket));
    };
  }

  /** Kernel: a dialer gave up before it was accepted. */
  forget(socket: SimulatedSocket): void {
    this.waiting.delete(socket);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.host.released(this);
    for (const socket of [...this.waiting]) socket.die();
    this.waiting.clear();
  }

  // Nothing keeps a virtual process alive, and nothing has to.
  ref(): void {}
  unref(): void {}

  private accept(socket: SimulatedSocket): void {
    if (!this.waiting.delete(socket)) return;
    if (this.host.dropping || this.host.freeDescriptors === 0) {
      socket.destroy();
      return;
    }
    this.host.accepting(socket);
    this.handlers.accepted(socket);
  }
}
