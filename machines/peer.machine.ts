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
}

export interface PeerInput {
  readonly ports: LinePorts;
  readonly times: PeerTimes;
}

export type PeerEvent = { readonly type: 'close' } | { readonly type: 'dispose' } | SocketFact;

export type PeerAnnouncement =
  | { readonly type: 'live' }
  | { readonly type: 'stale'; readonly silentForMs: number; readonly lastHeardAt: number }
  | { readonly type: 'disposed'; readonly reason: Reason };

function startContext({ ports, times: { drainTimeout, discardTimeout } }: PeerInput): PeerContext {
  // What is given may be more than these: settings with keys and passwords in them, which no inspector is to see.
  return { ...freshLine, ports, times: { drainTimeout, discardTimeout }, epoch: 1 };
}

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
    stopSocket: stopChild((args) => socketId(args)),
    discardSocket: sendTo((args) => socketId(args), { type: 'discard' }),
    noteProven: assign({ proven: true }),
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
    announceDisposed: emit((args) => ({
      type: 'disposed',
      reason: args.context.reason ?? blame(args, 'NINJA_DISPOSED', 'the program called close()').reason,
    })),
  },
  guards: {
    ...hands.guards,
  },
  delays: {
    ...hands.delays,
    drainTimeout: ({ context }) => drainLeft(context, context.times.drainTimeout),
    discardTimeout: ({ context }) => context.times.discardTimeout,
  },
});

/**
 * The server's side of one accepted connection: `connected → stale → disposed`. One socket, never a second: healing is
 * the client's part. `connected` is the same parallel pair of line and watch as in connection.machine.ts.
 */
export const peerMachine = peerSetup.createMachine({
  id: 'peer',
  description: "The server's side of one accepted connection.",
  context: ({ input }) => startContext(input),
  initial: 'connected',
  on: {
    dispose: { target: '.disposed', actions: 'blameDispose', description: 'Ends at once, from anywhere.' },
  },
  states: {
    connected: {
      id: 'connected',
      description: 'The socket was accepted.',
      type: 'parallel',
      entry: ['spawnSocket', 'openGate'],
      on: {
        'socket.closed': { target: '#disposed', actions: 'blameSocket' },
        'socket.failed': { target: '#disposed', actions: 'blameSocket' },
      },
      states: {
        line: {
          description: 'What the line is worth: unproven, live, or being drained.',
          initial: 'unproven',
          states: {
            unproven: {
              description: 'No byte came yet.',
              entry: { type: 'remember', params: { state: 'connected.unproven' } },
              on: { 'socket.heard': { target: 'live' }, close: { target: 'draining' } },
            },
            live: {
              description: 'The other side speaks.',
              entry: [{ type: 'remember', params: { state: 'connected.live' } }, 'noteProven', 'announceLive'],
              on: { close: { target: 'draining' } },
            },
            draining: {
              description: 'What was accepted is flushed, then FIN, then the other FIN.',
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
      after: { discardTimeout: { target: 'disposed' } },
      on: { 'socket.closed': { target: 'disposed' }, 'socket.failed': { target: 'disposed' } },
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
