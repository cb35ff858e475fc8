import type { Transport, TransportHandlers } from '../environment.js';
import { type Cut, Intake } from './intake.js';
import type { EventLoop, KernelEvent, Process } from './loop.js';
import { connectError, destroyedError, streamError, writeAfterEndError } from './node-errors.js';
import { Outgo } from './outgo.js';
import type { Pipe } from './pipe.js';
import { hash } from './random.js';

/** What a socket asks of the host that it lives on. */
export interface SocketHost {
  readonly name: string;
  /** Its processes read nothing. */
  readonly stalled: boolean;
}

/** What a socket asks of the network. */
export interface SocketNetwork {
  readonly loop: EventLoop;
  readonly cut: Cut;
  readonly chunkSize: number;
  readonly windowBytes: number;
  trace(host: string, event: string, detail: string): void;
  /** The socket's owner knows of it from now on. */
  opened(socket: SimulatedSocket): void;
  /** It is gone. */
  gone(socket: SimulatedSocket): void;
}

/**
 * One end of a simulated TCP connection: the kernel's socket and the process's transport in one. Methods marked
 * *kernel* are called when a packet arrives, whatever the process is doing; what concerns the process is put into the
 * loop's queue, which a stopped process does not read.
 */
export class SimulatedSocket implements Transport {
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  localAddress: string | undefined;
  localPort: number | undefined;
  /** The way to the other end, once there is one. */
  out: Pipe | undefined;
  /** The other end, once its kernel has answered. */
  peer: SimulatedSocket | undefined;
  /** False after `unref()`. */
  referenced = true;
  state: 'dialing' | 'open' | 'gone' = 'dialing';
  /** When the kernel gives the dial up. */
  dialLimit: KernelEvent | undefined;
  private handlers: TransportHandlers | undefined;
  private readonly outgo = new Outgo();
  private readonly intake: Intake;
  /** Sent, and not yet read by the other end. */
  private unread = 0;
  private finSent = false;
  private endCalled = false;
  private finAt: number | undefined;
  private resetAt: number | undefined;
  private endedTold = false;
  private paused = false;
  private readIsDue = false;
  private takeIsDue = false;
  private retakeIsDue = false;
  private acksDue = 0;
  /** Gone without a word: whatever still comes is answered with a RST, as by a kernel that knows nothing of it. */
  private vanished = false;

  constructor(
    private readonly network: SocketNetwork,
    readonly host: SocketHost,
    readonly process: Process,
    /** Which connection of the network, and which end of it: `#1>` dialed, `#1<` accepted. */
    readonly label: string,
    random: () => number,
  ) {
    this.intake = new Intake(network.cut, network.chunkSize, random);
  }

  get pendingBytes(): number {
    return this.outgo.pendingBytes;
  }

  // What the process calls.

  attach(handlers: TransportHandlers): void {
    if (this.handlers !== undefined) throw new Error('attach() was called before: a transport has one owner');
    this.handlers = handlers;
    this.readSoon();
  }

  write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    if (this.process.dead) return;
    if (this.state === 'gone' || this.endCalled) {
      const error = this.state === 'gone' ? destroyedError() : writeAfterEndError();
      this.later(() => written(error));
      return;
    }
    this.trace('write', `${bytes.length}`);
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

  end(finished: () => void): void {
    if (this.state === 'gone' || this.endCalled) return;
    this.trace('end', '');
    this.endCalled = true;
    this.outgo.uncork(true);
    this.outgo.finished = finished;
    this.takeNow();
  }

  destroy(): void {
    if (this.state === 'gone') return;
    this.trace('destroy', '');
    // Linux: whoever closes without having read everything resets the line.
    this.leave(this.intake.size > 0 ? 'reset' : 'fin');
    this.close();
  }

  reset(): void {
    if (this.state === 'gone') return;
    this.trace('reset', '');
    this.leave('reset');
    this.close();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.readSoon();
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  // What the network calls.

  /** Kernel: the three-way handshake is over on this side. */
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
      this.handlers?.opened();
    });
    this.out?.send(0, () => peer.confirmed());
    this.takeNow();
    this.readSoon();
  }

  /** Kernel: the dial failed. */
  unanswered(code: string): void {
    if (this.state !== 'dialing') return;
    this.later(() => this.fail(connectError(code, this.remoteAddress ?? '', this.remotePort ?? 0)));
  }

  /** What happens when the dialer's last word of the handshake arrives: set by the listener. */
  confirmed: () => void = () => {};

  /** The dial failed before a packet was sent. */
  fail(error: Error): void {
    if (this.state === 'gone') return;
    this.trace('failed', error.message);
    this.out?.purge();
    this.become('gone');
    this.intake.clear();
    const waiting = this.outgo.drop();
    this.later(() => this.handlers?.failed(error));
    for (const written of waiting) this.later(() => written(error));
    this.tellClosed();
  }

  /** The line is reset in the middle, and both ends hear of it. */
  breakNow(): void {
    if (this.state === 'open') this.arriveReset();
  }

  /** The process died: the kernel resets the line, and nobody is told here. */
  die(): void {
    if (this.state === 'gone') return;
    this.leave('reset');
    this.become('gone');
    this.outgo.drop();
    this.intake.clear();
    this.network.gone(this);
  }

  /** The process reads again, after the host had stalled or the socket was not attached yet. */
  readSoon(): void {
    const since = this.intake.since ?? this.finAt ?? this.resetAt;
    if (since === undefined || this.readIsDue || !this.mayRead()) return;
    this.readIsDue = true;
    this.later(() => {
      this.readIsDue = false;
      this.read();
    }, since);
  }

  // The kernel's side.

  private mayRead(): boolean {
    return this.state === 'open' && this.handlers !== undefined && !this.paused && !this.host.stalled;
  }

  private read(): void {
    if (!this.mayRead()) return;
    if (this.intake.size > 0) {
      const chunk = this.intake.take();
      this.acknowledge(chunk.length);
      this.trace('chunk', `${chunk.length} ${hash(chunk).toString(16)}`);
      this.readSoon();
      this.handlers?.chunk(chunk);
    } else if (this.finAt !== undefined && !this.endedTold) {
      this.endedTold = true;
      this.finAt = undefined;
      this.trace('ended', '');
      this.readSoon();
      this.closeWhenBothEnded();
      this.handlers?.ended();
    } else if (this.resetAt !== undefined) {
      this.fail(streamError('read', 'ECONNRESET'));
    }
  }

  /** Kernel: what is written is taken at the end of this callback, as the system call would have done. */
  private takeNow(): void {
    if (this.takeIsDue) return;
    this.takeIsDue = true;
    this.network.loop.atInstant(this.network.loop.now, () => {
      this.takeIsDue = false;
      this.take();
    });
  }

  private take(): void {
    if (this.state !== 'open') return;
    if (this.resetAt !== undefined && !this.outgo.isEmpty) {
      // A write meets the reset even where a paused reader would not have.
      this.later(() => this.fail(streamError('write', this.endedTold ? 'EPIPE' : 'ECONNRESET')));
      return;
    }
    const { windowBytes, chunkSize } = this.network;
    for (;;) {
      const taken = this.outgo.take(windowBytes - this.unread, chunkSize);
      if (taken === undefined) break;
      const { bytes, tell } = taken;
      if (bytes.length > 0) {
        this.unread += bytes.length;
        const { peer } = this;
        this.out?.send(bytes.length, () => peer?.arrive(bytes));
      }
      for (const written of tell) this.later(() => written());
    }
    if (this.outgo.finIsNext) this.sendFin();
  }

  private sendFin(): void {
    const { finished } = this.outgo;
    this.outgo.finished = undefined;
    this.finSent = true;
    const { peer } = this;
    this.out?.send(0, () => peer?.arriveFin());
    this.later(() => {
      this.closeWhenBothEnded();
      finished?.();
    });
  }

  private arrive(bytes: Buffer): void {
    if (this.state === 'gone') {
      this.replyReset(this.peer);
      return;
    }
    this.intake.push(bytes, this.network.loop.now);
    this.readSoon();
  }

  private arriveFin(): void {
    if (this.state === 'gone') {
      if (this.vanished) this.replyReset(this.peer);
      return;
    }
    this.finAt = this.network.loop.now;
    this.readSoon();
  }

  private arriveReset(): void {
    if (this.state === 'gone' || this.resetAt !== undefined) return;
    if (this.state === 'dialing') {
      // The dialer gave up in the middle of the handshake.
      this.die();
      return;
    }
    this.resetAt = this.network.loop.now;
    if (this.outgo.isEmpty) this.readSoon();
    else this.takeNow();
  }

  private arriveAck(bytes: number): void {
    this.unread -= bytes;
    if (this.state !== 'open' || this.outgo.isEmpty || this.retakeIsDue) return;
    this.retakeIsDue = true;
    // The kernel has room again; it is the process that has to hand over more.
    this.later(() => {
      this.retakeIsDue = false;
      this.take();
    });
  }

  /** Tells the other end that so much was read, once for all that is read at this instant. */
  private acknowledge(bytes: number): void {
    if (this.acksDue === 0) {
      this.network.loop.atInstant(this.network.loop.now, () => {
        const read = this.acksDue;
        this.acksDue = 0;
        const { peer } = this;
        if (this.state === 'open') this.out?.send(0, () => peer?.arriveAck(read));
      });
    }
    this.acksDue += bytes;
  }

  /** Sends the last packet of this end, unless the way is cut: then nothing of it will ever be heard. */
  private leave(how: 'fin' | 'reset'): void {
    const { out, peer } = this;
    if (out?.isCut) {
      out.purge();
      this.vanished = true;
    }
    if (out === undefined || peer === undefined || this.vanished) return;
    if (how === 'reset') {
      out.send(0, () => peer.arriveReset());
    } else if (!this.finSent) {
      out.send(0, () => peer.arriveFin());
    }
  }

  private replyReset(to: SimulatedSocket | undefined): void {
    this.out?.send(0, () => to?.arriveReset());
  }

  private closeWhenBothEnded(): void {
    if (this.state === 'open' && this.finSent && this.endedTold) this.close();
  }

  private become(state: 'open' | 'gone'): void {
    this.state = state;
    if (this.dialLimit !== undefined) this.dialLimit.cancelled = true;
  }

  private close(): void {
    this.become('gone');
    this.intake.clear();
    for (const written of this.outgo.drop()) this.later(() => written(destroyedError()));
    this.tellClosed();
  }

  private tellClosed(): void {
    this.later(() => {
      this.trace('closed', '');
      this.network.gone(this);
      this.handlers?.closed();
    });
  }

  private later(callback: () => void, since?: number): void {
    this.network.loop.enqueue(this.process, callback, since);
  }

  private trace(event: string, detail: string): void {
    this.network.trace(this.host.name, event, detail === '' ? this.label : `${this.label} ${detail}`);
  }
}
