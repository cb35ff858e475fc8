import type { LinePorts } from '../../machines/line.setup.js';
import { type Connection, portsOf } from '../connection.js';
import type { Environment, Transport } from '../environment.js';
import type { VirtualClock } from './clock.js';
import type { NetworkHost } from './host.js';
import type { Network } from './network.js';
import { Stage } from './path-stage.js';

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

/** One program, one server, and what lies between them: the faults that the moves of a path are made of. */
export class PathStage extends Stage implements PathWorld {
  readonly environment: Environment;
  /** The connection of the program under test, once it was started. */
  connection: Connection | undefined;
  private accepted: Transport[] = [];

  constructor(
    seed: number,
    private readonly serve: (server: PathServer) => unknown,
  ) {
    super(seed);
    this.environment = this.network.environment('client');
  }

  get user(): Connection {
    if (!this.connection) throw new Error('the program was not started yet');
    return this.connection;
  }

  protected get hands(): LinePorts {
    return portsOf(this.user);
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
}
