import type { EventEmitter } from 'node:events';
import { type ProxyEnd, type ProxyLink, ProxyWay } from './proxy-way.js';

/** A socket of node:net, as far as a line needs it. */
export interface ProxySocket extends ProxyEnd, EventEmitter {
  destroy(): unknown;
}

/** One line through a proxy: the client's socket, and that to the target. */
export class ProxyLine {
  readonly toServer: ProxyWay;
  readonly toClient: ProxyWay;
  private server: ProxySocket | undefined;
  private isHalf = false;

  constructor(
    private readonly client: ProxySocket,
    /** Dials the target, and calls back when the line is open. */
    private readonly dial: (opened: () => void) => ProxySocket,
    link: () => ProxyLink,
    random: () => number,
  ) {
    const broke = (): void => this.end('destroy');
    this.toServer = new ProxyWay(client, link, random, broke);
    // The way back begins when there is somebody to begin it.
    const lateServer: ProxyEnd = {
      destroyed: false,
      write: () => {},
      end: () => {},
      resetAndDestroy: () => {},
      pause: () => this.server?.pause(),
      resume: () => this.server?.resume(),
    };
    this.toClient = new ProxyWay(lateServer, link, random, broke);
    this.toClient.lead(client);
    this.listen(client, this.toServer);
  }

  /** Nothing of it is left. */
  get isGone(): boolean {
    return this.client.destroyed && (this.server?.destroyed ?? true);
  }

  /** The client has it open. */
  get isOpen(): boolean {
    return !this.client.destroyed;
  }

  /** Dials the target, unless it was done. */
  connect(): void {
    if (this.server || this.isHalf || this.client.destroyed) return;
    const server = this.dial(() => this.toServer.lead(server));
    this.server = server;
    this.listen(server, this.toClient);
  }

  /** The target's end is gone, and the client is not told. */
  halve(): void {
    this.isHalf = true;
    this.toServer.lose();
    this.toClient.lose();
    this.server?.destroy();
  }

  /** Both ends, at once: by a reset, by a FIN, or without ado. */
  end(how: 'resetAndDestroy' | 'end' | 'destroy'): void {
    this.toServer.stop();
    this.toClient.stop();
    this.client[how]();
    this.server?.[how]();
  }

  private listen(socket: ProxySocket, way: ProxyWay): void {
    socket
      .on('data', (bytes: Buffer) => way.take(bytes))
      .on('end', () => way.take('fin'))
      // Reset, or the target refuses: the other end is reset.
      .on('error', () => way.take('reset'));
  }
}
