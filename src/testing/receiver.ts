import type { TransportHandlers } from '../environment.js';
import type { Intake } from './intake.js';
import type { EventLoop } from './loop.js';
import { hash } from './random.js';

/** What a receiver asks of its socket. */
export interface ReceiverSocket {
  readonly loop: EventLoop;
  /** The connection stands, and its process reads. */
  readonly mayRead: boolean;
  /** Tells the other end's kernel how much was read. */
  acknowledge(bytes: number): void;
  /** The process is about to hear the other end's FIN. */
  oneWayEnded(): void;
  /** The process meets the other end's RST. */
  resetRead(): void;
  /** Calls the process from the loop; `since` is when what it hears arrived. */
  later(callback: () => void, since: number): void;
  trace(event: string, detail: string): void;
}

/** The receiving half of a socket: what arrived, then perhaps a FIN or a RST behind it, and how the process reads it. */
export class Receiver {
  handlers: TransportHandlers | undefined;
  /** The process has heard the FIN. */
  endedTold = false;
  /** When the other end's RST arrived. It is met when all before it was read, as on Linux. */
  resetAt: number | undefined;
  private finAt: number | undefined;
  private paused = false;
  private readIsDue = false;
  private acksDue = 0;

  constructor(
    private readonly socket: ReceiverSocket,
    private readonly intake: Intake,
  ) {}

  get unreadBytes(): number {
    return this.intake.size;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.readSoon();
  }

  /** Kernel: bytes arrive. */
  arrive(bytes: Buffer): void {
    this.intake.push(bytes, this.socket.loop.now);
    this.readSoon();
  }

  /** Kernel: a FIN arrives. */
  arriveFin(): void {
    this.finAt = this.socket.loop.now;
    this.readSoon();
  }

  /** Kernel: a RST arrives. */
  arriveReset(): void {
    this.resetAt = this.socket.loop.now;
    this.readSoon();
  }

  /** Nothing is read any more. */
  drop(): void {
    this.intake.clear();
  }

  /** There may be something to read, or leave to read it. */
  readSoon(): void {
    const since = this.intake.since ?? this.finAt ?? this.resetAt;
    if (since === undefined || this.readIsDue || !this.mayRead) return;
    this.readIsDue = true;
    this.socket.later(() => {
      this.readIsDue = false;
      this.read();
    }, since);
  }

  private get mayRead(): boolean {
    return this.handlers !== undefined && !this.paused && this.socket.mayRead;
  }

  /** One chunk, or the FIN, or the RST; what is behind it comes in a callback of its own. */
  private read(): void {
    if (!this.mayRead) return;
    if (this.intake.size > 0) {
      const chunk = this.intake.take();
      this.acknowledge(chunk.length);
      this.readSoon();
      this.socket.trace('chunk', `${chunk.length} ${fingerprint(chunk)}`);
      this.handlers?.chunk(chunk);
    } else if (this.finAt !== undefined) {
      this.finAt = undefined;
      this.endedTold = true;
      this.readSoon();
      this.socket.trace('ended', '');
      this.socket.oneWayEnded();
      this.handlers?.ended();
    } else if (this.resetAt !== undefined) {
      this.socket.resetRead();
    }
  }

  /** Once for all that is read at this instant. */
  private acknowledge(bytes: number): void {
    if (this.acksDue === 0) {
      const { loop } = this.socket;
      loop.atInstant(loop.now, () => {
        const read = this.acksDue;
        this.acksDue = 0;
        this.socket.acknowledge(read);
      });
    }
    this.acksDue += bytes;
  }
}

/** Enough of the content for two traces to differ where it does. */
function fingerprint(bytes: Uint8Array): string {
  return hash(bytes).toString(16).padStart(8, '0');
}
