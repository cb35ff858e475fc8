/** Messages both ways, over whatever socket there is: the hot half of a session. What becomes of sockets is session.ts. */
import { NinjaTcpError } from '../../errors.js';
import type { Budget } from './budget.js';
import { Intake } from './intake.js';
import type { SessionKeeper, SessionLink, SessionOptions, SessionOwner, Window } from './ports.js';
import { NO_WINDOW, Sender } from './sender.js';

export abstract class Exchange extends Intake {
  /** Attached, and the socket takes more: a message that is sent now goes out at once, or when the store has it. To be read only. */
  flowing = false;
  readonly sender: Sender;
  /** Who writes it into a store, where there is one: nothing is sent, nor told as handled, before the store knows it. */
  keeper: SessionKeeper | undefined;
  /** The longest message that the other side takes; 0 before it has said so. To be read only. */
  longest = 0;
  /** No more will be sent. */
  protected finishing = false;
  /** Somebody was told that there is no room. */
  protected awaited = false;

  constructor(options: SessionOptions, owner: SessionOwner, budget?: Budget) {
    super(options, owner);
    this.sender = new Sender(options.retain, budget);
  }

  /** Of this session nothing was carried yet, either way. */
  get unused(): boolean {
    return this.sender.next === 1 && this.receiver.next === 1;
  }

  /** All of this side up to this number is handled; 0 for nothing yet. */
  get acknowledgedUpTo(): number {
    return this.sender.first - 1;
  }

  /** Messages that are kept, since nobody has said that they are handled. */
  get retainedMessages(): number {
    return this.sender.messages;
  }

  get retainedBytes(): number {
    return this.sender.bytes;
  }

  /** Bytes of some of these messages. */
  retainedBytesOf(from: number, to: number): number {
    return this.sender.bytesOf(from, to);
  }

  /**
   * Sends one message, and keeps it until it is acknowledged: it must not be changed meanwhile.
   *
   * @returns its number; 0 where there is no room or no line for it: keep it, `owner.room()` tells when to come again
   * @throws NinjaTcpError `NINJA_INVALID_MESSAGE` where it is longer than the other side takes: it would never arrive
   */
  send(payload: Uint8Array): number {
    if (this.state !== 'attached' || this.finishing) return 0;
    const { sender } = this;
    const { length } = payload;
    if (length > this.longest) this.refuse(length);
    if (!sender.hasRoom(length)) {
      this.awaited = true;
      return 0;
    }
    const number = sender.push(payload);
    if (this.flowing && sender.cursor === number && number < sender.storedNext) {
      // As nearly always: nothing is before it. The same as `pump` does, with less ado.
      sender.advance();
      this.flowing = (this.link as SessionLink).data(number, payload);
    } else {
      this.pump();
    }
    return number;
  }

  /**
   * Keeps one message that the caller writes itself, at once: of what `free` told, of at most `longest` bytes. It is what
   * `send` does nearly always, and half of that is the way down to the socket.
   *
   * @returns its number; 0 where it has to go by `send`
   */
  keepWritten(payload: Uint8Array): number {
    return this.flowing && !this.finishing ? this.sender.pushWritten(payload) : 0;
  }

  private refuse(length: number): never {
    throw new NinjaTcpError(
      'NINJA_INVALID_MESSAGE',
      `a message must have at most ${this.longest} bytes, since the other side takes no longer ones, got ${length}`,
    );
  }

  /** Whether a message may be sent now, to be written at once; where not, `owner.room()` tells when to come again. */
  roomFor(length: number): boolean {
    if (!this.flowing || this.finishing) return false;
    if (this.sender.hasRoom(length)) return true;
    this.awaited = true;
    return false;
  }

  /** How much of the window is taken by what is kept: 1 for all of it; 0 where no window is known yet. */
  get fill(): number {
    return this.sender.fill;
  }

  /** How much may be sent without a look at `roomFor`; another session of the same budget may still take it away. */
  get free(): Window {
    return this.flowing && !this.finishing ? this.sender.free : NO_WINDOW;
  }

  /** @throws NinjaTcpError `NINJA_INVALID_MESSAGE` where the other side has said that it takes none so long */
  demandLength(length: number): void {
    if (this.longest > 0 && length > this.longest) this.refuse(length);
  }

  /** The socket takes more, having said that it does not. */
  writable(link: SessionLink): void {
    if (link !== this.link) return;
    this.flowing = true;
    this.pump();
  }

  /** The other side has said how long its messages may be, and how much it takes. */
  protected agree(longest: number, window: Window): void {
    this.longest = longest;
    this.sender.limit(window);
    this.receiver.pace(window);
  }

  /** Nothing happens for now: memory for what may come is given back. */
  protected rest(): void {
    this.sender.rest();
    this.receiver.rest();
  }

  /** Writes from the cursor on, as long as the socket takes it. */
  protected pump(): void {
    const { sender } = this;
    const end = Math.min(sender.next, sender.storedNext);
    while (this.flowing && sender.cursor < end) {
      const number = sender.cursor;
      this.flowing = (this.link as SessionLink).data(number, sender.step());
    }
    if (end < sender.next) this.keeper?.changed();
  }
}
