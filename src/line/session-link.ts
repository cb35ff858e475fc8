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

  /** @param place counts a message of so many bytes that is written; gives its place in this epoch, from 1 */
  constructor(
    private readonly bare: BareLink | undefined,
    private place: (bytes: number) => number = () => 0,
  ) {}

  bind(socket: Socket, place: (bytes: number) => number): this {
    this.socket = socket;
    this.place = place;
    return this;
  }

  data(number: number, payload: Uint8Array): boolean {
    const { socket } = this;
    if (!socket) return false;
    socket.send(payload, this.place(payload.length), number);
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
