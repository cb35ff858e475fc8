import type { ConnectionContext, ConnectionEvent } from '../../machines/connection.setup.js';
import type { PathStage } from './path-world.js';

/** Where a connection can stand, in the words of `state`, `substate` and `history`. */
export const places = [
  'disconnected.idle',
  'disconnected.waiting',
  'disconnected.failed',
  'connecting.dialing',
  'connecting.greeting',
  'connected.unproven',
  'connected.live',
  'connected.draining',
  'stale',
  'disposed',
] as const;

export type ConnectionPlace = (typeof places)[number];

/** What the program itself may call. */
export type PathOrder = 'connect' | 'disconnect' | 'reconnectNow' | 'close' | 'dispose';

/**
 * How the world stands where the chart does not tell: `calm`; the line was opened and dropped at once; while draining,
 * the server has long been silent, or speaks but reads nothing.
 */
export type Pose = 'calm' | 'dropped' | 'late' | 'stalled';

/**
 * How it stands with the session, of a program that has one: there is none yet or any more; both sides have it; the server
 * was started anew and knows nothing of it.
 */
export type PathSession = 'none' | 'held' | 'forgotten';

/** What a move does to the session. */
export type SessionEffect = (before: PathSession) => PathSession;

/** What the chart alone does not tell of a program with a session. */
export interface Bond {
  readonly session: PathSession;
  /** Close was called with a message that nobody has taken yet. */
  readonly holds: boolean;
  /** What it does when its session is lost. */
  readonly onSessionLost: 'fail' | 'new';
}

/** An event of the chart; of the silence rule with its answer. */
export type WalkEvent =
  | ConnectionEvent
  | {
      readonly type: 'after';
      readonly delay: 'backoff' | 'connectTimeout' | 'silence' | 'drainTimeout';
      readonly heard?: boolean;
    };

/** One thing that the world or the program does, and the events that the chart has of it. */
export interface Move {
  /** For titles: `the server is killed`. */
  readonly words: string;
  readonly order?: PathOrder;
  /** It needs a message that may be sent. */
  readonly sends?: boolean;
  /** Of a program with a session. */
  readonly session?: SessionEffect;
  readonly pose?: Pose;
  /** It lasts, so that the line becomes a good one. */
  readonly lasts?: boolean;
  events(context: ConnectionContext, bond: Bond): readonly WalkEvent[];
  act(stage: PathStage): void | Promise<void>;
}

const after = (delay: 'backoff' | 'connectTimeout' | 'silence' | 'drainTimeout', heard = false) => {
  return (): readonly WalkEvent[] => [{ type: 'after', delay, heard }];
};
const opened = ({ epoch }: ConnectionContext): readonly WalkEvent[] => [{ type: 'socket.opened', epoch }];
const heard = ({ epoch }: ConnectionContext): readonly WalkEvent[] => [{ type: 'socket.heard', epoch }];
const greeted = (context: ConnectionContext, { session, onSessionLost }: Bond): readonly WalkEvent[] => {
  const { epoch } = context;
  if (session !== 'forgotten') return [...heard(context), { type: 'greeting.passed', epoch }];
  const reason = { code: 'NINJA_SESSION_LOST', message: 'forgotten' } as const;
  return [...heard(context), { type: 'greeting.failed', epoch, reason, fatal: onSessionLost === 'fail' }];
};
const closed = ({ epoch }: ConnectionContext): readonly WalkEvent[] => [
  { type: 'socket.closed', epoch, code: 'NINJA_CLOSED_BY_PEER', message: 'closed' },
];
const failed = ({ epoch }: ConnectionContext): readonly WalkEvent[] => [
  { type: 'socket.failed', epoch, code: 'NINJA_RESET', message: 'reset' },
];

const thaw = ({ server }: PathStage): void => server.thaw();
const wait = (): void => {};

// An attempt begins on a network that is cut, so that it rests in `dialing` until the next move.
const redial = (order: 'connect' | 'reconnectNow'): Move => ({
  words: `${order}()`,
  order,
  events: () => [{ type: order }],
  act: (stage) => {
    stage.network.cut();
    stage.user[order]();
  },
});
const connect = redial('connect');
const reconnectNow = redial('reconnectNow');
const disconnect: Move = {
  words: 'disconnect()',
  order: 'disconnect',
  events: () => [{ type: 'disconnect' }],
  act: ({ user }) => user.disconnect(),
};
const dispose: Move = {
  words: 'dispose()',
  order: 'dispose',
  events: () => [{ type: 'dispose' }],
  act: ({ user }) => void user.dispose(),
};
const closing = (holds: boolean, { session }: Bond): readonly WalkEvent[] => {
  const held = holds ? 1 : 0;
  return [{ type: 'close', held, owed: session === 'none' ? 0 : held }];
};
const close: Move = {
  words: 'close()',
  order: 'close',
  events: (_, bond) => closing(bond.holds, bond),
  act: ({ user }) => void user.close(),
};
const closeHolding: Move = {
  ...close,
  words: 'close() with a message held',
  sends: true,
  events: (_, bond) => closing(true, bond),
};
/** While it waits: a session that holds something dials at once. */
const closeOwing: Move = {
  ...closeHolding,
  act: ({ network, user }) => {
    network.cut();
    void user.close();
  },
};
/** The server does not answer our FIN for now. */
const closeUnanswered: Move = {
  ...close,
  words: 'the server stops, close()',
  act: ({ server, user }) => {
    server.freeze();
    void user.close();
  },
};
const closeLate: Move = {
  ...close,
  words: 'the server stops, a while later close()',
  pose: 'late',
  act: async (stage) => {
    stage.server.freeze();
    // What is under way still arrives.
    await stage.clock.advance(5);
    await stage.clock.advance(Math.max(0, stage.silentIn - 5));
    void stage.user.close();
  },
};
const closeStalled: Move = {
  ...close,
  words: 'the server stops reading, close()',
  pose: 'stalled',
  act: ({ server, user }) => {
    server.stall();
    void user.close();
  },
};

const opens: Move = {
  words: 'TCP opens',
  events: opened,
  act: (stage) => {
    stage.heal();
    // Its kernel opens the line; nobody speaks.
    stage.server.freeze();
  },
};
const opensAndDrops: Move = {
  words: 'TCP opens for a moment',
  pose: 'dropped',
  events: opened,
  act: (stage) => {
    stage.heal();
    stage.server.acceptAndDrop();
  },
};
const refuses: Move = {
  words: 'the server refuses',
  events: failed,
  act: (stage) => {
    stage.heal();
    stage.server.refuse();
  },
};
const drops: Move = { words: 'and is closed', events: closed, act: (stage) => stage.network.heal() };
const resets: Move = { words: 'the line is reset', events: failed, act: ({ network }) => network.resetAll() };
const timesOut: Move = { words: 'no answer comes', events: after('connectTimeout'), act: wait };
const speaks: Move = { words: 'the server speaks', events: heard, act: thaw };
const greets: Move = {
  words: 'the server answers',
  session: (before) => (before === 'forgotten' ? 'none' : 'held'),
  events: greeted,
  act: thaw,
};
const staysSilent: Move = { words: 'no byte comes', events: after('silence'), act: wait };
/** `stale` lasts no time: this comes by itself. */
export const isGone: Move = { words: 'the socket is gone', events: closed, act: wait };
const dialsAgain: Move = { words: 'the wait is over', events: after('backoff'), act: ({ network }) => network.cut() };
const hangsUp: Move = { words: 'the server hangs up', events: closed, act: (stage) => stage.hangUp() };
const isKilled: Move = {
  words: 'the server is killed',
  session: () => 'forgotten',
  events: failed,
  act: (stage) => stage.killServer(),
};
const cable: Move = { words: 'the cable is pulled', events: after('silence'), act: ({ network }) => network.cut() };
const timePasses: Move = {
  words: 'time passes',
  lasts: true,
  events: after('silence', true),
  act: async (stage) => {
    const { stableAfter } = stage.user.actor.getSnapshot().context.times;
    await stage.clock.advance(Math.max(stage.staleAfter, stableAfter) + 5);
  },
};
const answersFin: Move = { words: 'the server answers', session: () => 'none', events: closed, act: thaw };
const neverReads: Move = { words: 'it never reads', events: after('drainTimeout'), act: wait };

/** No line is wanted there. */
export const isOff = (place: ConnectionPlace): boolean =>
  place === 'disconnected.idle' || place === 'disconnected.failed';

/** The end of a path: whatever was wrong is not any more. */
export function healing(place: ConnectionPlace): Move {
  return {
    words: isOff(place) ? 'all heals, connect()' : 'all heals',
    events: () => [],
    act: (stage) => {
      stage.heal();
      if (isOff(place)) stage.user.connect();
    },
  };
}

const ends = [disconnect, dispose];

/** What can be done at a place. */
export function movesAt(place: ConnectionPlace, pose: Pose, isClosing: boolean, { session }: Bond): readonly Move[] {
  switch (place) {
    case 'disconnected.idle':
    case 'disconnected.failed':
      return [connect, close, dispose];
    case 'disconnected.waiting':
      return [
        ...[dialsAgain, connect, reconnectNow, close, ...ends],
        ...(session === 'none' || isClosing ? [] : [closeOwing]),
      ];
    case 'connecting.dialing':
      return [opens, refuses, timesOut, ...(isClosing ? ends : [opensAndDrops, close, closeHolding, ...ends])];
    case 'connecting.greeting':
      if (pose === 'dropped') return [drops];
      return [greets, timesOut, resets, ...(isClosing ? ends : [close, closeHolding, ...ends])];
    case 'connected.unproven':
      return pose === 'dropped' ? [drops] : [speaks, staysSilent, resets, reconnectNow, close, ...ends];
    case 'connected.live':
      return [timePasses, cable, isKilled, hangsUp, reconnectNow, closeUnanswered, closeLate, closeStalled, ...ends];
    case 'connected.draining':
      if (pose === 'late') return [staysSilent];
      if (pose === 'stalled') return [neverReads];
      return [answersFin, resets, reconnectNow, ...ends];
    case 'stale':
      return [isGone, ...(isClosing ? [] : [close]), ...ends];
    case 'disposed':
      return [];
  }
}
