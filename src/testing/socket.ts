import type { Transport, TransportHandlers } from '../environment.js';
import { type Cut, Intake } from './intake.js';
import type { EventLoop, KernelEvent } from './loop.js';
import { connectError, destroyedError, streamError } from './node-errors.js';
import type { Pipe } from './pipe.js';
import type { Process } from './process.js';
import { Receiver, type ReceiverSocket } from './receiver.js';
import { Sender, type SenderSocket } from './sender.js';

/** What a socket asks of the host that it lives on. */
export interface SocketHost {
  readonly name: string;
  /** Its process reads nothing. */
  readonly stalled: boolean;
  /** A socket is gone. */
  gone(socket: SimulatedSocket): void;
}

/** What a socket asks of the network. */
export interface SocketNetwork {
  readonly loop: EventLoop;
  readonly cutting: Cut;
  /** The longest chunk and the longest packet, bytes. */
  readonly chunkSize: number;
  readonly windowBytes: number;
  /** Whether traces are wanted at all: they cost. */
  readonly traces: boolean;
  trace(host: string, event: string, detail: string): void;
}

/**
 * One end of a simulated TCP connection: the kernel's socket and the process's transport in one. Methods marked
 * *kernel* are called when a packet arrives, whatever the process is doing; what concerns the process is put into the
 * loop's queue, which a stopped process does not read.
 */
export class SimulatedSocket implements Transport, SenderSocket, ReceiverSocket {
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  localAddress: string | undefined;
  localPort: number | undefined;
  /** The port or the path that was dialed. */
  at: number | string | undefined;
  state: 'dialing' | 'open' | 'gone' = 'dialing';
  /** The way to the other end, once there is one. */
  out: Pipe | undefined;
  /** The other end, once its kernel has answered. */
  peer: SimulatedSocket | undefined;
  /** When the kernel gives the handshake up. */
  handshakeLimit: KernelEvent | undefined;
  /** Kernel: what to do when the dialer's last word of the handshake arrives; the listener's affair. */
  confirmed: () => void = () => {};
  private readonly sender: Sender;
  private readonly receiver: Receiver;
  /** Gone without a word: whatever still comes is answered with a RST, as by a kernel that knows nothing of it. */
  private vanished = false;

  constructor(
    private readonly network: SocketNetwork,
    readonly host: SocketHost,
    readonly process: Process,
    /** Which connection of the network, and which end of it: `#1>` dialed, `#1<` was accepted. */
    readonly label: string,
    private readonly random: () => number,
  ) {
    this.sender = new Sender(this);
    this.receiver = new Receiver(this, new Intake(network.cutting, network.chunkSize, random));
  }

  // What the process calls.

  readonly passesOn = true;
  get pendingBytes(): number {
    return this.sender.pendingBytes;
  }

  attach(handlers: TransportHandlers): void {
    this.receiver.handlers = handlers;
    this.receiver.readSoon();
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    if (this.state === 'gone') {
      this.later(() => written(destroyedError()));
      return;
    }
    this.trace('write', `${bytes.length}`);
    this.sender.write(bytes, written);
  }

  cork(): void {
    this.sender.cork();
  }

  uncork(): void {
    this.sender.uncork();
  }

  end(finished: () => void): void {
    if (this.state !== 'gone' && this.sender.end(finished)) this.trace('end', '');
  }

  destroy(): void {
    if (this.state === 'gone') return;
    this.trace('destroy', '');
    // As on Linux: whoever closes without having read everything resets the line.
    this.leave(this.receiver.unreadBytes > 0 ? 'reset' : 'fin');
    this.close();
  }

  reset(): void {
    if (this.state === 'gone') return;
    this.trace('reset', '');
    this.leave('reset');
    this.close();
  }

  pause(): void {
    this.receiver.pause();
  }

  resume(): void {
    this.receiver.resume();
  }

  // Nothing has to keep a virtual process alive.
  ref(): void {}
  unref(): void {}

  // What the network calls.

  /** Kernel: the handshake is over on this side. */
  established(): void {
    this.become('open');
  }

  /** Kernel: the other end answered the dial. */
  answered(peer: SimulatedSocket): void {
    if (this.state !== 'dialing') {
      this.replyReset(peer);
      return;
    }
    this.peer = peer;
    this.established();
    this.later(() => {
      if (this.state !== 'open') return;
      this.trace('opened', '');
      this.receiver.handlers?.opened();
    });
    this.out?.send(0, () => peer.confirmed());
    this.sender.takeNow();
  }

  /** Kernel: the dial failed. */
  unanswered(code: string): void {
    if (this.state !== 'dialing') return;
    this.later(() => this.fail(connectError(code, this.remoteAddress ?? '', this.at ?? 0)));
  }

  /** It broke: its owner hears why. */
  fail(error: Error): void {
    if (this.state === 'gone') return;
    this.trace('failed', error.message);
    this.out?.purge();
    this.later(() => this.receiver.handlers?.failed(error));
    this.close(error);
  }

  /** The line is reset in the middle. */
  breakNow(): void {
    if (this.state === 'open') this.arriveReset();
  }

  /** The process died, or never knew of it: the kernel resets the line, and nobody here is told. */
  die(): void {
    if (this.state !== 'gone') this.leave('reset');
    this.become('gone');
    // Also where it was gone, and the process died before it was told.
    this.host.gone(this);
  }

  /** The host reads again. */
  readSoon(): void {
    this.receiver.readSoon();
  }

  // What its two halves call.

  get loop(): EventLoop {
    return this.network.loop;
  }

  nextPacketSize(): number {
    const { chunkSize, cutting } = this.network;
    // Packets travel each for itself: so a line can also break, or wait, in the middle of what was one write.
    const isShort = cutting === 'random' && this.random() < 0.5;
    return isShort ? 1 + Math.floor(this.random() * Math.min(chunkSize, 1460)) : chunkSize;
  }

  get windowBytes(): number {
    return this.network.windowBytes;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get wasReset(): boolean {
    return this.receiver.resetAt !== undefined;
  }

  get mayRead(): boolean {
    return this.state === 'open' && !this.host.stalled;
  }

  transmit(bytes: Buffer): void {
    this.out?.send(bytes.length, () => this.peer?.arrive(bytes));
  }

  transmitFin(): void {
    this.out?.send(0, () => this.peer?.arriveFin());
  }

  oneWayEnded(): void {
    if (this.state === 'open' && this.sender.finSent && this.receiver.endedTold) this.close();
  }

  resetRead(): void {
    this.fail(streamError('read', 'ECONNRESET'));
  }

  brokenPipe(): void {
    this.later(() => this.fail(streamError('write', this.receiver.endedTold ? 'EPIPE' : 'ECONNRESET')));
  }

  acknowledge(bytes: number): void {
    if (this.state === 'open') this.out?.send(0, () => this.peer?.sender.acknowledged(bytes));
  }

  later(callback: () => void, since?: number): void {
    this.network.loop.enqueue(this.process, callback, since);
  }

  trace(event: string, detail: string): void {
    if (!this.network.traces) return;
    this.network.trace(this.host.name, event, detail === '' ? this.label : `${this.label} ${detail}`);
  }

  // The kernel's side.

  private arrive(bytes: Buffer): void {
    if (this.state === 'gone') this.replyReset(this.peer);
    else this.receiver.arrive(bytes);
  }

  private arriveFin(): void {
    if (this.state !== 'gone') this.receiver.arriveFin();
    else if (this.vanished) this.replyReset(this.peer);
  }

  private arriveReset(): void {
    if (this.state === 'gone' || this.wasReset) return;
    // Gone in the middle of the handshake: the process never knew of it.
    if (this.state === 'dialing') this.die();
    else this.receiver.arriveReset();
    // A write meets the reset at once, even where a paused reader does not.
    this.sender.meetReset();
  }

  /** Sends the last packet of this end, unless the way is cut: then nothing of it will ever be heard. */
  private leave(how: 'fin' | 'reset'): void {
    if (this.out?.isCut) {
      this.out.purge();
      this.vanished = true;
    } else if (how === 'reset') {
      this.replyReset(this.peer);
    } else if (!this.sender.finSent) {
      this.transmitFin();
    }
  }

  private replyReset(to: SimulatedSocket | undefined): void {
    this.out?.send(0, () => to?.arriveReset());
  }

  private close(cause: Error = destroyedError()): void {
    this.become('gone');
    this.sender.drop(cause);
    this.later(() => {
      this.trace('closed', '');
      this.host.gone(this);
      this.receiver.handlers?.closed();
    });
  }

  private become(state: 'open' | 'gone'): void {
    this.state = state;
    if (this.handshakeLimit !== undefined) this.handshakeLimit.cancelled = true;
    if (state === 'gone') this.receiver.drop();
  }
}
