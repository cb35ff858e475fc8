import type { ConnectionPorts } from '../../machines/connection.setup.js';
import type { Connection } from '../connection.js';
import type { Environment, Transport } from '../environment.js';
import { createVirtualClock, type VirtualClock } from './clock.js';
import type { NetworkHost } from './host.js';
import { createNetwork, type Network } from './network.js';

/** What a program under test is given, and what its checks look at. */
export interface PathWorld {
  readonly clock: VirtualClock;
  readonly network: Network;
  /** The host that the server runs on. */
  readonly server: NetworkHost;
  /** The environment of the program under test: give it to `connect()`. */
  readonly environment: Environment;
  /** Where the server is. */
  readonly host: string;
  readonly port: number;
}

/** What a server is given. */
export interface PathServer {
  /** Give it to `listen()`. After the server was killed, that of its new process. */
  readonly environment: Environment;
  readonly port: number;
}

/** A connection that has not done within so much virtual time what it should do, never will, milliseconds. */
const limit = 600_000;

/** One program, one server, and what lies between them: the faults that the moves of a path are made of. */
export class PathStage implements PathWorld {
  readonly clock = createVirtualClock();
  readonly network: Network;
  readonly server: NetworkHost;
  readonly environment: Environment;
  readonly host = 'server';
  readonly port = 65_432;
  /** The connection of the program under test, once it was started. */
  connection: Connection | undefined;
  private accepted: Transport[] = [];
  private silenceWindow: number | undefined;
  /** What `serve` threw. */
  failure: { readonly error: unknown } | undefined;

  constructor(
    seed: number,
    private readonly serve: (server: PathServer) => unknown,
  ) {
    this.network = createNetwork({ clock: this.clock, seed });
    this.server = this.network.host(this.host);
    this.environment = this.network.environment('client');
  }

  get user(): Connection {
    if (!this.connection) throw new Error('the program was not started yet');
    return this.connection;
  }

  /** Starts the server's process. */
  startServer(): void {
    const environment = this.server.environment();
    // Its lines are kept, so that the server can hang up.
    const listen: Environment['listen'] = (target, handlers) =>
      environment.listen(target, {
        listening: (address) => handlers.listening(address),
        failed: (error) => handlers.failed(error),
        accepted: (transport) => {
          this.accepted.push(transport);
          handlers.accepted(transport);
        },
      });
    const start = async (): Promise<unknown> =>
      this.serve({ environment: { ...environment, listen }, port: this.port });
    start().catch((error: unknown) => {
      this.failure = { error };
    });
  }

  /** The server is killed, and started anew. */
  killServer(): void {
    this.accepted = [];
    this.server.crash();
    this.startServer();
  }

  /** The server closes its lines. */
  hangUp(): void {
    for (const transport of this.accepted.splice(0)) transport.destroy();
  }

  /** All is well again. */
  heal(): void {
    if (this.server.frozen) this.server.thaw();
    for (const fault of ['refuse', 'acceptAndDrop', 'stall'] as const) this.server[fault](false);
    this.network.heal();
  }

  /** The line was opened this very moment: its first silence window is as long as the program said. */
  noteOpen(): void {
    this.silenceWindow ??= this.hands.silenceDelay();
  }

  /** Milliseconds until the line would be found silent. */
  get silentIn(): number {
    return this.staleAfter - this.hands.silentForMs();
  }

  /** The program's own `staleAfter`, milliseconds. */
  get staleAfter(): number {
    return this.silenceWindow ?? 0;
  }

  private get hands(): ConnectionPorts {
    return this.user.actor.getSnapshot().context.ports;
  }

  /** @throws what `serve` threw */
  async until(condition: () => boolean): Promise<void> {
    await this.clock.runUntil(() => this.failure !== undefined || condition(), { limit });
    if (this.failure) throw this.failure.error;
  }
}
