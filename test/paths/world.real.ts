/** Real sockets on 127.0.0.1, real time, and a raw server of node:net. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EchoServer, World } from './world.js';

// Below the range from which the system takes ports of its own, so that nobody else gets the port of a dead server; a
// dial to a closed port within that range can even be answered by itself. Every world has a port of its own.
let nextPort = 15_000 + (process.pid % 60) * 250;

/** So long something may take that should happen, milliseconds. */
const PATIENCE = 3000;

class RealServer implements EchoServer {
  readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private stopped = false;
  /** Those whose FIN came while it was stopped: Node tells of a FIN even where reading is paused. */
  private readonly ended = new Set<Socket>();

  constructor(readonly port: number) {}

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
  }

  async die(): Promise<void> {
    const { server } = this;
    this.stopped = false;
    this.server = undefined;
    for (const socket of this.sockets) socket.resetAndDestroy();
    if (!server) return;
    server.close();
    await once(server, 'close');
  }

  stop(): void {
    this.stopped = true;
    for (const socket of this.sockets) socket.pause();
  }

  continue(): void {
    this.stopped = false;
    for (const socket of this.sockets) socket.resume();
    for (const socket of this.ended) socket.end();
    this.ended.clear();
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.end();
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket
      .on('data', (bytes) => socket.write(bytes))
      .on('end', () => (this.stopped ? this.ended.add(socket) : socket.end()))
      .on('error', () => {})
      .on('close', () => this.sockets.delete(socket));
    if (this.stopped) socket.pause();
    // It died while this one was on its way.
    if (!this.server) socket.resetAndDestroy();
  }
}

export class RealWorld extends World {
  readonly server: RealServer;
  protected readonly port: number;
  protected readonly address = '127.0.0.1';
  protected readonly environment = undefined;
  // The machine may be busy; the promise itself is tested elsewhere.
  protected readonly lateness = 2000;

  private constructor(port: number) {
    super();
    this.port = port;
    this.server = new RealServer(port);
  }

  static async create(): Promise<RealWorld> {
    for (;;) {
      nextPort += 1;
      const world = new RealWorld(nextPort);
      try {
        await world.server.start();
        return world;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  async until(what: () => string, condition: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE;
    while (!condition()) {
      if (performance.now() > giveUpAt) throw new Error(`waited ${PATIENCE} ms for ${what()}`);
      await sleep(1);
    }
  }

  async pass(ms: number): Promise<void> {
    await sleep(ms);
  }

  async end(): Promise<void> {
    if (this.connection) await this.outcome('dispose()', this.connection.dispose());
    // What the client threw away is seen by the server, if it looks.
    this.server.continue();
    await this.until(
      () => 'the end of all sockets',
      () => this.server.sockets.size === 0,
    );
    await this.server.die();
  }
}
