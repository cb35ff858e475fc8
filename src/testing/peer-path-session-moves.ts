/** What a client, and the program, can do beside all else where the peer has a session. */
import type { PeerMove, PeerPlace, PeerPose, PeerWalkEvent } from './peer-path-move.js';
import { close, closed, closes, disposals, dispose, parted } from './peer-path-moves.js';

const attached: PeerWalkEvent = { type: 'session.attached', epoch: 1 };
const lost: PeerWalkEvent = { type: 'session.ended', reason: { code: 'NINJA_SESSION_LOST', message: 'expired' } };

const wait = (): void => {};

const saysGoodbye: PeerMove = {
  words: 'the client says goodbye',
  events: [close, parted, closed],
  act: (stage) => stage.goodbye(),
};
/** On another line; where there is one already, the server has not missed it yet. */
export const comesBack: PeerMove = {
  words: 'the client comes back',
  comes: true,
  events: [attached],
  act: (stage) => stage.comeBack(),
};
// Its resume window is over.
const neverComesBack: PeerMove = { words: 'the client never comes back', events: [lost], act: wait };
// Which comes first, drainTimeout or the end of the resume window, is up to the server.
const staysAway: PeerMove = {
  words: 'the client stays away',
  events: [{ type: 'after', delay: 'drainTimeout' }],
  act: wait,
};
const closePeer: PeerMove = {
  words: 'peer.close()',
  order: 'peer.close',
  events: [close],
  act: (stage) => closes('peer.close', stage),
};
/** Who is away then cannot come back. */
const closeServer: PeerMove = {
  words: 'server.close()',
  order: 'server.close',
  events: [dispose],
  act: (stage) => closes('server.close', stage),
};

export function sessionMovesAt(place: PeerPlace, pose: PeerPose): readonly PeerMove[] {
  switch (place) {
    case 'connected.live':
      return pose === 'calm' ? [saysGoodbye, comesBack] : [comesBack];
    case 'connected.draining':
      return pose === 'calm' ? [comesBack] : [];
    case 'detached.waiting':
      return [comesBack, neverComesBack, closePeer, closeServer, ...disposals];
    case 'detached.draining':
      return [comesBack, staysAway, closeServer, ...disposals];
    default:
      return [];
  }
}
