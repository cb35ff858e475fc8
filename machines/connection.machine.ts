import { connectionSetup, startContext } from './connection.setup.js';

/**
 * THE PLAN of a client's connection: `disconnected → connecting → connected → stale → disposed`.
 *
 * The chart decides when; sockets move bytes. No message passes through here: one attempt costs a handful of events,
 * and a silent or busy hour one timer per window. The words are explained in connection.setup.ts.
 */
export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  description: 'A TCP connection that hands over whole messages and heals itself.',
  context: ({ input }) => startContext(input),
  initial: 'disconnected',
  on: {
    dispose: { target: '.disposed', actions: 'blameDispose', description: 'Ends at once, from anywhere.' },
    'socket.*': {
      guard: 'fromOlderEpoch',
      actions: 'refuseOldSocket',
      description: 'What a dead socket says late is counted, and changes nothing.',
    },
    'greeting.*': { guard: 'fromOlderEpoch', actions: 'refuseOldSocket' },
  },
  states: {
    disconnected: {
      description: 'No line. What was accepted waits in the outbox.',
      entry: ['shutGate', 'stopSocket'],
      initial: 'idle',
      states: {
        idle: {
          id: 'idle',
          description: 'Nothing is wanted.',
          entry: { type: 'remember', params: { state: 'disconnected.idle' } },
          on: {
            connect: { target: '#connecting', actions: 'forgetFailures' },
            close: { target: '#disposed', actions: 'blameClose' },
          },
        },
        deciding: {
          id: 'deciding',
          description: 'A line was lost or an attempt failed: dispose, give up, or try again. Passed at once.',
          entry: 'noteFailure',
          always: [
            { guard: 'closedForGood', target: '#disposed' },
            { guard: 'gaveUp', target: 'failed' },
            { target: 'waiting' },
          ],
        },
        waiting: {
          description: 'The backoff runs; then the next attempt.',
          entry: [{ type: 'remember', params: { state: 'disconnected.waiting' } }, 'announceDisconnected'],
          after: { backoff: { target: '#connecting' } },
          on: {
            connect: { target: '#connecting' },
            reconnectNow: { target: '#connecting' },
            disconnect: [
              { guard: 'closing', target: '#disposed', actions: 'blameDisconnect' },
              { target: 'idle', actions: 'blameDisconnect' },
            ],
            close: [
              { guard: 'nothingOwed', target: '#disposed', actions: 'blameClose' },
              { guard: 'closing', description: 'It is on its way: the wait goes on.' },
              {
                target: '#connecting',
                actions: 'noteClosing',
                description: 'A session keeps messages: connect at once, then drain.',
              },
            ],
          },
        },
        failed: {
          description: 'Gave up: too many failures in a row, or one that no retry can mend. The reason is kept.',
          entry: [
            { type: 'remember', params: { state: 'disconnected.failed' } },
            { type: 'settleHeld', params: { code: 'NINJA_GAVE_UP' } },
            'announceDisconnected',
            'announceFailed',
          ],
          on: {
            connect: { target: '#connecting', actions: ['forgetFailures', 'revive'] },
            close: { target: '#disposed', actions: 'blameClose' },
          },
        },
      },
    },

    connecting: {
      id: 'connecting',
      description: 'One attempt, with a socket of its own. Its number is the epoch.',
      entry: ['countAttempt', 'announceConnecting', 'spawnSocket'],
      after: { connectTimeout: { target: '#deciding', actions: 'blameConnectTimeout' } },
      on: {
        'socket.closed': { guard: 'fromThisEpoch', target: '#deciding', actions: 'blameSocket' },
        'socket.failed': { guard: 'fromThisEpoch', target: '#deciding', actions: 'blameSocket' },
        disconnect: [
          { guard: 'closing', target: '#disposed', actions: 'blameDisconnect' },
          { target: '#idle', actions: ['shutGate', 'stopSocket', 'blameDisconnect', 'announceDisconnected'] },
        ],
        close: [
          { guard: 'nothingHeld', target: '#disposed', actions: 'blameClose' },
          { actions: 'noteClosing', description: 'Something is held: connect first, then drain.' },
        ],
      },
      initial: 'dialing',
      states: {
        dialing: {
          description: 'Name look-up and TCP.',
          entry: { type: 'remember', params: { state: 'connecting.dialing' } },
          on: { 'socket.opened': { guard: 'fromThisEpoch', target: 'greeting', actions: 'noteOpened' } },
        },
        greeting: {
          description:
            "The program's onConnect hook has the line to itself, or the session is asked for. Passed at once where there is neither.",
          entry: [{ type: 'remember', params: { state: 'connecting.greeting' } }, 'greet'],
          always: { guard: 'nothingToGreet', target: '#connected' },
          on: {
            'socket.heard': { guard: 'fromThisEpoch', actions: 'noteProven' },
            'greeting.passed': { guard: 'fromThisEpoch', target: '#connected' },
            'greeting.failed': { guard: 'fromThisEpoch', target: '#deciding', actions: 'blameGreeting' },
          },
        },
      },
    },

    connected: {
      id: 'connected',
      description: 'TCP is open and the greeting passed.',
      type: 'parallel',
      entry: ['openGate', 'announceConnected'],
      on: {
        'socket.closed': { guard: 'fromThisEpoch', target: '#deciding', actions: 'blameSocket' },
        'socket.failed': { guard: 'fromThisEpoch', target: '#deciding', actions: 'blameSocket' },
        disconnect: [
          { guard: 'closing', target: '#disposed', actions: 'blameDisconnect' },
          { target: '#idle', actions: ['shutGate', 'stopSocket', 'blameDisconnect', 'announceDisconnected'] },
        ],
        reconnectNow: {
          target: '#connecting',
          actions: ['shutGate', 'stopSocket', 'blameDisconnect', 'noteNoWait', 'announceDisconnected'],
        },
      },
      states: {
        line: {
          description: 'What the line is worth: unproven, live, or being drained.',
          initial: 'unproven',
          states: {
            unproven: {
              description: 'No byte came yet: it may be a stopped process behind a listening port.',
              entry: { type: 'remember', params: { state: 'connected.unproven' } },
              always: [
                { guard: 'closing', target: 'draining' },
                { guard: 'proven', target: 'live' },
              ],
              on: {
                'socket.heard': { guard: 'fromThisEpoch', target: 'live' },
                close: { target: 'draining' },
              },
            },
            live: {
              description: 'The other side speaks.',
              entry: [{ type: 'remember', params: { state: 'connected.live' } }, 'noteLive', 'announceLive'],
              on: { close: { target: 'draining' } },
            },
            draining: {
              description:
                'close() was called: what was accepted is flushed, then FIN, then the other FIN. A session says goodbye first, over another line where this one breaks.',
              entry: [{ type: 'remember', params: { state: 'connected.draining' } }, 'noteClosing', 'drain'],
              after: { drainTimeout: { target: '#disposed', actions: 'blameDrainTimeout' } },
              on: {
                reconnectNow: { description: 'Not any more: it is being closed.' },
              },
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
      after: { discardTimeout: { target: '#deciding' } },
      on: {
        'socket.closed': { guard: 'fromThisEpoch', target: '#deciding' },
        'socket.failed': { guard: 'fromThisEpoch', target: '#deciding' },
        disconnect: [
          { guard: 'closing', target: '#disposed', actions: 'blameDisconnect' },
          { target: '#idle', actions: ['shutGate', 'stopSocket', 'blameDisconnect', 'announceDisconnected'] },
        ],
        close: { actions: 'noteClosing' },
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
