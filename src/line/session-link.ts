import type { Ledger } from '../delivery/ledger.js';
import type { NinjaTcpError } from '../errors.js';
import type { SessionLink } from '../protocol/session/index.js';
import type { Socket } from '../socket/socket.js';

/** What there is of a socket before it has a line: enough to answer a handshake. */
export interface BareLink {
  control(frame: Uint8Array): void;
  end(): void;
  drop(error: NinjaTcpError | undefined): void;
}

/** One socket as a session knows it; at a server it is bare until the session has chosen its line. */
export class SocketLink implements SessionLink {
  private socket: Socket | undefined;
  private reason: NinjaTcpError | undefined;
  /** Counts what is written. */
  private ledger: Ledger | undefined;

  constructor(private bare: BareLink | undefined) {}

  bind(socket: Socket, ledger: Ledger): this {
    this.socket = socket;
    this.ledger = ledger;
    // It is not asked any more, and would be kept as long as the line.
    this.bare = undefined;
    return this;
  }

  data(number: number, payload: Uint8Array): boolean {
    const { socket, ledger } = this;
    if (!socket || !ledger) return false;
    socket.send(payload, ledger.write(0, payload.length), number);
    return socket.canTake(0);
  }

  control(frame: Buffer): void {
    if (this.socket) this.socket.control(frame);
    else this.bare?.control(frame);
  }

  end(): void {
    if (this.socket) this.socket.end();
    else this.bare?.end();
  }

  drop(error: NinjaTcpError | undefined): void {
    const { socket } = this;
    const why = error ?? this.reason;
    if (!socket) this.bare?.drop(error);
    else if (why) socket.fail(why);
    else socket.destroy();
  }

  /** Where it is thrown away for no reason of its own, its line is to hear of it, and why. */
  blame(reason: NinjaTcpError): void {
    this.reason = reason;
  }
}
