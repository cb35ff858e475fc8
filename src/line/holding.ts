import { Ledger, type Loss } from '../delivery/ledger.js';
import { type Dropped, Outbox, type Range } from '../delivery/outbox.js';
import type { DiagnosticSource } from '../diagnostics.js';
import { NinjaTcpError } from '../errors.js';
import type { LineSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import { type LineTimers, Timers } from '../socket/timers.js';
import { ExpiryWatch } from './expiry-watch.js';
import type { SessionSide } from './session-side.js';
import { Waiters } from './waiters.js';

export interface SendingEvents {
  /** Who is told of: the face. */
  readonly source: DiagnosticSource;
  dropped(dropped: Dropped): void;
}

const NOTHING_LOST = { unknown: undefined, unflushed: 0 } as const;

/** What a line was given to send and has not yet brought away: how much that is, its limits, and what becomes of it. */
export abstract class Holding {
  readonly outbox = new Outbox();
  readonly ledger = new Ledger();
  protected socket: Socket | undefined;
  /** Where there is a session: it numbers messages, keeps them, and writes them. */
  side: SessionSide | undefined;
  private expiryWatch: ExpiryWatch | undefined;
  private lost: Omit<Loss, 'held'> | undefined;
  private untold: Dropped[] | undefined;
  private readonly drainWaiters = new Waiters<void>();

  constructor(
    readonly settings: LineSettings,
    protected readonly sendingEvents: SendingEvents,
    readonly timers: LineTimers = new Timers(settings.environment.clock),
  ) {}

  /** Looks for messages that wait too long. Made with the first that may, as most lines have none. */
  protected watchExpiry(now: number): void {
    this.expiryWatch ??= new ExpiryWatch(this.outbox, this.timers, () => this.expire());
    this.expiryWatch.arm(now);
  }

  now(): number {
    return this.settings.environment.clock.now();
  }

  wallNow(): number {
    return this.settings.environment.clock.wallNow();
  }

  get pendingBytes(): number {
    return this.outbox.bytes + (this.socket?.writer.pendingBytes ?? 0);
  }

  get pendingMessages(): number {
    return this.outbox.messages + this.ledger.written - this.ledger.flushed;
  }

  /** How full it is: 1 where `send` says stop, well before it would have to refuse; small messages by their number. */
  protected get fill(): number {
    const { highWaterMark, outboxMessages } = this.settings;
    const pending = Math.max(this.pendingBytes / highWaterMark, (2 * this.pendingMessages) / outboxMessages);
    // Behind a full window messages would wait in the outbox, one by one: that is slow.
    return this.side ? Math.max(pending, this.side.fill) : pending;
  }

  protected hasRoom(size: number): boolean {
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

  /** Resolves when at most half of `highWaterMark` is pending. */
  drained(signal?: AbortSignal): Promise<void> {
    if (this.isDrained()) return Promise.resolve();
    return this.drainWaiters.wait('drained()', signal);
  }

  protected settleDrained(): void {
    if (this.drainWaiters.size > 0 && this.isDrained()) this.drainWaiters.resolve();
  }

  private isDrained(): boolean {
    return this.fill <= 0.5;
  }

  // --- what is dropped

  /** Drops what waited for too long, and looks again when the next message may have. */
  protected expire(): void {
    const now = this.now();
    for (const range of this.outbox.expire(now)) this.tellDropped({ code: 'NINJA_EXPIRED', ...range });
    this.settleDrained();
    this.settled();
    this.expiryWatch?.arm(now);
  }

  /** At once: it is no step of the chart that drops it. */
  protected tellDropped(dropped: Dropped): void {
    this.sendingEvents.dropped(dropped);
  }

  /** What is held will not be sent, for this reason. It is told when the chart has taken its step: see `takeDropped`. */
  protected dropHeld(code: Dropped['code'], refusal: NinjaTcpError): void {
    const dropped = this.outbox.clear(() => new NinjaTcpError(code, refusal.message, refusal.cause, 'notSent'));
    for (const range of dropped) {
      this.untold ??= [];
      this.untold.push({ code, ...range });
    }
    this.expiryWatch?.arm(0);
    this.drainWaiters.reject(refusal);
    this.settled();
  }

  /** What was dropped in the step that the chart has just taken, told once. */
  takeDropped(): Dropped[] {
    const { untold = [] } = this;
    this.untold = undefined;
    return untold;
  }

  /** Accepted messages were dropped. */
  protected settled(): void {}

  // --- what is lost

  /** The line is lost, with what was written to it. */
  protected loseLine(): void {
    const lost = this.ledger.lose();
    // What a session keeps is not lost with a socket.
    this.lost = this.side ? NOTHING_LOST : lost;
  }

  /** What a session that is over has written, and nobody acknowledged. */
  protected loseWritten(unknown: Range | undefined): void {
    this.lost = { unknown, unflushed: 0 };
  }

  /** What was lost with the last line, told once, and what is held now. */
  takeLoss(): Loss {
    const lost = this.lost ?? NOTHING_LOST;
    this.lost = undefined;
    return { ...lost, held: this.held };
  }

  /** What waits for the next socket. */
  private get held(): Range | undefined {
    const kept = this.side?.kept;
    const { range } = this.outbox;
    if (!kept || !range) return kept ?? range;
    return { ...kept, to: range.to, messages: kept.messages + range.messages, bytes: kept.bytes + range.bytes };
  }
}
