import type { LinePorts, SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import { Inbox } from '../delivery/inbox.js';
import { messageChannel, statesAreHeard, tellMessage, tellStale, tellState } from '../diagnostics.js';
import type { Transport } from '../environment.js';
import { type ErrorCode, NinjaTcpError, type Reason } from '../errors.js';
import { Meter } from '../meter.js';
import { HEARTBEAT } from '../protocol/plain.js';
import type { Recorder } from '../recorder/recorder.js';
import type { LineSettings } from '../settings.js';
import type { SocketOwner } from '../socket/owner.js';
import { Pulse } from '../socket/pulse.js';
import { Socket } from '../socket/socket.js';
import type { LineTimers } from '../socket/timers.js';
import { Watch } from '../socket/watch.js';
import { Delivering } from './delivering.js';
import { History, type Transition } from './history.js';
import type { SendingEvents } from './holding.js';

/** What the data plane tells the face that users see. */
export interface LineEvents extends SendingEvents {
  /** Once, when reading is paused since the inbox is full. */
  readingPaused(): void;
}

/** A state was entered. */
export interface Step extends Omit<Transition, 'from'> {
  /** Of a connection: failures in a row. */
  readonly failures?: number | undefined;
  /** Of a connection: milliseconds until the next attempt; undefined where there will be none. */
  readonly retryInMs?: number | undefined;
}

/**
 * The data plane of a line, and the hands of its statechart: sockets, gate, outbox, inbox, counters. It outlives
 * sockets; the chart decides when one is made and when the gate moves.
 */
export abstract class Line extends Delivering implements LinePorts, SocketOwner {
  readonly inbox: Inbox;
  readonly pulse: Pulse;
  readonly watch: Watch;
  readonly received: Meter;
  readonly history: History;
  /** All bytes that came, headers and heartbeats included. */
  heardBytes = 0;
  /** Monotonic milliseconds of the last byte, of whichever epoch. */
  lastByteAt: number | undefined;
  /** Who is told of each step, while somebody watches. */
  stepped: ((step: Step) => void) | undefined;
  readingPaused = false;
  /** What comes is counted and thrown away. */
  deaf: boolean;
  /** Of the present or last socket. */
  transport: Transport | undefined;
  /** The error behind the last reason. */
  lastError: NinjaTcpError | undefined;
  /** While one is asked for. */
  recorder: Recorder | undefined;
  private warned = false;
  private referenced = true;
  /** The last socket, also when the gate was shut behind it. */
  protected latest: Socket | undefined;

  constructor(
    settings: LineSettings,
    private readonly events: LineEvents,
    timers?: LineTimers,
  ) {
    super(settings, events, timers);
    const { clock } = settings.environment;
    this.pulse = new Pulse(settings);
    this.watch = new Watch(this.pulse, clock);
    this.received = new Meter(clock.now());
    this.inbox = new Inbox(settings, this, settings.copy);
    this.deaf = settings.discardIncoming;
    this.history = new History(clock.wallNow());
  }

  // --- receiving

  heard(bytes: number, now: number): void {
    // The window that is over has nothing of this chunk.
    this.received.tick(now);
    this.heardBytes += bytes;
    this.lastByteAt = now;
  }

  signOfLife(): Uint8Array | undefined {
    return this.side ? this.side.core.signOfLife() : HEARTBEAT;
  }

  /** A message for the program. */
  deliver(message: Buffer): void {
    this.received.messages += 1;
    this.received.bytes += message.length;
    if (messageChannel.hasSubscribers) tellMessage(this.events.source, 'in', message.length);
    if (this.deaf) return;
    this.inbox.deliver(message);
  }

  /** The same, of a session that wants to know. @returns true where the program is done with it; else the inbox tells */
  deliverCounted(message: Buffer): boolean {
    this.received.messages += 1;
    this.received.bytes += message.length;
    if (messageChannel.hasSubscribers) tellMessage(this.events.source, 'in', message.length);
    return this.deaf || this.inbox.deliverCounted(message);
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
    // The greeting has an inbox of its own, and pauses the socket for itself.
    if (!this.greeting) this.socket?.resume();
  }

  protected get greeting(): boolean {
    return false;
  }

  /** A connection is bounded by `maxFrameLength` alone. */
  holds(_bytes: number): void {}

  abstract ended(cutOff: NinjaTcpError | undefined): boolean;

  /** Whether the present socket has heard anything. */
  get heardThisEpoch(): boolean {
    return this.socket?.proven === true;
  }

  lostWith(error: NinjaTcpError): void {
    this.lastError = error;
  }

  // --- the hands of the statechart

  override writable(): void {
    // A fresh line must be able to hear its first byte, however full the inbox of the last one left us.
    if (this.readingPaused && this.gate !== 'shut' && this.socket?.proven) this.socket.pause();
    super.writable();
  }

  abstract openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle;

  /** Makes the socket of this epoch over `transport`. */
  protected adopt(transport: Transport, epoch: number, report: (fact: SocketFact) => void): Socket {
    const socket = new Socket(this, transport, this.settings, this.pulse, this.timers, epoch, report);
    this.socket = socket;
    this.transport = transport;
    this.latest = socket;
    this.lastError = undefined;
    if (!this.referenced) socket.unref();
    return socket;
  }

  settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void {
    const why = reason?.message ?? 'disposed before anything happened';
    if (this.refusal?.code !== code) {
      const words = code === 'NINJA_GAVE_UP' ? `gave up: ${why}` : why;
      this.refusal = new NinjaTcpError(code, words, this.errorBehind(reason));
    }
    this.dropHeld(code, this.refusal);
    this.inbox.close(this.endOfReading(code, reason));
  }

  /** What readers meet when they have taken what is there; undefined where they just end. */
  protected endOfReading(
    code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED',
    _reason: Reason | undefined,
  ): NinjaTcpError | undefined {
    return code === 'NINJA_GAVE_UP' ? this.refusal : undefined;
  }

  /** The error object behind a reason, where there is one. */
  errorBehind(reason: Reason | undefined): NinjaTcpError | undefined {
    return reason && this.lastError?.code === reason.code ? this.lastError : undefined;
  }

  armSilence(): void {
    this.watch.arm(() => this.socket?.heartbeat());
  }

  silenceDelay(): number {
    // A chart's first state asks before its entry action has armed.
    if (this.watch.delay === 0) this.armSilence();
    return this.watch.delay;
  }

  heardInTime(): boolean {
    return this.watch.heardInTime();
  }

  silentForMs(): number {
    return this.watch.silentForMs();
  }

  entered(to: string, cause: string, standing: Standing): void {
    const { epoch, reason, failures, retryInMs } = standing;
    const at = this.wallNow();
    const { from } = this.history.add({ at, epoch, to, cause, reason });
    this.stepped?.({ at, epoch, to, cause, reason, failures, retryInMs });
    if (!statesAreHeard()) return;
    const { source } = this.events;
    const when = { epoch, at, now: this.now() };
    tellState(source, when, { from, to, cause, reason });
    const { silentForMs = 0, lastHeardAt = 0 } = standing;
    if (to === 'stale') tellStale(source, when, { silentForMs, lastHeardAt });
  }

  /** Wall-clock milliseconds of a monotonic time. */
  wallAt(monotonic: number): number {
    return this.wallNow() - (this.now() - monotonic);
  }

  /** The statechart broke or was stopped: does what it can do no more. */
  wreck(code: ErrorCode, message: string): Reason {
    const reason: Reason = {
      code,
      message,
      at: this.wallNow(),
      epoch: this.history.last?.epoch ?? 0,
    };
    // The history ends here too, unless the chart itself said so.
    const { last } = this.history;
    const cause = code === 'NINJA_DISPOSED' ? 'actor stopped' : 'statechart broke';
    if (last?.to !== 'disposed') this.entered('disposed', cause, { epoch: reason.epoch, reason });
    this.recorder?.wrecked(message);
    // The chart may have broken between shutting the gate and stopping the socket.
    this.latest?.destroy();
    this.shutGate();
    this.settleHeld('NINJA_DISPOSED', reason);
    return reason;
  }

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
