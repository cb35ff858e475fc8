import type { ErrorCode } from '../../../src/errors.js';
import type { Detail, Passed, Row, Step } from '../../../src/inspector/page/wire.js';
import type { ConnectionSnapshot, ErrorWords, NextEvent } from '../../../src/snapshot.js';

/** A snapshot of a connection, with as little trouble as a test wants. */
export function connection(at: number, change: Partial<ConnectionSnapshot> = {}): ConnectionSnapshot {
  const quiet = { messages: 0, bytes: 0, messagesPerSecond: 0, bytesPerSecond: 0 };
  const timers = change.timers ?? [];
  return {
    kind: 'connection',
    name: 'till-4',
    state: 'connected',
    substate: 'live',
    since: at - 60_000,
    reason: undefined,
    error: undefined,
    epoch: 1,
    lastHeardAt: at - 210,
    received: quiet,
    sent: quiet,
    heardBytes: 0,
    outbox: { messages: 0, bytes: 0 },
    session: undefined,
    inbox: { messages: 0, bytes: 0 },
    pending: { messages: 0, bytes: 0 },
    readingPaused: false,
    endpoint: '127.0.0.1:65432',
    failures: 0,
    attempt: 1,
    ...change,
    timers,
    nextEvent: timers[0],
  };
}

export const timer = (name: string, from: number, at: number): NextEvent => ({ name, from, at });

export const errorWords = (code: ErrorCode, message: string, cause?: string): ErrorWords => ({ code, message, cause });

/** A history out of words: `0 connecting.dialing 1 connect` is milliseconds, state, epoch, cause. */
export function historyOf(start: number, lines: readonly string[], code?: ErrorCode, message = ''): Passed[] {
  let from: string | undefined;
  return lines.map((line) => {
    const [ms, to = '', epoch, ...cause] = line.split(' ');
    const at = start + Number(ms);
    const lost = /^(disconnected|stale|disposed)/.test(to);
    const reason = lost && code ? { code, message, at, epoch: Number(epoch) } : undefined;
    const one: Passed = { at, epoch: Number(epoch), from, to, cause: cause.join(' '), reason };
    from = to;
    return one;
  });
}

export function detail(now: number, snapshot: Detail['snapshot'], history: readonly Passed[] = [], id = 'c1'): Detail {
  return { type: 'detail', now, id, snapshot, explain: `${snapshot.name} ${snapshot.state}`, history };
}

export function step(
  at: number,
  from: string,
  to: string,
  type: string,
  taken: readonly string[] = [],
  data: unknown = {},
): Step {
  return { type: 'step', id: 'c1', at, event: { type, data }, from, to, taken };
}

export function row(id: string, change: Partial<Row> = {}): Row {
  return {
    id,
    kind: 'connection',
    name: `line ${id}`,
    state: 'connected',
    substate: 'live',
    since: 0,
    rx: 0,
    tx: 0,
    rxBytes: 0,
    txBytes: 0,
    ...change,
  };
}
