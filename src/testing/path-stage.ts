import type { LinePorts } from '../../machines/line.setup.js';
import { createVirtualClock } from './clock.js';
import type { NetworkHost } from './host.js';
import { createNetwork, type Network } from './network.js';

/** What has not happened within so much virtual time never will, milliseconds. */
const limit = 600_000;

/** The world of one path: a clock, a network, the host of a server, and the silence window of the line under test. */
export abstract class Stage {
  readonly clock = createVirtualClock();
  readonly network: Network;
  readonly server: NetworkHost;
  readonly host = 'server';
  readonly port = 65_432;
  /** What the other side's code threw. */
  failure: { readonly error: unknown } | undefined;
  private silenceWindow: number | undefined;

  constructor(seed: number) {
    this.network = createNetwork({ clock: this.clock, seed });
    this.server = this.network.host(this.host);
  }

  /** The hands of the line under test. */
  protected abstract get hands(): LinePorts;

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

  /** @throws TypeError where the program never goes stale */
  demandStale(): void {
    if (this.staleAfter > 2 ** 30) throw new TypeError('staleAfter is 0: say `goesStale: false`');
  }

  /** Milliseconds until the line would be found silent. */
  get silentIn(): number {
    return this.staleAfter - this.hands.silentForMs();
  }

  /** The program's own `staleAfter`, milliseconds. */
  get staleAfter(): number {
    return this.silenceWindow ?? 0;
  }

  /** @throws what the other side's code threw */
  async until(condition: () => boolean): Promise<void> {
    await this.clock.runUntil(() => this.failure !== undefined || condition(), { limit });
    if (this.failure) throw this.failure.error;
  }
}
