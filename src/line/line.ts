import type { LinePorts, SocketFact, SocketHandle } from '../../machines/line.setup.js';
import { Inbox } from '../delivery/inbox.js';
import { Ledger, type Loss } from '../delivery/ledger.js';
import { type Dropped, Outbox } from '../delivery/outbox.js';
import type { Transport } from '../environment.js';
import { NinjaTcpError, type Reason } from '../errors.js';
import { Meter } from '../meter.js';
import { payloadOf } from '../protocol/plain.js';
import type { LineSettings } from '../settings.js';
import type { SocketOwner } from '../socket/owner.js';
import { Pulse } from '../socket/pulse.js';
import { Socket } from '../socket/socket.js';
import { Timers } from '../socket/timers.js';
import { Watch } from '../socket/watch.js';
import { History } from './history.js';
import { Waiters } from './waiters.js';

/** What the data plane tells the face that users see. */
export interface LineEvents {
  dropped(dropped: Dropped): void;
  /** Once, when reading is paused since the inbox is full. */
  readingPaused(): void;
}

/**
 * The data plane of a line, and the hands of its statechart: sockets, gate, outbox, inbox, counters. It outlives
 * sockets; the chart decides when one is made and when the gate moves.
 */
export abstract class Line implements LinePorts, SocketOwner {
  readonly inbox: Inbox;
  readonly outbox = new Outbox();
  readonly ledger = new Ledger();
  readonly pulse: Pulse;
  readonly watch: Watch;
  readonly received: Meter;
  readonly sent: Meter;
  readonly timers: Timers;
  readonly history: History;
  /** All bytes that came, headers and heartbeats included. */
  heardBytes = 0;
  readingPaused = false;
  /** What comes is counted and thrown away. */
  deaf: boolean;
  /** The error behind the last reason. */
  lastError: NinjaTcpError | undefined;
  /** No message is accepted any more, for this reason. */
  refusal: NinjaTcpError | undefined;
  protected socket: Socket | undefined;
  protected gate: 'open' | 'draining' | 'shut' = 'shut';
  private loss: Loss | undefined;
  private warned = false;
  private referenced = true;
  private readonly drainWaiters = new Waiters<void>();

  constructor(
    readonly settings: LineSettings,
    private readonly events: LineEvents,
  ) {
    const { clock } = settings.environment;
    const now = clock.now();
    this.pulse = new Pulse(settings);
    this.watch = new Watch(this.pulse, clock);
    this.received = new Meter(now);
    this.sent = new Meter(now);
    this.timers = new Timers(clock);
    this.inbox = new Inbox(settings, this, settings.copy);
    this.deaf = settings.discardIncoming;
    this.history = new History(clock.wallNow());
  }

  // --- sending

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
  send(message: Uint8Array | string, ttl: number = this.settings.ttl): boolean {
    const payload = payloadOf(message, this.settings);
    if (this.refusal) throw this.refusal;
    this.demandGate();
    const size = payload.length;
    this.demandRoom(size);
    const number = this.ledger.accept();
    if (this.gate === 'open' && this.outbox.messages === 0 && (this.socket as Socket).canTake(size)) {
      this.write(payload, number);
    } else {
      const expiresAt = ttl > 0 ? this.now() + ttl : Number.POSITIVE_INFINITY;
      this.outbox.push({ payload, number, expiresAt });
    }
    return this.fill < 1;
  }

  /** Throws where the line's state forbids to accept. */
  protected abstract demandGate(): void;

  private demandRoom(size: number): void {
    const { outboxBytes, outboxMessages } = this.settings;
    const overBytes = () => this.pendingBytes + size > outboxBytes;
    const overMessages = () => this.pendingMessages + 1 > outboxMessages;
    if (!overBytes() && !overMessages()) return;
    this.expire();
    if (!overBytes() && !overMessages()) return;
    throw new NinjaTcpError(
      'NINJA_OUTBOX_FULL',
      overBytes()
        ? `the outbox must hold at most outboxBytes, ${outboxBytes} bytes; ${this.pendingBytes} are pending, ${size} more were given`
        : `the outbox must hold at most outboxMessages, ${outboxMessages}; ${this.pendingMessages} are pending`,
    );
  }

  private write(payload: Uint8Array, number: number): void {
    const size = payload.length;
    this.sent.messages += 1;
    this.sent.bytes += size;
    (this.socket as Socket).send(payload, this.ledger.write(number, size));
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
    this.sent.tick(this.now());
    if (this.gate === 'draining' && this.outbox.messages === 0) socket.end();
    if (this.drainWaiters.size > 0 && this.isDrained()) this.drainWaiters.resolve();
  }

  flushed(place: number): void {
    this.ledger.flushed = place;
  }

  /** Drops what waited for too long. */
  expire(): void {
    for (const range of this.outbox.expire(this.now())) this.events.dropped({ code: 'NINJA_EXPIRED', ...range });
  }

  /** Resolves when at most half of `highWaterMark` is pending. */
  drained(signal?: AbortSignal): Promise<void> {
    if (this.isDrained()) return Promise.resolve();
    return this.drainWaiters.wait('drained()', signal);
  }

  private isDrained(): boolean {
    return this.fill <= 0.5;
  }

  // --- receiving

  heard(bytes: number, now: number): void {
    this.heardBytes += bytes;
    this.received.tick(now);
  }

  deliver(message: Buffer): void {
    this.received.messages += 1;
    this.received.bytes += message.length;
    if (this.deaf) return;
    this.inbox.deliver(message);
  }

  pauseReading(): void {
    this.readingPaused = true;
    this.socket?.pause();
    if (this.warned) return;
    this.warned = true;
    this.events.readingPaused();
  }

  resumeReading(): void {
    this.readingPaused = false;
    this.socket?.resume();
  }

  abstract ended(cutOff: NinjaTcpError | undefined): boolean;

  lostWith(error: NinjaTcpError): void {
    this.lastError = error;
  }

  // --- the hands of the statechart

  now(): number {
    return this.settings.environment.clock.now();
  }

  wallNow(): number {
    return this.settings.environment.clock.wallNow();
  }

  abstract openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle;

  /** Makes the socket of this epoch over `transport`. */
  protected adopt(transport: Transport, epoch: number, report: (fact: SocketFact) => void): Socket {
    const socket = new Socket(this, transport, this.settings, this.pulse, this.timers, epoch, report);
    this.socket = socket;
    if (this.readingPaused) socket.pause();
    if (!this.referenced) socket.unref();
    return socket;
  }

  openGate(): void {
    this.gate = 'open';
    this.writable();
  }

  shutGate(): void {
    if (this.gate !== 'shut') {
      this.gate = 'shut';
      this.loss = this.ledger.lose(this.outbox.range, this.socket?.agreed === true && this.outbox.messages === 0);
    }
    this.socket = undefined;
  }

  /** What was lost with the last line; told once. */
  takeLoss(): Loss {
    const loss = this.loss ?? this.ledger.lose(this.outbox.range, false);
    this.loss = undefined;
    return loss;
  }

  drain(): void {
    this.gate = 'draining';
    this.writable();
  }

  settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void {
    const why = reason?.message ?? 'disposed before anything happened';
    this.refusal ??= new NinjaTcpError(
      code,
      code === 'NINJA_GAVE_UP' ? `gave up: ${why}` : why,
      this.errorBehind(reason),
    );
    if (this.loss) this.loss = { ...this.loss, held: undefined };
    for (const range of this.outbox.clear()) this.events.dropped({ code, ...range });
    this.drainWaiters.reject(this.refusal);
  }

  /** The error object behind a reason, where there is one. */
  errorBehind(reason: Reason | undefined): NinjaTcpError | undefined {
    return reason && this.lastError?.code === reason.code ? this.lastError : undefined;
  }

  armSilence(): void {
    this.watch.arm(() => this.socket?.heartbeat());
  }

  silenceDelay(): number {
    return this.watch.delay;
  }

  heardInTime(): boolean {
    return this.watch.heardInTime();
  }

  silentForMs(): number {
    return this.watch.silentForMs();
  }

  entered(state: string, cause: string, reason: Reason | undefined): void {
    this.history.add({ at: this.wallNow(), epoch: this.currentEpoch(), to: state, cause, reason });
    this.expire();
  }

  protected abstract currentEpoch(): number;

  toJSON(): undefined {
    return undefined;
  }

  ref(): void {
    this.referenced = true;
    this.timers.ref();
    this.socket?.ref();
  }

  unref(): void {
    this.referenced = false;
    this.timers.unref();
    this.socket?.unref();
  }
}
