import type { Range } from '../delivery/outbox.js';
import { NumberMap, type Receipt, Receipts } from '../delivery/receipts.js';
import type { Clock } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import type { AcknowledgeMode } from '../options.js';
import type { Attached, NumberRange, Refused, Session, SessionEnd, SessionOwner } from '../protocol/session/index.js';
import type { Fill } from '../snapshot.js';
import { Alarm } from '../socket/alarm.js';
import type { Socket } from '../socket/socket.js';
import type { LineTimers } from '../socket/timers.js';
import type { ManualMessage, SessionHost, SessionLost } from './session-host.js';
import type { SocketLink } from './session-link.js';
import { lossOf } from './session-loss.js';
import { SessionView } from './session-view.js';

/** Between the pure core of a session and the line that it lives on: numbers, receipts, the one timer. */
export abstract class SessionSide<Core extends Session = Session> implements SessionOwner {
  abstract core: Core;
  readonly view: SessionView;
  /** How often it was resumed, and what that took. */
  resumes = 0;
  replayed = 0;
  /** Monotonic milliseconds since when it has no socket. */
  detachedAt: number | undefined;
  /** The same of its present or last socket. */
  attachedAt = 0;
  /** How it ended. */
  end: SessionEnd | undefined;
  protected link: SocketLink | undefined;
  /** Once something was to be told in time. */
  private alarm: Alarm | undefined;
  private numbers = new NumberMap();
  /** Of those who wait, once somebody does. */
  private receipts: Receipts | undefined;
  /** The other side sends no more, and takes no more. */
  private left = false;
  /** Messages that sessions before this one gave to the inbox. */
  private placesBefore = 0;
  private places = 0;

  constructor(
    protected readonly host: SessionHost,
    private readonly clock: Clock,
    private readonly acknowledge: AcknowledgeMode,
    which: 'client' | 'server',
    warn: (error: Error) => void,
  ) {
    this.view = new SessionView(this, which, warn);
  }

  get timers(): LineTimers {
    return this.host.timers;
  }

  now(): number {
    return this.host.now();
  }

  wallAt(at: number): number {
    return this.host.wallAt(at);
  }

  /** How long it is kept without a socket, as it was granted, ms. */
  abstract get resumeWindow(): number;
  /** Nobody came back for it. */
  abstract expire(): void;

  /** 32 hex digits; undefined before there is a session. */
  get id(): string | undefined {
    const { sessionId } = this.core;
    return sessionId && Buffer.from(sessionId).toString('hex');
  }

  /** The program gives it up: what is not acknowledged is lost. */
  abandon(): void {
    this.link?.blame(new NinjaTcpError('NINJA_SESSION_LOST', 'the program gave the session up'));
    this.core.abandon();
  }

  /** The core goes on where another process was: what that one had numbered has accepted numbers up to 0 here. */
  protected goesOn(): void {
    const { sender, receiver } = this.core;
    this.numbers.note(1, 2 - sender.next);
    this.placesBefore = this.places + 1 - receiver.handled;
  }

  protected bind(link: SocketLink, socket: Socket): SocketLink {
    this.link = link;
    return link.bind(socket, this.host.ledger);
  }

  /** Begins to count anew, for another core. */
  protected renew(): void {
    this.numbers = new NumberMap();
    this.left = false;
    this.end = undefined;
    this.resumes = 0;
    this.view.renew();
    this.placesBefore = this.places;
    this.alarm?.clear();
  }

  // --- what the line brings

  /** A frame came from the present socket: `length` bytes of `source` from `start` on. */
  receiveSpan(source: Uint8Array, start: number, length: number, memory: ArrayBufferLike): void {
    const { link } = this;
    if (link) this.core.receiveSpan(link, source, start, length, memory, this.host.lastByteAt as number);
  }

  /** Whole messages in a row, from `at` on. @returns where the first frame begins that was not taken */
  receiveRun(chunk: Uint8Array, at: number, end: number, memory: ArrayBufferLike): number {
    const { link } = this;
    return link ? this.core.receiveRun(link, chunk, at, end, memory, this.host.lastByteAt as number) : at;
  }

  /** Whether a message may be handed over now, to be written at once. */
  takes(size: number): boolean {
    return !this.left && this.core.roomFor(size);
  }

  /** How much of the window is taken: 1 for all of it. */
  get fill(): number {
    return this.core.fill;
  }

  /** How much may be handed over without a look at each: of messages, bytes. */
  get free(): Fill {
    return this.core.free;
  }

  /** Of messages that the other side takes, bytes. */
  get longest(): number {
    return this.core.longest;
  }

  /** @throws NinjaTcpError `NINJA_INVALID_MESSAGE` where the other side has said that it takes none so long */
  demandLength(size: number): void {
    this.core.demandLength(size);
  }

  /** All is handed over, and no more will come. */
  finish(): void {
    this.core.finish();
  }

  /** Hands a message over. @returns false where there is no room: it has to wait */
  send(payload: Uint8Array, accepted: number, receipt: Receipt | undefined): boolean {
    const number = this.core.send(payload);
    if (number === 0) return false;
    this.numbers.note(number, accepted);
    if (receipt) {
      this.receipts ??= new Receipts();
      this.receipts.add(number, receipt);
    }
    return true;
  }

  /** The next message is the one that is accepted next, as number `accepted`. */
  noteNext(accepted: number): void {
    this.numbers.note(this.core.sender.next, accepted);
  }

  /** The socket takes more. */
  writable(): void {
    if (this.link) this.core.writable(this.link);
  }

  /** The line was lost, or is being thrown away. */
  lost(): void {
    const { link } = this;
    this.link = undefined;
    if (link) this.core.lost(link, this.host.now());
  }

  /** The program is done with a message, by its place among all that the inbox was given. */
  settlePlace(place: number): void {
    const number = place - this.placesBefore;
    if (number > 0) this.core.settle(number, this.host.now());
  }

  /** Something is not acknowledged, and may yet be. */
  private get keeps(): boolean {
    return this.core.state !== 'ended' && this.core.retainedMessages > 0;
  }

  /** The accepted number of the first message that is not acknowledged; undefined where all are. */
  get firstKept(): number | undefined {
    return this.keeps ? this.numbers.acceptedOf(this.core.acknowledgedUpTo + 1) : undefined;
  }

  /** What is kept, by accepted numbers. */
  get kept(): Range | undefined {
    if (!this.keeps) return undefined;
    const { retainedMessages, acknowledgedUpTo } = this.core;
    return this.rangeOf({ from: acknowledgedUpTo + 1, to: acknowledgedUpTo + retainedMessages });
  }

  // --- what the core tells

  deliver(message: Buffer, number: number): boolean {
    switch (this.acknowledge) {
      case 'handled':
        this.places += 1;
        return this.host.deliverCounted(message);
      case 'received':
        this.host.deliver(message);
        return true;
      case 'manual': {
        const { core, host } = this;
        const manual = message as ManualMessage & { number: number };
        manual.number = number;
        manual.acknowledge = () => core.settle(number, host.now());
        host.deliver(manual);
        return false;
      }
    }
  }

  acknowledged(number: number): void {
    this.receipts?.handled(number);
    this.numbers.forget(number);
    this.host.progressed();
  }

  room(): void {
    this.host.writable();
  }

  attached(how: Attached): void {
    if (how.resumed) this.resumes += 1;
    this.replayed += how.replayed;
    this.attachedAt = this.host.now();
    this.view.tell((life) => life.attached(how, this.core.epoch));
    this.host.sessionAttached(how);
    this.detachedAt = undefined;
  }

  detached(): void {
    this.detachedAt = this.host.now();
    this.view.tell((life) => life.detached());
    this.host.sessionDetached();
  }

  draining(): void {}

  leaving(): void {
    this.left = true;
    this.host.sessionLeaving();
  }

  refused(refusal: Refused): void {
    this.view.tell((life) => life.refused(refusal.code, this.core.state === 'fresh'));
    this.host.sessionRefused(refusal);
  }

  ended(end: SessionEnd): void {
    this.alarm?.clear();
    this.link = undefined;
    this.end = end;
    this.view.tell((life) => life.ended(end));
    if (end.how === 'closed') {
      this.host.sessionEnded(undefined);
      return;
    }
    const { code, handledUpTo, unknown, notSent } = end;
    const lost: SessionLost = {
      code,
      handledUpTo: handledUpTo === 0 ? 0 : Math.max(0, this.numbers.acceptedOf(handledUpTo)),
      unknown: unknown && this.rangeOf(unknown),
      notSent: notSent && this.rangeOf(notSent),
    };
    const last = unknown?.to ?? 0;
    this.receipts?.fail((number) => lossOf(code, number <= last ? 'unknown' : 'notSent'));
    this.host.sessionEnded(lost);
  }

  wake(at: number): void {
    this.alarm ??= new Alarm(this.clock, this.host.timers, () => this.ring());
    if (at < this.alarm.dueAt) this.alarm.set(at);
  }

  private ring(): void {
    this.alarm?.clear();
    this.core.tick(this.host.now());
    this.wake(this.core.deadline);
  }

  private rangeOf({ from, to }: NumberRange): Range {
    return {
      from: this.numbers.acceptedOf(from),
      to: this.numbers.acceptedOf(to),
      messages: to - from + 1,
      bytes: this.core.retainedBytesOf(from, to),
    };
  }
}
