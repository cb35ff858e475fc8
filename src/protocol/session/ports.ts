/** What a session asks of the world around it, and tells it. Types only. */
import type { NinjaTcpError } from '../../errors.js';
import type { RefusalCode } from './layouts.js';

/** How much may be under way unacknowledged: bytes of messages, and messages. */
export interface Window {
  readonly bytes: number;
  readonly messages: number;
}

/** When a message counts as handled: the program is done with it, it was received, or the program says so itself. */
export type Acknowledge = 'handled' | 'received' | 'manual';

/**
 * - fresh: never on a line
 * - establishing: HELLO is under way
 * - attached: messages go both ways
 * - detached: its socket is gone, or RESUME is under way
 * - ended: closed or lost, for good
 */
export type SessionState = 'fresh' | 'establishing' | 'attached' | 'detached' | 'ended';

export interface SessionOptions {
  readonly acknowledge: Acknowledge;
  /** The longest message that is taken, bytes: announced to the other side. The decoder takes 6 bytes more. */
  readonly maxFrame: number;
  /** How much this side takes unacknowledged: announced to the other side, and enforced. */
  readonly window: Window;
  /** How much this side keeps unacknowledged. */
  readonly retain: Window;
  /** How often this side writes when idle, ms; 0 for never. Announced. */
  readonly heartbeatMs: number;
  /** How long an unfinished session is kept without a socket, ms: the client's wish, the server's bound. */
  readonly resumeMs: number;
}

/** One socket of a session. None of these may call the session back before it returns. */
export interface SessionLink {
  /**
   * Writes one DATA frame: 6 bytes by `writeDataHead`, and the message, behind the framing's own header.
   *
   * @returns false where the socket wants no more for now; `session.writable(link)` tells when it does
   */
  data(number: number, payload: Uint8Array): boolean;
  /** Writes one other frame, whatever is pending: it must never wait. */
  control(frame: Buffer): void;
  /** Closes it behind all that was written. */
  end(): void;
  /** Throws it away: for a broken rule, or since another socket took its place. */
  drop(error: NinjaTcpError | undefined): void;
}

/** Numbers in a row, both included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** What is said of a session at its end. */
export type SessionEnd =
  /** Everything of this side was handled. */
  | { readonly how: 'closed' }
  | {
      readonly how: 'lost';
      /**
       * The refusal; or ABANDONED by this side, or FORGOTTEN by its store. Or it is lost to this process alone, and its
       * record goes on: TAKEN_OVER by another process, or PARTED from by this one.
       */
      readonly code: RefusalCode | 'ABANDONED' | 'FORGOTTEN' | 'TAKEN_OVER' | 'PARTED' | (string & {});
      /** Of this side's messages everything up to this number was handled. */
      readonly handledUpTo: number;
      /** These were written, and nobody can say. */
      readonly unknown: NumberRange | undefined;
      /** These were not. */
      readonly notSent: NumberRange | undefined;
    };

export interface Attached {
  readonly resumed: boolean;
  /** Messages of this side that are written again. */
  readonly replayed: number;
  /** Messages of the other side that came twice, ever. */
  readonly deduplicated: number;
}

/** What changes of a session all the time, and a store has to know. */
export interface SessionMarks {
  /** Counts what `head()` has been: where the store has another one, it has to be stored again. */
  readonly identity: number;
  /** No socket of the session has a higher number. */
  readonly epoch: number;
  /** Everything of the other side below is handled. */
  readonly handled: number;
  /** The lowest number of this side that is kept; those below are handled. */
  readonly first: number;
  /** Behind the last one that is kept. */
  readonly next: number;
}

/** Who somebody else would have to be to go on with a session: secret, and seldom changed. */
export interface SessionHead {
  /** All zero where the client was not answered yet. */
  readonly sessionId: Uint8Array;
  readonly secret: Uint8Array;
  readonly clientInstance: Uint8Array;
  /** What the other side takes: the longest message, and how much unacknowledged. Zero where it has not said it. */
  readonly longest: number;
  readonly window: Window;
  /** Of a server: who holds it, whether there was TLS, and how long it is kept without a socket, ms. */
  readonly principal: string;
  readonly secure: boolean;
  readonly granted: number;
}

/** All that a store has of a session: enough to go on with it in another process. */
export interface SessionRecord extends Omit<SessionMarks, 'identity' | 'next'> {
  readonly head: SessionHead;
  /** Messages of this side from `first` on. */
  readonly payloads: readonly Uint8Array[];
}

/** Who writes a session into a store. Must not call it back before it returns. */
export interface SessionKeeper {
  /** The store does not know all that it has to: see `marks()`; told by `stored()` when it does. Called often. */
  changed(): void;
  /** The resume window is over: the store is to be asked, since another server may hold it; then `expire()`. */
  overdue(): void;
  ended(end: SessionEnd): void;
}

/** A refusal that does not end the session. */
export interface Refused {
  readonly code: RefusalCode | (string & {});
  readonly retryAfterMs: number;
}

/** Who owns a session: the data plane. Nothing of it may throw. */
export interface SessionOwner {
  /**
   * A message, a view of the frame, each number once and in order.
   *
   * @returns true where the program is done with it; else `session.settle(number)` tells later
   */
  deliver(message: Buffer, number: number): boolean;
  /** All of this side up to `number` is handled. */
  acknowledged(number: number): void;
  /** There is room for messages again. */
  room(): void;
  attached(how: Attached): void;
  detached(): void;
  /** The other side is about to leave: nothing has to be done. */
  draining(): void;
  /** The other side sends no more: send what there is, then call `finish()`. */
  leaving(): void;
  /** Not this time: try again, there or at another endpoint. Of the client only. */
  refused(refusal: Refused): void;
  ended(end: SessionEnd): void;
  /** `tick(now)` has to be called at this time: `deadline` moved here from later. */
  wake(at: number): void;
}
