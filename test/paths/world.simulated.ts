/** A network in memory on virtual time, and a raw server in it. */
import type { Acceptor, Transport } from '../../src/environment.js';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { type EchoServer, World } from './world.js';

const PORT = 4000;
const PATIENCE = 5000;

export class SimulatedWorld extends World {
  readonly clock = createVirtualClock();
  readonly network = createNetwork({ clock: this.clock, trace: true });
  readonly server: EchoServer;
  protected readonly port = PORT;
  protected readonly address = this.network.host('server').address;
  protected readonly environment = this.network.environment('client');
  // DESIGN §5.10: exact within 1 ms on virtual time.
  protected readonly lateness = 1;
  private acceptor: Acceptor | undefined;
  private lines: Transport[] = [];

  private constructor() {
    super();
    const host = this.network.host('server');
    this.server = {
      start: async () => {
        let listening = false;
        this.acceptor = host.environment().listen(
          { port: PORT, noDelay: true },
          {
            listening: () => {
              listening = true;
            },
            accepted: (transport) => this.accept(transport),
            failed: (error) => {
              throw error;
            },
          },
        );
        await this.until(
          () => 'listening',
          () => listening,
        );
      },
      die: async () => {
        host.crash();
        this.lines = [];
      },
      stop: () => host.freeze(),
      continue: () => host.thaw(),
      hangUp: () => {
        for (const line of this.lines) line.end(() => {});
      },
    };
  }

  static async create(): Promise<SimulatedWorld> {
    const world = new SimulatedWorld();
    await world.server.start();
    return world;
  }

  async until(what: () => string, condition: () => boolean): Promise<void> {
    try {
      await this.clock.runUntil(condition, { limit: PATIENCE });
    } catch (error) {
      throw new Error(`waited for ${what()}: ${(error as Error).message}\n${this.network.trace.join('\n')}`);
    }
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  async end(): Promise<void> {
    this.server.continue();
    if (this.connection) await this.outcome('dispose()', this.connection.dispose());
    this.acceptor?.close();
    await this.until(
      () => 'the end of all sockets',
      () => this.network.openTransports === 0,
    );
    if (this.clock.pending > 0) throw new Error(`${this.clock.pending} timers were left behind`);
    if (this.network.warnings.length > 0) throw this.network.warnings[0] as Error;
  }

  private accept(transport: Transport): void {
    this.lines.push(transport);
    const forget = () => {
      this.lines = this.lines.filter((line) => line !== transport);
    };
    transport.attach({
      opened() {},
      chunk: (bytes) => transport.write(bytes, () => {}),
      ended: () => transport.end(() => {}),
      failed: forget,
      closed: forget,
    });
  }
}
