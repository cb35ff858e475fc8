import type { NinjaTcpError } from '../errors.js';
import type { ReceiveSpan, TakeRun } from '../framing/framing.js';

/** Who a socket works for: the line that outlives it. */
export interface SocketOwner {
  /** Who takes frames apart, where there is a session; else they are messages. */
  readonly side: { readonly receiveSpan: ReceiveSpan; readonly receiveRun: TakeRun } | undefined;
  /** A whole message came. */
  deliver(message: Buffer): void;
  /** The payload of a frame that says no more than that we live; undefined where something else will be said at once. */
  signOfLife(): Uint8Array | undefined;
  /** Bytes came, this many. */
  heard(bytes: number, now: number): void;
  /** The unfinished frame holds so many bytes of memory now; told when that changes. */
  holds(bytes: number): void;
  /** Bytes are handed to the system now. */
  wrote(now: number): void;
  /** The kernel took the messages of this epoch up to this place. */
  flushed(place: number): void;
  /** There is more room than before, or the line was proven. */
  writable(): void;
  /** The other side sent its FIN. True: the line is over. False: we go on writing. */
  ended(cutOff: NinjaTcpError | undefined): boolean;
  /** What a fact cannot carry: the error object behind it. */
  lostWith(error: NinjaTcpError): void;
}
