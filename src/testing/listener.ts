import type { Acceptor, AcceptorHandlers } from '../environment.js';
import type { EventLoop, Process } from './loop.js';
import type { SimulatedSocket } from './socket.js';

/** What a listener asks of the host that it lives on. */
export interface ListenerHost {
  /** Whoever was accepted is thrown out at once. */
  readonly dropping: boolean;
  /** The port is free again. */
  released(listener: Listener): void;
  /** A transport is handed to the process. */
  accepting(socket: SimulatedSocket): void;
}

/** A simulated listening port, with the kernel's queue of those not yet accepted. */
export class Listener implements Acceptor {
  /** False after `unref()`. */
  referenced = true;
  private readonly waiting = new Set<SimulatedSocket>();
  private isClosed = false;

  constructor(
    private readonly loop: EventLoop,
    private readonly host: ListenerHost,
    readonly process: Process,
    readonly port: number,
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
    this.loop.enqueue(this.process, () => this.handlers.closed());
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  private accept(socket: SimulatedSocket): void {
    if (!this.waiting.delete(socket)) return;
    if (this.host.dropping) {
      socket.destroy();
      return;
    }
    this.host.accepting(socket);
    this.handlers.accepted(socket);
  }
}
