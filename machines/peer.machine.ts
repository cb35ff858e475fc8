import { assign, emit, sendTo, setup, spawnChild, stopChild } from 'xstate';
import type { Reason } from '../src/errors.js';
import {
  blame,
  blameSilence,
  drainLeft,
  freshLine,
  hands,
  inertSocket,
  type LineContext,
  type LinePorts,
  type SocketFact,
  socketId,
} from './line.setup.js';

/** The numbers that the chart needs, milliseconds. */
export interface PeerTimes {
  readonly drainTimeout: number;
  readonly discardTimeout: number;
}

export interface PeerContext extends LineContext<LinePorts> {
  readonly times: PeerTimes;
  /** It has a session, which is not over: a lost line is not the end. */
  readonly resumable: boolean;
}

export interface PeerInput {
  readonly ports: LinePorts;
  readonly times: PeerTimes;
  /** Whether it has a session. Default false. */
  readonly resumable?: boolean;
}

export type PeerEvent =
  | { readonly type: 'close' }
  | { readonly type: 'dispose' }
  /** The session goes on over another socket. */
  | { readonly type: 'session.attached'; readonly epoch: number }
  /** The session is over: lost, for this reason; or closed, and all of it handled. */
  | { readonly type: 'session.ended'; readonly reason: Pick<Reason, 'code' | 'message'> | undefined }
  | SocketFact;

export type PeerAnnouncement =
  | { readonly type: 'live' }
  | { readonly type: 'detached'; readonly reason: Reason }
  | { readonly type: 'stale'; readonly silentForMs: number; readonly lastHeardAt: number }
  | { readonly type: 'disposed'; readonly reason: Reason };

function startContext({ ports, times: { drainTimeout, discardTimeout }, resumable = false }: PeerInput): PeerContext {
  // What is given may be more than these: settings with keys and passwords in them, which no inspector is to see.
  return { ...freshLine, ports, times: { drainTimeout, discardTimeout }, resumable, epoch: 1 };
}

/** Why a session is over that was closed while it had no socket. */
const HANDLED = { code: 'NINJA_DISPOSED', message: 'closed; all of the session was handled' } as const;

const peerSetup = setup({
  types: {
    context: {} as PeerContext,
    events: {} as PeerEvent,
    emitted: {} as PeerAnnouncement,
    input: {} as PeerInput,
  },
  actors: { socket: inertSocket },
  actions: {
    spawnSocket: spawnChild('socket', {
      id: (args) => socketId(args),
      input: ({ context }) => ({ ports: context.ports, epoch: context.epoch }),
    }),
    refuseOldSocket: assign(({ context }) => ({ refused: context.refused + 1 })),
    stopSocket: stopChild((args) => socketId(args)),
    discardSocket: sendTo((args) => socketId(args), { type: 'discard' }),
    noteProven: assign({ proven: true }),
    noteEpoch: assign(({ event }) => (event.type === 'session.attached' ? { epoch: event.epoch, proven: false } : {})),
    noteSessionOver: assign({ resumable: false }),
    blameSession: assign((args) => {
      const { event } = args;
      if (event.type !== 'session.ended') return {};
      const { code, message } = event.reason ?? HANDLED;
      return blame(args, code, message);
    }),
    blameSocket: assign((args) => {
      const { event } = args;
      return event.type === 'socket.closed' || event.type === 'socket.failed'
        ? blame(args, event.code, event.message)
        : {};
    }),
    blameSilence: assign((args) => blameSilence(args)),
    blameDispose: assign((args) => blame(args, 'NINJA_DISPOSED', 'the program called dispose()')),
    blameDrainTimeout: assign((args) =>
      blame(args, 'NINJA_DRAIN_TIMEOUT', `not drained within ${args.context.times.drainTimeout} ms`),
    ),
    noteClosing: assign(({ context }) => (context.closing ? {} : { closing: true, closingAt: context.ports.now() })),
    ...hands.actions,
    announceLive: emit({ type: 'live' }),
    announceStale: emit(({ context }) => ({
      type: 'stale',
      silentForMs: context.silentForMs ?? 0,
      lastHeardAt: context.lastHeardAt ?? 0,
    })),
    announceDetached: emit((args) => ({
      type: 'detached',
      reason: args.context.reason ?? blame(args, 'NINJA_RESET', 'the line was lost').reason,
    })),
    announceDisposed: emit((args) => ({
      type: 'disposed',
      reason: args.context.reason ?? blame(args, 'NINJA_DISPOSED', 'the program called close()').reason,
    })),
  },
  guards: {
    fromThisEpoch: ({ context, event }) => 'epoch' in event && event.epoch === context.epoch,
    fromOlderEpoch: ({ context, event }) => 'epoch' in event && event.epoch < context.epoch,
    resumable: ({ context }) => context.resumable,
    sessionLost: ({ context, event }) =>
      context.resumable && event.type === 'session.ended' && event.reason !== undefined,
    goesOn: ({ context, event }) => context.resumable && 'epoch' in event && event.epoch === context.epoch,
    closing: ({ context }) => context.closing,
    ...hands.guards,
  },
  delays: {
    ...hands.delays,
    drainTimeout: ({ context }) => drainLeft(context, context.times.drainTimeout),
    discardTimeout: ({ context }) => context.times.discardTimeout,
  },
});

/**
 * The server's side of one accepted connection: `connected → stale → disposed`. It never dials: healing is the client's
 * part. With a session a lost line is no end: `connected ⇄ detached`, and the next socket comes from the same client.
 * `connected` is the same parallel pair of line and watch as in connection.machine.ts.
 */
export const peerMachine = peerSetup.createMachine({
  id: 'peer',
  description: "The server's side of one accepted connection, or of one session.",
  context: ({ input }) => startContext(input),
  initial: 'connected',
  on: {
    dispose: { target: '.disposed', actions: 'blameDispose', description: 'Ends at once, from anywhere.' },
    'socket.*': {
      guard: 'fromOlderEpoch',
      actions: 'refuseOldSocket',
      description: 'What a dead socket says late is counted, and changes nothing.',
    },
  },
  states: {
    connected: {
      id: 'connected',
      description: 'The socket was accepted.',
      type: 'parallel',
      entry: ['spawnSocket', 'openGate'],
      on: {
        'socket.closed': [
          { guard: 'goesOn', target: '#detached', actions: 'blameSocket' },
          { guard: 'fromThisEpoch', target: '#disposed', actions: 'blameSocket' },
        ],
        'socket.failed': [
          { guard: 'goesOn', target: '#detached', actions: 'blameSocket' },
          { guard: 'fromThisEpoch', target: '#disposed', actions: 'blameSocket' },
        ],
        'session.attached': {
          guard: 'resumable',
          target: '#connected',
          reenter: true,
          actions: ['shutGate', 'stopSocket', 'noteEpoch'],
          description: 'The client has given up the old socket before we did.',
        },
        'session.ended': [
          { guard: 'sessionLost', target: '#disposed', actions: ['noteSessionOver', 'blameSession'] },
          {
            guard: 'resumable',
            actions: 'noteSessionOver',
            description: 'Both sides have said goodbye: the socket closes by itself.',
          },
        ],
      },
      states: {
        line: {
          description: 'What the line is worth: unproven, live, or being drained.',
          initial: 'unproven',
          states: {
            unproven: {
              description: 'No byte came yet.',
              entry: { type: 'remember', params: { state: 'connected.unproven' } },
              always: { guard: 'closing', target: 'draining' },
              on: { 'socket.heard': { guard: 'fromThisEpoch', target: 'live' }, close: { target: 'draining' } },
            },
            live: {
              description: 'The other side speaks.',
              entry: [{ type: 'remember', params: { state: 'connected.live' } }, 'noteProven', 'announceLive'],
              on: { close: { target: 'draining' } },
            },
            draining: {
              description:
                'What was accepted is flushed, then FIN, then the other FIN. A session says goodbye first, over another line where this one breaks.',
              entry: [{ type: 'remember', params: { state: 'connected.draining' } }, 'noteClosing', 'drain'],
              after: { drainTimeout: { target: '#disposed', actions: 'blameDrainTimeout' } },
            },
          },
        },
        watch: {
          description: 'Whether the other side is heard in time.',
          initial: 'listening',
          states: {
            listening: {
              description: 'The heartbeat: bytes are noted as times, and looked at when the window is over.',
              entry: 'armSilence',
              after: {
                silence: [
                  { guard: 'heardInTime', target: 'listening', reenter: true },
                  { target: '#stale', actions: 'blameSilence' },
                ],
              },
            },
          },
        },
      },
    },
    stale: {
      id: 'stale',
      description: 'No byte for staleAfter: the socket is destroyed, never ended.',
      entry: [{ type: 'remember', params: { state: 'stale' } }, 'shutGate', 'discardSocket', 'announceStale'],
      after: {
        discardTimeout: [{ guard: 'resumable', target: 'detached' }, { target: 'disposed' }],
      },
      on: {
        'socket.closed': [
          { guard: 'goesOn', target: 'detached' },
          { guard: 'fromThisEpoch', target: 'disposed' },
        ],
        'socket.failed': [
          { guard: 'goesOn', target: 'detached' },
          { guard: 'fromThisEpoch', target: 'disposed' },
        ],
        'session.attached': { guard: 'resumable', target: 'connected', actions: ['stopSocket', 'noteEpoch'] },
        'session.ended': { guard: 'resumable', actions: ['noteSessionOver', 'blameSession'] },
        close: { actions: 'noteClosing' },
      },
    },
    detached: {
      id: 'detached',
      description:
        'The session has no socket: what was sent is kept, until the client comes back or its resume window is over.',
      entry: ['shutGate', 'stopSocket'],
      on: {
        'session.attached': { target: 'connected', actions: 'noteEpoch' },
        'session.ended': { target: 'disposed', actions: ['noteSessionOver', 'blameSession'] },
      },
      initial: 'waiting',
      states: {
        waiting: {
          description: 'The program goes on as if nothing had happened.',
          entry: [{ type: 'remember', params: { state: 'detached.waiting' } }, 'announceDetached'],
          always: { guard: 'closing', target: 'draining' },
          on: { close: { target: 'draining' } },
        },
        draining: {
          description: 'close() was called: there may be something to hand over yet, if the client comes back in time.',
          entry: [{ type: 'remember', params: { state: 'detached.draining' } }, 'noteClosing'],
          after: { drainTimeout: { target: '#disposed', actions: 'blameDrainTimeout' } },
        },
      },
    },
    disposed: {
      id: 'disposed',
      description: 'The end. Resources are gone, the reason is kept.',
      type: 'final',
      entry: [
        { type: 'remember', params: { state: 'disposed' } },
        'shutGate',
        'stopSocket',
        { type: 'settleHeld', params: { code: 'NINJA_DISPOSED' } },
        'announceDisposed',
      ],
    },
  },
});
