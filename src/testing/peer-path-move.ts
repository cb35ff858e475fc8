import type { PeerEvent } from '../../machines/peer.machine.js';
import type { Named } from './path-graph.js';
import type { PeerStage } from './peer-path-stage.js';

/** Where a peer can stand, in the words of `state`, `substate` and `history`. */
export const peerPlaces = [
  'connected.unproven',
  'connected.live',
  'connected.draining',
  'stale',
  'detached.waiting',
  'detached.draining',
  'disposed',
] as const;

export type PeerPlace = (typeof peerPlaces)[number];

/** What the server's program itself may call: on the peer, or on the server. */
export type PeerOrder = 'peer.close' | 'peer.dispose' | 'server.close' | 'server.dispose';

/**
 * How the client stands where the chart does not tell: `calm`; it reads nothing; it is in the middle of a frame; while
 * draining, it has long been silent, or speaks on and does not answer.
 */
export type PeerPose = 'calm' | 'deaf' | 'midframe' | 'late' | 'stubborn';

/** An event of the chart, of the socket that there is then; of the silence rule with its answer. */
export type PeerWalkEvent =
  | PeerEvent
  | { readonly type: 'after'; readonly delay: 'silence' | 'drainTimeout'; readonly heard?: boolean };

/** What some moves need. */
export interface PeerMeans {
  /** Bytes that are no frame. */
  readonly garbage: boolean;
  /** A frame of the message has two halves. */
  readonly halves: boolean;
  /** The server waits only so long for the rest of a frame. */
  readonly frameTimeout: boolean;
}

/** One thing that a client or the program does, and the events that the chart has of it. */
export interface PeerMove extends Named {
  readonly order?: PeerOrder;
  /** What the clients, or the server, need for it. */
  readonly needs?: keyof PeerMeans;
  readonly pose?: PeerPose;
  readonly events: readonly PeerWalkEvent[];
  /** What it has of it where the peer has a session, if that is something else. */
  readonly inSession?: readonly PeerWalkEvent[];
  /** Only while the server accepts. */
  readonly comes?: boolean;
  act(stage: PeerStage): void | Promise<void>;
}
