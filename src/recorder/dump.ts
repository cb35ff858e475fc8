/** What a flight recorder gives: the last of one life, as plain values. `JSON.stringify` gives all of it. */
import type { Reason } from '../errors.js';

/** A value that JSON knows. An infinite number is written `'Infinity'`, what is undefined as null. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** How many of the oldest fell out of the recorder. */
export interface FlightFallen {
  readonly steps: number;
  readonly traffic: number;
  readonly messages: number;
}

/** A delayed transition that is under way. */
export interface FlightTimer {
  /** The event that it will bring. */
  readonly event: string;
  /** Monotonic milliseconds at which it was set. */
  readonly at: number;
  readonly ms: number;
}

/** The statechart in front of the oldest step that is left. */
export interface FlightChart {
  /** `connected.live` */
  readonly state: string;
  readonly context: { readonly [key: string]: Plain };
  readonly timers: readonly FlightTimer[];
  /** The id of the socket that belongs to it. */
  readonly socket?: string;
}

/** Where the recording begins. */
export interface FlightStart {
  /** Monotonic milliseconds. The origin means nothing; all `at` of a dump count from the same. */
  readonly at: number;
  /** The same instant in wall-clock milliseconds since 1970. */
  readonly wallAt: number;
  /** Absent where nothing fell out: then it begins with the statechart's own first step. */
  readonly chart?: FlightChart;
}

/** An event that the statechart got. */
export interface FlightEvent {
  /** `connect`, `socket.opened`, `xstate.after.silence.connection.connected.watch.listening` */
  readonly type: string;
  readonly epoch?: number;
  readonly code?: string;
  readonly message?: string;
  readonly fatal?: boolean;
  /** Messages in the outbox, and those that a session keeps, of `close`. */
  readonly held?: number;
  /** Of these, those that belong to a session. */
  readonly owed?: number;
  readonly reason?: { readonly code: string; readonly message: string };
}

/** A state that was entered. Where it came from, the entry before tells. */
export interface FlightEntered {
  readonly to: string;
  /** `socket.opened`, `after silence`, `close` */
  readonly cause: string;
  /** Why the last line was lost, as it was known then. */
  readonly reason?: Reason;
}

/** A state of its session's statechart that was entered. */
export interface FlightSession extends FlightEntered {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** The number of its socket in this session, from 1; 0 before the first. */
  readonly epoch: number;
}

/** What the statechart's hands answered, in the order of asking. */
export type FlightAnswers = { readonly [Name in AnswerName]?: readonly (number | boolean)[] };

/** What the statechart asks its hands. */
export const answerNames = [
  'now',
  'wallNow',
  'silenceDelay',
  'heardInTime',
  'silentForMs',
  'backoff',
  'owesSession',
] as const;
export type AnswerName = (typeof answerNames)[number];

/** One event, and all that the statechart did about it. */
export interface FlightStep {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly event: FlightEvent;
  readonly answers: FlightAnswers;
  readonly entered: readonly FlightEntered[];
  /** Actions, in order: `shutGate`, `announce disconnected`, `set backoff 812 ms`. */
  readonly did: readonly string[];
  /** What is new in the context. */
  readonly changed: { readonly [key: string]: Plain };
  /** Where it stands now. */
  readonly state: string;
  /** What an action threw: the statechart broke. */
  readonly broke?: string;
}

export interface FlightCount {
  readonly messages: number;
  /** Of the messages alone. */
  readonly bytes: number;
}

/** What passed within a tenth of a second. Where nothing did, there is no entry. */
export interface FlightTraffic {
  /** Monotonic milliseconds at which it began. */
  readonly at: number;
  readonly received: FlightCount;
  readonly sent: FlightCount;
  /** All bytes that came, headers and heartbeats included. */
  readonly heardBytes: number;
}

/** One message; only where `payloads` asks for them. */
export interface FlightMessage {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly way: 'received' | 'sent';
  /** Its whole length, bytes. */
  readonly length: number;
  /** Its first bytes, at most `payloads` of them, base64; absent where `redact` kept them back. */
  readonly base64?: string;
}

/** All of it. */
export interface FlightDump {
  readonly format: 1;
  readonly kind: 'connection' | 'peer';
  readonly name: string;
  readonly versions: { readonly ninjaTcp: string; readonly node: string };
  /** Wall-clock milliseconds since 1970. */
  readonly dumpedAt: number;
  /** Numbers and names of what it ran on. No functions, and nothing of certificates and keys. */
  readonly settings: { readonly [key: string]: Plain };
  readonly fallen: FlightFallen;
  readonly start: FlightStart;
  readonly steps: readonly FlightStep[];
  readonly traffic: readonly FlightTraffic[];
  readonly messages: readonly FlightMessage[];
  /** The last 50 states of its session; absent where it has none. */
  readonly session?: readonly FlightSession[];
}

/** Records one line, while it lives. */
export interface FlightRecorder {
  /** All that is recorded by now. */
  dump(): FlightDump;
}
