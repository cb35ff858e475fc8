import type { NinjaTcpError } from '../errors.js';

/** Who a socket works for: the line that outlives it. */
export interface SocketOwner {
  /** A whole message came. */
  deliver(message: Buffer): void;
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
