import type { EventLoop } from './loop.js';
import { writeAfterEndError } from './node-errors.js';
import { Outgo } from './outgo.js';

/** What a sender asks of its socket. */
export interface SenderSocket {
  readonly loop: EventLoop;
  /** How long the next packet may be, bytes. */
  nextPacketSize(): number;
  /** How much may be under way or unread at the other end, bytes. */
  readonly windowBytes: number;
  /** The connection stands. */
  readonly isOpen: boolean;
  /** The other end has reset it. */
  readonly wasReset: boolean;
  transmit(bytes: Buffer): void;
  transmitFin(): void;
  /** The FIN was taken, and the process is about to hear of it. */
  oneWayEnded(): void;
  /** There was something to send on a line that was reset. */
  brokenPipe(): void;
  /** Calls the process from the loop. */
  later(callback: () => void): void;
}

/** The sending half of a socket: what the process wrote, and how much of it the kernel takes. */
export class Sender {
  finSent = false;
  private readonly outgo = new Outgo();
  private endCalled = false;
  /** Sent, and not yet read by the other end. */
  private unread = 0;
  private takeIsDue = false;
  private retakeIsDue = false;

  constructor(private readonly socket: SenderSocket) {}

  get pendingBytes(): number {
    return this.outgo.pendingBytes;
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    if (this.endCalled) {
      this.socket.later(() => written(writeAfterEndError()));
      return;
    }
    this.outgo.write(bytes, written);
    this.takeNow();
  }

  cork(): void {
    this.outgo.cork();
  }

  uncork(): void {
    this.outgo.uncork();
    this.takeNow();
  }

  /** False when it was ended before. */
  end(finished: () => void): boolean {
    if (this.endCalled) return false;
    this.endCalled = true;
    this.outgo.uncork(true);
    this.outgo.finished = finished;
    this.takeNow();
    return true;
  }

  /** Kernel: what is written is taken when the running callback is over, as by a system call. */
  takeNow(): void {
    if (this.takeIsDue) return;
    this.takeIsDue = true;
    const { loop } = this.socket;
    loop.atInstant(loop.now, () => {
      this.takeIsDue = false;
      this.take();
    });
  }

  /** Kernel: the other end has read so much. */
  acknowledged(bytes: number): void {
    this.unread -= bytes;
    if (!this.socket.isOpen || this.outgo.isEmpty || this.retakeIsDue) return;
    this.retakeIsDue = true;
    // There is room again, but it is for the process to hand over more.
    this.socket.later(() => {
      this.retakeIsDue = false;
      this.take();
    });
  }

  /** Kernel: the other end has reset the line. Whoever is writing meets it. */
  meetReset(): void {
    if (!this.outgo.isEmpty) this.takeNow();
  }

  /** Forgets what was not taken, and tells its writers. */
  drop(error: Error): void {
    for (const written of this.outgo.drop()) this.socket.later(() => written(error));
  }

  private take(): void {
    const { socket, outgo } = this;
    if (!socket.isOpen) return;
    if (socket.wasReset) {
      if (!outgo.isEmpty) socket.brokenPipe();
      return;
    }
    for (;;) {
      const taken = outgo.take(socket.windowBytes - this.unread, socket.nextPacketSize());
      if (taken === undefined) break;
      this.unread += taken.bytes.length;
      if (taken.bytes.length > 0) socket.transmit(taken.bytes);
      for (const written of taken.tell) socket.later(() => written());
    }
    if (outgo.finIsNext) this.sendFin();
  }

  private sendFin(): void {
    const { finished } = this.outgo;
    this.outgo.finished = undefined;
    this.finSent = true;
    this.socket.transmitFin();
    this.socket.later(() => {
      this.socket.oneWayEnded();
      finished?.();
    });
  }
}
