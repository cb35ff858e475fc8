/** What all programs of one run share. */
import type { Network, VirtualClock } from '../../src/testing/index.js';
import type { Fail, Stream } from './account.js';
import type { ClientSide } from './client.js';
import type { Faults } from './faults.js';
import type { Plan } from './plan.js';
import type { Phase, Promised } from './program.js';
import type { PeerSide } from './server.js';
import type { Tapped } from './tap.js';

export interface Stage {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly faults: Faults;
  readonly phase: Phase;
  readonly fail: Fail;
  /** A line of the trace. */
  readonly note: (what: string) => void;
  readonly traced: boolean;
  /** Whose promise it is: those of a dead process never settle. */
  promisedBy(owner: Owner): Promised;
  /** By what their first messages say. */
  readonly peers: Map<string, PeerSide>;
  /** All dials, latest last: whose socket a peer is, is known by its port. */
  readonly openDials: OpenDial[];
  readonly roundTrip: number;
}

export interface Owner {
  dead: boolean;
}

export interface OpenDial {
  readonly client: ClientSide;
  readonly epoch: number;
  readonly tapped: Tapped;
  /** What the client writes on it. */
  readonly stream: Stream;
}
