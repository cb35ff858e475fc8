import type { PeerMove, PeerPlace, PeerPose, PeerWalkEvent } from './peer-path-move.js';
import type { PeerStage } from './peer-path-stage.js';

const heard: PeerWalkEvent = { type: 'socket.heard', epoch: 1 };
export const closed: PeerWalkEvent = { type: 'socket.closed', epoch: 1, code: 'NINJA_DISPOSED', message: 'closed' };
const failed: PeerWalkEvent = { type: 'socket.failed', epoch: 1, code: 'NINJA_RESET', message: 'reset' };
export const close: PeerWalkEvent = { type: 'close' };
export const dispose: PeerWalkEvent = { type: 'dispose' };
/** Both sides of a session have said goodbye. */
export const parted: PeerWalkEvent = { type: 'session.ended', reason: undefined };
const silence: PeerWalkEvent = { type: 'after', delay: 'silence' };
const inTime: PeerWalkEvent = { type: 'after', delay: 'silence', heard: true };

const wait = (): void => {};

// What the client does.

export const speaks: PeerMove = {
  words: 'the client speaks',
  events: [heard],
  act: ({ line, beat }) => line.speak(beat),
};
const staysSilent: PeerMove = { words: 'the client stays silent', events: [silence], act: wait };
const fallsSilent: PeerMove = { words: 'the client falls silent', events: [silence], act: ({ line }) => line.quiet() };
const cable: PeerMove = { words: 'the cable is pulled', events: [silence], act: ({ network }) => network.cut() };
/** `stale` lasts no time: this comes by itself. */
export const lineIsGone: PeerMove = { words: 'the socket is gone', events: [closed], act: wait };
const timePasses: PeerMove = {
  words: 'time passes',
  events: [inTime],
  act: (stage) => stage.clock.advance(stage.patience + 5),
};
const halfCloses: PeerMove = {
  words: 'the client half-closes',
  events: [close, closed],
  inSession: [closed],
  act: ({ line }) => line.end(),
};
const hangsUp: PeerMove = { words: 'the client hangs up', events: [closed], act: ({ line }) => line.hangUp() };
const isKilled: PeerMove = { words: 'the client is killed', events: [failed], act: ({ line }) => line.reset() };
const saysGarbage: PeerMove = {
  words: 'the client sends garbage',
  needs: 'garbage',
  events: [heard, failed],
  act: ({ line }) => line.sayGarbage(),
};
const floods: PeerMove = {
  words: 'the client floods',
  events: [],
  act: (stage) => {
    stage.line.flood();
    return stage.arrives();
  },
};
const floodsUnread: PeerMove = {
  words: 'the client floods and reads nothing',
  pose: 'deaf',
  events: [],
  act: (stage) => {
    stage.line.stopReading();
    stage.line.flood();
    return stage.arrives();
  },
};
const readsOn: PeerMove = {
  words: 'the client reads on',
  pose: 'calm',
  events: [],
  act: ({ line }) => line.readOn(),
};
const beginsFrame: PeerMove = {
  words: 'the client sends half a frame',
  needs: 'halves',
  pose: 'midframe',
  events: [heard],
  act: (stage) => {
    stage.line.beginFrame();
    return stage.arrives();
  },
};
const finishesFrame: PeerMove = {
  words: 'the other half comes',
  pose: 'calm',
  events: [],
  act: (stage) => {
    stage.line.finishFrame(stage.beat);
    return stage.arrives();
  },
};
// Which comes first, staleAfter or frameTimeout, is up to the server.
const leavesFrame: PeerMove = {
  words: 'the other half never comes',
  needs: 'frameTimeout',
  events: [failed],
  act: wait,
};
const dripsFrame: PeerMove = {
  words: 'the client sends a frame byte by byte',
  needs: 'frameTimeout',
  events: [failed],
  act: (stage) => stage.line.drip(0.9 * stage.patience),
};

// What others do.

const another: PeerMove = {
  words: 'another client comes and goes',
  events: [],
  act: (stage) => stage.comeAndGo(),
};
const isSuspended: PeerMove = {
  words: 'the server is stopped for a while',
  events: [inTime],
  act: async (stage) => {
    const { clock, server } = stage;
    server.freeze();
    await clock.advance(2 * stage.patience);
    server.thaw();
    await clock.advance(stage.patience + 5);
  },
};

// What the program does.

export const closes = (order: 'peer.close' | 'server.close', stage: PeerStage): void =>
  void (order === 'peer.close' ? stage.peer : stage.listener)?.close();

/** The client answers the FIN, as it should. */
const closePolitely = (order: 'peer.close' | 'server.close'): PeerMove => ({
  words: `${order}()`,
  order,
  events: [close, closed],
  inSession: [close, parted, closed],
  act: (stage) => closes(order, stage),
});
/** It lasts no time: the socket goes by itself. */
const closeStale = (order: 'peer.close' | 'server.close'): PeerMove => ({
  words: `${order}()`,
  order,
  events: [close, closed],
  act: (stage) => closes(order, stage),
});
/** The client does not answer the FIN for now: so it rests in `draining`. */
const closeUnanswered = (order: 'peer.close' | 'server.close'): PeerMove => ({
  words: `the client stops, ${order}()`,
  order,
  events: [close],
  act: (stage) => {
    stage.line.quiet();
    stage.line.ignoreEnd();
    closes(order, stage);
  },
});
const closeLate: PeerMove = {
  words: 'the client stops, a while later peer.close()',
  order: 'peer.close',
  pose: 'late',
  events: [close],
  act: async (stage) => {
    const { line, clock, peer } = stage;
    line.quiet();
    line.ignoreEnd();
    // What is under way still arrives.
    await clock.advance(5);
    await clock.advance(Math.max(0, stage.silentIn - 5));
    void peer.close();
  },
};
const closeIgnored: PeerMove = {
  words: 'peer.close(), and the client speaks on',
  order: 'peer.close',
  pose: 'stubborn',
  events: [close],
  act: ({ line, peer }) => {
    line.ignoreEnd();
    void peer.close();
  },
};
const closeServerToo: PeerMove = {
  words: 'server.close()',
  order: 'server.close',
  events: [],
  act: (stage) => closes('server.close', stage),
};
const disposePeer: PeerMove = {
  words: 'peer.dispose()',
  order: 'peer.dispose',
  events: [dispose],
  act: ({ peer }) => void peer.dispose(),
};
const disposeServer: PeerMove = {
  words: 'server.dispose()',
  order: 'server.dispose',
  events: [dispose],
  act: ({ listener }) => void listener?.dispose(),
};

// While draining.

export const answersEnd: PeerMove = {
  words: 'the client answers',
  events: [closed],
  inSession: [parted, closed],
  act: ({ line }) => line.answerEnd(),
};
// Which comes first, staleAfter or finTimeout, is up to the server.
const neverAnswers: PeerMove = {
  words: 'the client never answers',
  events: [closed],
  inSession: [silence],
  act: wait,
};
const neverEnds: PeerMove = {
  words: 'and does so for ever',
  events: [{ type: 'after', delay: 'drainTimeout' }],
  act: wait,
};

/** The end of a path whose server still listens: it serves the next client as if nothing had been. */
export const nextClient: PeerMove = {
  words: 'another client connects and speaks',
  events: [],
  act: async (stage) => {
    stage.heal();
    await stage.connect();
    stage.line.speak(stage.beat);
  },
};

const breaks = [hangsUp, isKilled];
const closings = [closeUnanswered('peer.close'), closeUnanswered('server.close')];
const politely = [closePolitely('peer.close'), closePolitely('server.close')];
const whileStale = [closeStale('peer.close'), closeStale('server.close')];
export const disposals = [disposePeer, disposeServer];

/** What can be done at a place. */
export function peerMovesAt(place: PeerPlace, pose: PeerPose): readonly PeerMove[] {
  switch (place) {
    case 'connected.unproven':
      return [speaks, staysSilent, halfCloses, ...breaks, saysGarbage, beginsFrame, ...closings, ...disposals];
    case 'connected.live':
      if (pose === 'deaf') return [readsOn, fallsSilent, ...breaks, closeIgnored, ...disposals];
      if (pose === 'midframe') return [finishesFrame, leavesFrame, ...breaks, ...closings, ...disposals];
      return [
        ...[timePasses, floods, floodsUnread, beginsFrame, dripsFrame, another, isSuspended],
        ...[fallsSilent, cable, halfCloses, ...breaks, saysGarbage],
        ...[...politely, ...closings, closeLate, closeIgnored, ...disposals],
      ];
    case 'connected.draining':
      if (pose === 'late') return [staysSilent];
      if (pose === 'stubborn') return [neverEnds, answersEnd, isKilled];
      return [answersEnd, neverAnswers, ...breaks, closeServerToo, ...disposals];
    case 'stale':
      return [lineIsGone, ...whileStale, ...disposals];
    case 'detached.waiting':
    case 'detached.draining':
    case 'disposed':
      return [];
  }
}
