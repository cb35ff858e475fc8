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
      /** The refusal, or ABANDONED by this side. */
      readonly code: RefusalCode | 'ABANDONED' | (string & {});
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
