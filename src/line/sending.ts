import type { Receipt } from '../delivery/receipts.js';
import { messageChannel, tellMessage } from '../diagnostics.js';
import type { NinjaTcpError } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import { Meter } from '../meter.js';
import { payloadOf } from '../protocol/plain.js';
import { DATA_HEAD } from '../protocol/session/index.js';
import type { LineSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import type { LineTimers } from '../socket/timers.js';
import { Holding, type SendingEvents } from './holding.js';

/** The sending half of a line: accepts, numbers, holds behind the gate, and writes. */
export abstract class Sending extends Holding {
  readonly sent: Meter;
  private refused: NinjaTcpError | undefined;
  protected gate: 'open' | 'draining' | 'shut' = 'shut';
  /**
   * So many bytes (headers included) and messages may be written without a look at any limit: they were free when last
   * looked at, and what is pending only becomes less meanwhile. None where the gate moved, or something is held.
   */
  private freeBytes = 0;
  private freeMessages = 0;
  /** As of then: what a message takes beyond its own bytes, and how long it may be. */
  private overhead = 0;
  private longest = 0;

  constructor(settings: LineSettings, sendingEvents: SendingEvents, timers?: LineTimers) {
    super(settings, sendingEvents, timers);
    this.sent = new Meter(this.now());
  }

  /** No message is accepted any more, for this reason. */
  get refusal(): NinjaTcpError | undefined {
    return this.refused;
  }

  set refusal(refusal: NinjaTcpError | undefined) {
    this.refused = refusal;
    // Ordered from inside an event of the chart, the gate moves only when the chart has taken its step.
    this.recall();
  }

  openGate(): void {
    this.gate = 'open';
    this.writable();
  }

  shutGate(): void {
    this.recall();
    this.side?.lost();
    if (this.gate !== 'shut') {
      this.gate = 'shut';
      this.loseLine();
    }
    this.socket = undefined;
    this.settleDrained();
  }

  drain(): void {
    this.gate = 'draining';
    this.writable();
  }

  /** Accepts a message: writes it, or holds it. @returns false when it is time to wait */
  send(message: Uint8Array | string, ttl?: number): boolean {
    if (this.freeMessages > 0 && ttl === undefined && message instanceof Uint8Array && !messageChannel.hasSubscribers) {
      const { length } = message;
      const cost = length + this.overhead;
      if (length > 0 && length <= this.longest && cost <= this.freeBytes) {
        this.freeBytes -= cost;
        this.freeMessages -= 1;
        this.writeAtOnce(message);
        return true;
      }
    }
    return this.consider(message, ttl ?? this.settings.ttl);
  }

  /** Looks at every rule and limit. @param receipt who waits for what becomes of it */
  protected consider(message: Uint8Array | string, ttl: number, receipt?: Receipt): boolean {
    const payload = payloadOf(message, this.settings);
    if (this.refusal) throw this.refusal;
    this.demandGate();
    const size = payload.length;
    if (!this.hasRoom(size)) {
      this.makeRoom(size);
      // Who was told of what had expired may have closed the line.
      if (this.refusal) throw this.refusal;
      this.demandGate();
    }
    this.side?.demandLength(size);
    const number = this.ledger.accept();
    if (this.gate === 'open' && this.outbox.messages === 0 && this.takes(size)) {
      this.write(payload, number, receipt);
      this.lend();
    } else {
      this.recall();
      const expiresAt = ttl > 0 ? this.now() + ttl : Number.POSITIVE_INFINITY;
      this.outbox.push({ payload, number, expiresAt, receipt });
      if (ttl > 0) this.watchExpiry(this.now());
    }
    return this.fill < 1;
  }

  /** Whether a message of this size may be written now. */
  private takes(size: number): boolean {
    return (this.socket as Socket).canTake(size) && (this.side === undefined || this.side.takes(size));
  }

  /** The gate is open, nothing is held, and there was room: finds out how much there is. */
  private lend(): void {
    const { highWaterMark, outboxBytes, outboxMessages, maxFrameLength, framing } = this.settings;
    // Its framing may just have thrown.
    if (!this.socket?.proven) return;
    // One less than where `send` says stop.
    this.freeBytes = Math.min(highWaterMark - 1, outboxBytes) - this.pendingBytes;
    this.freeMessages = Math.ceil(outboxMessages / 2) - 1 - this.pendingMessages;
    this.longest = maxFrameLength;
    this.overhead = framing.headerLength;
    const { side } = this;
    if (!side) return;
    const { bytes, messages } = side.free;
    this.freeBytes = Math.min(this.freeBytes, bytes);
    this.freeMessages = Math.min(this.freeMessages, messages);
    this.longest = Math.min(maxFrameLength, side.longest);
    // For all that are written meanwhile.
    side.noteNext(this.ledger.accepted + 1);
    this.overhead += DATA_HEAD;
  }

  /** Every message is looked at again. */
  protected recall(): void {
    this.freeBytes = 0;
    this.freeMessages = 0;
  }

  /** Throws where the line's state forbids to accept. */
  protected abstract demandGate(): void;

  private write(payload: Uint8Array, number: number, receipt?: Receipt): void {
    const { length } = payload;
    if (messageChannel.hasSubscribers) tellMessage(this.sendingEvents.source, 'out', length);
    if (this.side) this.hand(payload, number, receipt);
    else (this.socket as Socket).send(payload, this.count(length, number));
  }

  /** The same on a line that is proven, where the socket has nothing to look at: each layer less is some 3 % of a small message. */
  private writeAtOnce(payload: Uint8Array): void {
    const { side, ledger } = this;
    const socket = this.socket as Socket;
    try {
      if (side === undefined) {
        socket.writer.put(payload, this.count(payload.length, ledger.accept()));
        return;
      }
      const number = side.core.keepWritten(payload);
      if (number === 0) {
        this.hand(payload, ledger.accept(), undefined);
        return;
      }
      this.countSent(payload.length);
      socket.writer.putNumbered(payload, ledger.acceptWritten(), number);
    } catch (error) {
      socket.fail(framingFault(error));
    }
  }

  /** Hands a message to the session. Others may have taken what was free: then it waits, behind none. */
  private hand(payload: Uint8Array, number: number, receipt: Receipt | undefined): void {
    if (this.side?.send(payload, number, receipt)) this.countSent(payload.length);
    else {
      this.recall();
      this.outbox.push({ payload, number, expiresAt: Number.POSITIVE_INFINITY, receipt });
    }
  }

  private count(size: number, number: number): number {
    this.countSent(size);
    return this.ledger.write(number, size);
  }

  private countSent(size: number): void {
    this.sent.messages += 1;
    this.sent.bytes += size;
  }

  /** Writes what is held, as far as there is room. */
  writable(): void {
    if (this.gate === 'shut') return;
    const socket = this.socket as Socket;
    this.side?.writable();
    if (this.outbox.messages > 0) {
      this.expire();
      for (let next = this.outbox.first(); next && this.takes(next.payload.length); next = this.outbox.first()) {
        this.outbox.shift();
        this.write(next.payload, next.number, next.receipt);
      }
    }
    if (this.gate === 'draining' && this.outbox.messages === 0) {
      if (this.side) this.side.finish();
      else socket.end();
    }
    this.settleDrained();
  }

  /** Bytes are handed to the system now. */
  wrote(now: number): void {
    this.sent.tick(now);
  }

  flushed(place: number): void {
    this.ledger.flushed = place;
  }
}
