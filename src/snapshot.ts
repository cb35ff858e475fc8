/** What a connection, a peer or a server is at one moment, as plain values: `JSON.stringify` gives all of it. */
import type { Reason } from './errors.js';
import type { Traffic } from './meter.js';

export interface Fill {
  readonly messages: number;
  readonly bytes: number;
}

export interface Stats {
  readonly received: Traffic;
  readonly sent: Traffic;
  /** All bytes that came, headers and heartbeats included. */
  readonly heardBytes: number;
  /** Accepted and not written yet. */
  readonly outbox: Fill;
  /** Decoded and not taken yet. */
  readonly inbox: Fill;
  /** Accepted and not with the kernel yet: the outbox, and what Node holds. */
  readonly pending: Fill;
}

/** What will happen by itself, unless something else comes before. */
export interface NextEvent {
  /** As the statechart calls the delay: `backoff`, `connectTimeout`, `silence`, `drainTimeout`, `discardTimeout`, `resumeWindow`, `pause`. */
  readonly name: string;
  /** Wall-clock milliseconds since 1970 from which it is counted. */
  readonly from: number;
  /** Wall-clock milliseconds since 1970. For `silence` that is when it is looked whether a byte came. */
  readonly at: number;
}

/** An Error, as plain values. */
export interface ErrorWords {
  readonly code: string | undefined;
  readonly message: string;
  /** The message of its `cause`, with its code in front where there is one. */
  readonly cause: string | undefined;
}

interface Common {
  readonly name: string;
  readonly state: string;
  readonly substate: string | undefined;
  /** Wall-clock milliseconds since 1970 at which the present state was entered. */
  readonly since: number;
  /** Why the last line was lost, or this life ended. */
  readonly reason: Reason | undefined;
  /** The error behind the reason. */
  readonly error: ErrorWords | undefined;
  /** All that the clock will bring about, the soonest first. */
  readonly timers: readonly NextEvent[];
  /** The first of them. */
  readonly nextEvent: NextEvent | undefined;
}

/** What there is to see of a session. */
export interface SessionSnapshot {
  readonly state: 'fresh' | 'establishing' | 'attached' | 'detached' | 'ended';
  /** The first 8 hex digits of the SHA-256 of its id. */
  readonly fingerprint: string;
  /** How often it went on over another socket. */
  readonly resumes: number;
  /** Messages that were written again, ever. */
  readonly replayed: number;
  /** Messages that came twice and were dropped, ever. */
  readonly deduplicated: number;
  /** Sent messages that are kept until they are acknowledged. */
  readonly retained: Fill;
}

/** What a connection and a peer have in common. */
export interface LineSnapshot extends Common, Stats {
  /** The number of the present or last attempt; of a peer, that of its socket: 1, unless a session has gone on over others. */
  readonly epoch: number;
  /** Wall-clock milliseconds since 1970 of the last byte, of whichever epoch; undefined where none ever came. */
  readonly lastHeardAt: number | undefined;
  /** The inbox is full, and nobody takes. */
  readonly readingPaused: boolean;
  /** Undefined where there is none. */
  readonly session: SessionSnapshot | undefined;
}

export interface ConnectionSnapshot extends LineSnapshot {
  readonly kind: 'connection';
  /** Where the present or last attempt went: `127.0.0.1:65432`, or a path. */
  readonly endpoint: string;
  /** Failures in a row. */
  readonly failures: number;
  /** The number of the present attempt, or of the next: failures in a row, and one. */
  readonly attempt: number;
}

export interface PeerSnapshot extends LineSnapshot {
  readonly kind: 'peer';
  /** `peer.id` */
  readonly id: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
}

export interface ServerSnapshot extends Common {
  readonly kind: 'server';
  /** Where it listens: `127.0.0.1:65432`, or a path; undefined before. */
  readonly address: string | undefined;
  /** Peers that are not disposed. */
  readonly peers: number;
  /** Peers from the first on. */
  readonly accepted: number;
  /** Sockets that were dropped before they became a peer. */
  readonly refused: number;
}

/** An error as plain values. */
export function errorWords(error: Error | undefined): ErrorWords | undefined {
  if (!error) return undefined;
  const { cause } = error;
  const causeWords = cause instanceof Error ? cause.message : cause === undefined ? undefined : String(cause);
  return { code: codeOf(error), message: error.message, cause: causeWords && withCode(cause, causeWords) };
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function withCode(error: unknown, message: string): string {
  const code = codeOf(error);
  return code && !message.includes(code) ? `${code}: ${message}` : message;
}

/** The soonest first. */
export function inOrder(timers: readonly (NextEvent | undefined)[]): NextEvent[] {
  return timers.filter((one) => one !== undefined).sort((a, b) => a.at - b.at);
}
