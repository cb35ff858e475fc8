import type { Environment, Timer, Transport } from '../environment.js';
import type { Framing } from '../framing/framing.js';
import { frame } from './bytes.js';

/** What a client of a path can say. */
export interface ClientWords {
  readonly framing: Framing;
  /** What it says when it first speaks; an empty frame where there is nothing to say. */
  readonly message: Uint8Array | string;
  /** What it says while it is idle. */
  readonly heartbeat: Uint8Array | string;
  /** What is no frame; undefined where every byte is one. */
  readonly garbage: Uint8Array | undefined;
  /** How many messages are a flood. */
  readonly flood: number;
}

/** A message that is never finished, bytes: so many that, byte by byte, it takes longer than a server should wait. */
const longMessage = 100;
const nobody = (): void => {};

/** A client that does as it is told, rightly or wrongly, on a transport of its own: one line, never a second. */
export class PathClient {
  open = false;
  /** Gone, for whatever cause. */
  closed = false;
  /** Whether the server sent its FIN. */
  ended = false;
  /** The messages that came, heartbeats left out. */
  readonly replies: Buffer[] = [];
  /** Answers the server's FIN. */
  protected polite = true;
  private timer: Timer | undefined;
  /** What is left of a frame that was begun. */
  protected rest: Buffer = Buffer.alloc(0);
  protected readonly transport: Transport;

  constructor(
    protected readonly environment: Environment,
    target: { readonly host: string; readonly port: number },
    protected readonly words: ClientWords,
  ) {
    const decoder = words.framing.decoder({ maxFrameLength: words.framing.maxLength });
    this.transport = environment.dial({ ...target, noDelay: true });
    this.transport.attach({
      opened: () => {
        this.open = true;
        this.opens();
      },
      chunk: (bytes) => decoder.push(bytes, (message) => this.take(message)),
      ended: () => {
        this.ended = true;
        if (this.polite) this.end();
      },
      failed: nobody,
      closed: () => {
        this.closed = true;
        this.quiet();
        this.goes();
      },
    });
  }

  /** The server has let it in, as far as it can know. */
  get ready(): boolean {
    return this.open;
  }

  protected opens(): void {}

  protected goes(): void {}

  protected take(message: Buffer): void {
    if (message.length > 0) this.replies.push(message);
  }

  /** What its kernel has not taken yet. */
  get pendingBytes(): number {
    return this.transport.pendingBytes;
  }

  /** Says its message, and is heard from then on. */
  speak(everyMs: number): void {
    this.say(this.words.message);
    this.beat(everyMs, () => this.say(this.words.heartbeat));
  }

  /** Many messages at once. */
  flood(): void {
    const { framing, message, flood } = this.words;
    this.write(Buffer.concat(new Array<Buffer>(flood).fill(frame(message, framing))));
  }

  /** The first half of its message, and nothing behind it. */
  beginFrame(): void {
    this.quiet();
    const whole = this.wholeMessage();
    const half = whole.length >> 1;
    this.write(whole.subarray(0, half));
    this.rest = whole.subarray(half);
  }

  /** The message, as a frame that is to be written in two halves. */
  protected wholeMessage(): Buffer {
    return frame(this.words.message, this.words.framing);
  }

  /** The other half. */
  finishFrame(everyMs: number): void {
    this.write(this.rest);
    this.rest = Buffer.alloc(0);
    this.beat(everyMs, () => this.say(this.words.heartbeat));
  }

  /** A long frame, byte by byte; the last byte never comes. */
  drip(everyMs: number): void {
    const { framing } = this.words;
    this.rest = frame(Buffer.alloc(Math.min(longMessage, framing.maxLength), 0x78), framing);
    const next = (): void => {
      this.write(this.rest.subarray(0, 1));
      this.rest = this.rest.subarray(1);
      if (this.rest.length <= 1) this.quiet();
    };
    next();
    this.beat(everyMs, next);
  }

  sayGarbage(): void {
    this.write(this.words.garbage as Uint8Array);
  }

  quiet(): void {
    if (this.timer) this.environment.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Does not answer a FIN any more. */
  ignoreEnd(): void {
    this.polite = false;
  }

  /** Reads what came meanwhile, and answers the server's FIN, late. */
  answerEnd(): void {
    this.polite = true;
    this.readOn();
    if (this.ended) this.end();
  }

  /** Sends a FIN, and reads on. */
  end(): void {
    this.quiet();
    this.transport.end(nobody);
  }

  stopReading(): void {
    this.transport.pause();
  }

  readOn(): void {
    this.transport.resume();
  }

  /** Closes, as a process does that exits. */
  hangUp(): void {
    this.quiet();
    this.transport.destroy();
  }

  reset(): void {
    this.quiet();
    this.transport.reset();
  }

  protected say(message: Uint8Array | string): void {
    this.write(frame(message, this.words.framing));
  }

  protected write(bytes: Uint8Array): void {
    if (!this.closed) this.transport.write(bytes, nobody);
  }

  private beat(everyMs: number, callback: () => void): void {
    this.quiet();
    const { clock } = this.environment;
    const next = (): void => {
      this.timer = clock.setTimeout(() => {
        next();
        callback();
      }, everyMs);
    };
    next();
  }
}
