/** What all programs of one run share. */
import type { Network, VirtualClock } from '../../../src/testing/index.js';
import type { Phase, Promised } from '../program.js';
import type { Owner } from '../stage.js';
import type { ClientSide } from './client.js';
import type { Plan } from './plan.js';
import type { PeerSide } from './server.js';
import type { Wire } from './wire.js';

/** One attempt of a client. */
export interface Dial {
  readonly client: ClientSide;
  readonly wire: Wire;
}

export interface Stage {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly phase: Phase;
  readonly traced: boolean;
  fail(what: string): void;
  /** A line of the trace. */
  note(what: string): void;
  /** Whose promise it is: those of a dead process never settle. */
  promisedBy(owner: Owner): Promised;
  /** By the tag of their messages. */
  readonly peers: Map<number, PeerSide>;
  /** All dials, latest last: whose socket the server has, is known by its port. */
  readonly dials: Dial[];
}
