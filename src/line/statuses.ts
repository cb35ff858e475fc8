/** From what a line knows of itself to what those who watch it are told. */
import type { NextEvent } from '../snapshot.js';
import type { Line, Step } from './line.js';
import type { PeerLine } from './peer-line.js';
import type { ConnectionStatus, PeerStatus } from './status.js';

/** The numbers of a connection's statechart that its timers need. */
interface Standing {
  readonly retryInMs: number | undefined;
  readonly closing: boolean;
  /** Monotonic milliseconds. */
  readonly closingAt: number;
  readonly times: {
    readonly connectTimeout: number;
    readonly discardTimeout: number;
    readonly drainTimeout: number;
  };
}

const SEPARATOR = '.';

function base({ at, epoch, cause, reason }: Step) {
  return { at, epoch, cause, reason };
}

export function connectionStatus(step: Step): ConnectionStatus {
  const [state, substate] = step.to.split(SEPARATOR);
  const { at, failures = 0, retryInMs = 0 } = step;
  const extra =
    substate === 'waiting'
      ? { failures, nextAttemptAt: at + retryInMs }
      : state === 'connecting'
        ? { attempt: failures + 1 }
        : {};
  // The names are those of the chart: test/line/status.test.ts goes through them all.
  return { state, substate, ...base(step), ...extra } as ConnectionStatus;
}

export function peerStatus(step: Step): PeerStatus {
  const [state, substate] = step.to.split(SEPARATOR);
  return { state, substate, ...base(step) } as PeerStatus;
}

function silence({ watch, settings }: Line, wall: number): NextEvent | undefined {
  if (settings.staleAfter === 0) return undefined;
  const at = wall + watch.nextCheckIn();
  return { name: 'silence', from: at - watch.delay, at };
}

function counted(name: string, from: number, ms: number): NextEvent {
  return { name, from, at: from + ms };
}

/** What the clock will bring about in a connection's statechart. */
export function connectionTimers(line: Line, step: Step, standing: Standing): (NextEvent | undefined)[] {
  const { times, closing, closingAt, retryInMs } = standing;
  const drain = closing ? counted('drainTimeout', line.wallAt(closingAt), times.drainTimeout) : undefined;
  switch (step.to) {
    case 'connecting.dialing':
    case 'connecting.greeting':
      return [counted('connectTimeout', dialledAt(line, step), times.connectTimeout)];
    case 'connected.unproven':
    case 'connected.live':
      return [silence(line, line.wallNow())];
    case 'connected.draining':
      return [silence(line, line.wallNow()), drain];
    case 'disconnected.waiting':
      return [counted('backoff', step.at, retryInMs ?? 0)];
    case 'stale':
      return [counted('discardTimeout', step.at, times.discardTimeout)];
    default:
      return [];
  }
}

/** When the present attempt began. */
function dialledAt({ history }: Line, { at }: Step): number {
  return history.steps.findLast(({ to }) => to === 'connecting.dialing')?.at ?? at;
}

/** What the clock will bring about in a peer's statechart, and in its session. @param closingAt monotonic milliseconds */
export function peerTimers(line: PeerLine, step: Step, closingAt: number | undefined): (NextEvent | undefined)[] {
  const { drainTimeout, discardTimeout } = line.settings;
  const drain = closingAt === undefined ? undefined : counted('drainTimeout', line.wallAt(closingAt), drainTimeout);
  switch (step.to.split(SEPARATOR)[0]) {
    case 'connected':
      return [silence(line, line.wallNow()), drain];
    case 'stale':
      return [counted('discardTimeout', step.at, discardTimeout)];
    case 'detached':
      return [resumeWindow(line), drain];
    default:
      return [];
  }
}

function resumeWindow(line: PeerLine): NextEvent | undefined {
  const { side } = line;
  if (side?.detachedAt === undefined) return undefined;
  return { name: 'resumeWindow', from: line.wallAt(side.detachedAt), at: line.wallAt(side.core.expiresAt) };
}
