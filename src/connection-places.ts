/** Where a client's connection is while its statechart sleeps, and what happens to it there. */
import type { ConnectionContext, ConnectionEvent } from '../machines/connection.setup.js';
import type { SocketFact } from '../machines/line.setup.js';
import type { ConnectionState } from './line/connection-events.js';

/** What of a context the face reads. */
export type Seen = Pick<
  ConnectionContext,
  'epoch' | 'failures' | 'retryInMs' | 'reason' | 'proven' | 'closing' | 'closingAt' | 'times'
>;

/** Where a sleeper may be. */
export interface Place {
  readonly state: ConnectionState;
  readonly substate: string;
  /** What the end of the running delay is called in the chart. */
  readonly late: ConnectionEvent;
}

const late = (delay: string, of: string) => ({ type: `xstate.after.${delay}.${of}` }) as unknown as ConnectionEvent;
const LATE_TO_CONNECT = late('connectTimeout', 'connecting');
export const SILENCE_OVER = late('silence', 'connection.connected.watch.listening');

export const IDLE: Place = { state: 'disconnected', substate: 'idle', late: LATE_TO_CONNECT };
export const DIALING: Place = { state: 'connecting', substate: 'dialing', late: LATE_TO_CONNECT };
export const GREETING: Place = { state: 'connecting', substate: 'greeting', late: LATE_TO_CONNECT };
export const UNPROVEN: Place = { state: 'connected', substate: 'unproven', late: SILENCE_OVER };
export const LIVE: Place = { state: 'connected', substate: 'live', late: SILENCE_OVER };

export const CONNECT: ConnectionEvent = { type: 'connect' };
export const OPENED: SocketFact = { type: 'socket.opened', epoch: 1 };
export const HEARD: SocketFact = { type: 'socket.heard', epoch: 1 };
export const GREETED: ConnectionEvent = { type: 'greeting.passed', epoch: 1 };

/** How it stands before the first attempt, and in it. */
export const BEFORE = { epoch: 0, reason: undefined, failures: 0, retryInMs: undefined } as const;
export const FIRST = { ...BEFORE, epoch: 1 } as const;
