import { Ledger, type Loss } from '../delivery/ledger.js';
import { type Dropped, Outbox } from '../delivery/outbox.js';
import { type DiagnosticSource, messageChannel, tellMessage } from '../diagnostics.js';
import type { Timer } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import { Meter } from '../meter.js';
import { payloadOf } from '../protocol/plain.js';
import type { LineSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import { type LineTimers, Timers } from '../socket/timers.js';
import { Waiters } from './waiters.js';

export interface SendingEvents {
  /** Who is told of: the face. */
  readonly source: DiagnosticSource;
  dropped(dropped: Dropped): void;
}

/** Expired messages are looked for at most once in so many milliseconds. */
const EXPIRY_GRAIN = 10;
const NOTHING_LOST = { unknown: undefined, unflushed: 0 } as const;

/** The sending half of a line: accepts, numbers, holds behind the gate, writes, and counts what became of it. */
export abstract class Sending {
  readonly outbox = new Outbox();
  readonly ledger = new Ledger();
  readonly sent: Meter;
  private refused: NinjaTcpError | undefined;
  protected socket: Socket | undefined;
  protected gate: 'open' | 'draining' | 'shut' = 'shut';
  private lost: Omit<Loss, 'held'> | undefined;
  private readonly untold: Dropped[] = [];
  private expiryTimer: Timer | undefined;
  private expiryDue = Number.POSITIVE_INFINITY;
  private readonly drainWaiters = new Waiters<void>();
  /**
   * So many bytes (headers included) and messages may be written without a look at any limit: they were free when last
   * looked at, and what is pending only becomes less meanwhile. None where the gate moved, or something is held.
   */
  private freeBytes = 0;
  private freeMessages = 0;
  private readonly headerLength: number;
  private readonly longest: number;

  constructor(
    readonly settings: LineSettings,
    private readonly sendingEvents: SendingEvents,
    readonly timers: LineTimers = new Timers(settings.environment.clock),
  ) {
    const { clock } = settings.environment;
    this.sent = new Meter(clock.now());
    this.headerLength = settings.framing.headerLength;
    this.longest = settings.maxFrameLength;
  }

  now(): number {
    return this.settings.environment.clock.now();
  }

  wallNow(): number {
    return this.settings.environment.clock.wallNow();
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
    if (this.gate !== 'shut') {
      this.gate = 'shut';
      this.lost = this.ledger.lose();
    }
    this.socket = undefined;
    this.settleDrained();
  }

  /** What was dropped in the step that the chart has just taken, told once. */
  takeDropped(): Dropped[] {
    return this.untold.splice(0);
  }

  /** What was lost with the last line, told once, and what is held now. */
  takeLoss(): Loss {
    const lost = this.lost ?? NOTHING_LOST;
    this.lost = undefined;
    return { ...lost, held: this.outbox.range };
  }

  drain(): void {
    this.gate = 'draining';
    this.writable();
  }

  /** What is held will not be sent, for this reason. It is told when the chart has taken its step: see `takeDropped`. */
  protected dropHeld(code: Dropped['code'], refusal: NinjaTcpError): void {
    for (const range of this.outbox.clear()) this.untold.push({ code, ...range });
    this.armExpiry(0);
    this.drainWaiters.reject(refusal);
  }

  get pendingBytes(): number {
    return this.outbox.bytes + (this.socket?.writer.pendingBytes ?? 0);
  }

  get pendingMessages(): number {
    return this.outbox.messages + this.ledger.written - this.ledger.flushed;
  }

  /** How full it is: 1 where `send` says stop, well before it would have to refuse; small messages by their number. */
  private get fill(): number {
    const { highWaterMark, outboxMessages } = this.settings;
    return Math.max(this.pendingBytes / highWaterMark, (2 * this.pendingMessages) / outboxMessages);
  }

  /** Accepts a message: writes it, or holds it. @returns false when it is time to wait */
  send(message: Uint8Array | string, ttl?: number): boolean {
    if (this.freeMessages > 0 && ttl === undefined && message instanceof Uint8Array && !messageChannel.hasSubscribers) {
      const { length } = message;
      const cost = length + this.headerLength;
      if (length > 0 && length <= this.longest && cost <= this.freeBytes) {
        this.freeBytes -= cost;
        this.freeMessages -= 1;
        this.writeAtOnce(message, this.ledger.accept());
        return true;
      }
    }
    return this.consider(message, ttl ?? this.settings.ttl);
  }

  /** Looks at every rule and limit. */
  private consider(message: Uint8Array | string, ttl: number): boolean {
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
    const number = this.ledger.accept();
    if (this.gate === 'open' && this.outbox.messages === 0 && (this.socket as Socket).canTake(size)) {
      this.write(payload, number);
      this.lend();
    } else {
      this.recall();
      const expiresAt = ttl > 0 ? this.now() + ttl : Number.POSITIVE_INFINITY;
      this.outbox.push({ payload, number, expiresAt });
      if (ttl > 0) this.armExpiry(this.now());
    }
    return this.fill < 1;
  }

  /** The gate is open, nothing is held, and there was room: finds out how much there is. */
  private lend(): void {
    const { highWaterMark, outboxBytes, outboxMessages } = this.settings;
    // Its framing may just have thrown.
    if (!this.socket?.proven) return;
    // One less than where `send` says stop.
    this.freeBytes = Math.min(highWaterMark - 1, outboxBytes) - this.pendingBytes;
    this.freeMessages = Math.ceil(outboxMessages / 2) - 1 - this.pendingMessages;
  }

  /** Every message is looked at again. */
  private recall(): void {
    this.freeBytes = 0;
    this.freeMessages = 0;
  }

  /** Throws where the line's state forbids to accept. */
  protected abstract demandGate(): void;

  private hasRoom(size: number): boolean {
    const { outboxBytes, outboxMessages } = this.settings;
    return this.pendingBytes + size <= outboxBytes && this.pendingMessages < outboxMessages;
  }

  /** @throws NinjaTcpError `NINJA_OUTBOX_FULL` */
  protected makeRoom(size: number): void {
    this.expire();
    if (this.hasRoom(size)) return;
    const { outboxBytes, outboxMessages } = this.settings;
    throw new NinjaTcpError(
      'NINJA_OUTBOX_FULL',
      this.pendingMessages < outboxMessages
        ? `the outbox must hold at most outboxBytes, ${outboxBytes} bytes; ${this.pendingBytes} are pending, ${size} more were given`
        : `the outbox must hold at most outboxMessages, ${outboxMessages}; ${this.pendingMessages} are pending`,
    );
  }

  private write(payload: Uint8Array, number: number): void {
    if (messageChannel.hasSubscribers) tellMessage(this.sendingEvents.source, 'out', payload.length);
    (this.socket as Socket).send(payload, this.count(payload.length, number));
  }

  /** The same on a line that is proven, where the socket has nothing to look at: each layer less is some 3 % of a small message. */
  private writeAtOnce(payload: Uint8Array, number: number): void {
    const socket = this.socket as Socket;
    const place = this.count(payload.length, number);
    try {
      socket.writer.put(payload, place);
    } catch (error) {
      socket.fail(framingFault(error));
    }
  }

  private count(size: number, number: number): number {
    this.sent.messages += 1;
    this.sent.bytes += size;
    return this.ledger.write(number, size);
  }

  /** Writes what is held, as far as there is room. */
  writable(): void {
    if (this.gate === 'shut') return;
    const socket = this.socket as Socket;
    if (this.outbox.messages > 0) {
      this.expire();
      for (let next = this.outbox.first(); next && socket.canTake(next.payload.length); next = this.outbox.first()) {
        this.outbox.shift();
        this.write(next.payload, next.number);
      }
    }
    if (this.gate === 'draining' && this.outbox.messages === 0) socket.end();
    this.settleDrained();
  }

  /** Bytes are handed to the system now. */
  wrote(now: number): void {
    this.sent.tick(now);
  }

  flushed(place: number): void {
    this.ledger.flushed = place;
  }

  /** Drops what waited for too long, and looks again when the next message may have. */
  protected expire(): void {
    const now = this.now();
    for (const range of this.outbox.expire(now)) this.sendingEvents.dropped({ code: 'NINJA_EXPIRED', ...range });
    this.settleDrained();
    this.armExpiry(now);
  }

  private armExpiry(now: number): void {
    const { soonestExpiry } = this.outbox;
    if (this.expiryTimer && soonestExpiry === this.expiryDue) return;
    if (this.expiryTimer) this.timers.clearTimeout(this.expiryTimer);
    this.expiryTimer = undefined;
    this.expiryDue = soonestExpiry;
    if (soonestExpiry === Number.POSITIVE_INFINITY) return;
    // A look costs a walk through the outbox: not more than one in so many milliseconds.
    const wait = Math.max(EXPIRY_GRAIN, Math.ceil(soonestExpiry - now));
    this.expiryTimer = this.timers.setTimeout(() => {
      this.expiryTimer = undefined;
      this.expire();
    }, wait);
  }

  /** Resolves when at most half of `highWaterMark` is pending. */
  drained(signal?: AbortSignal): Promise<void> {
    if (this.isDrained()) return Promise.resolve();
    return this.drainWaiters.wait('drained()', signal);
  }

  private settleDrained(): void {
    if (this.drainWaiters.size > 0 && this.isDrained()) this.drainWaiters.resolve();
  }

  private isDrained(): boolean {
    return this.fill <= 0.5;
  }
}
