import type { SocketFact } from '../../machines/line.setup.js';
import type { Clock, Transport, TransportHandlers } from '../environment.js';
import { type ErrorCode, isFatal, messageOf, NinjaTcpError } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import type { LineSettings } from '../settings.js';
import { Alarm } from './alarm.js';
import { Caution } from './caution.js';
import { frameTimedOut, stalled } from './faults.js';
import { FrameDeadline } from './frame-deadline.js';
import type { SocketOwner } from './owner.js';
import { Parting } from './parting.js';
import { LATE, type Pulse } from './pulse.js';
import { Reading } from './reading.js';
import { WriteStall } from './write-stall.js';
import { Writer, type WriterOwner } from './writer.js';

/**
 * One attempt's TCP socket: chunks in, messages out, and back; heartbeats and deadlines on one lazy timer. It reports
 * facts to its statechart, each with the epoch, and exactly one that says it is over.
 */
export class Socket implements TransportHandlers, WriterOwner {
  /** A byte came on this socket. */
  proven = false;
  readonly writer: Writer;
  private readonly reading: Reading;
  private open = false;
  /** Nobody wants to hear facts any more. */
  private muted = false;
  readonly parting: Parting;
  private readonly clock: Clock;
  /** Until it is proven. */
  private caution: Caution | undefined;
  private heldBytes = 0;
  private readonly frame: FrameDeadline;
  private readonly stall: WriteStall;
  private paused = false;
  private readonly alarm: Alarm;

  constructor(
    private readonly owner: SocketOwner,
    private readonly transport: Transport,
    private readonly settings: LineSettings,
    private readonly pulse: Pulse,
    timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
    private readonly epoch: number,
    public report: (fact: SocketFact) => void,
  ) {
    this.clock = settings.environment.clock;
    this.reading = new Reading(settings, owner);
    this.frame = new FrameDeadline(settings.frameTimeout);
    this.caution = new Caution(settings.staleAfter > 0 ? settings.unprovenBytes : Number.POSITIVE_INFINITY);
    this.stall = new WriteStall(settings.writeStallTimeout);
    this.alarm = new Alarm(this.clock, timers, this.tick);
    this.parting = new Parting(settings.finTimeout);
    this.writer = new Writer(transport, settings.framing, this.clock, this);
    transport.attach(this);
  }

  opened(): void {
    if (this.over) return;
    this.pulse.open(this.clock.now());
    if (this.begin()) this.report({ type: 'socket.opened', epoch: this.epoch });
  }

  /** The transport is open: we speak first. @returns false if it is over at once, by a fault of the framing */
  begin(): boolean {
    this.open = true;
    this.heartbeat();
    if (this.over) return false;
    this.arm();
    return true;
  }

  chunk(bytes: Buffer): void {
    if (this.over) return;
    const now = this.clock.now();
    this.pulse.heardAt = now;
    this.owner.heard(bytes.length, now);
    if (!this.proven) this.prove();
    const fault = this.reading.push(bytes);
    if (fault) this.fail(fault);
    // A listener may have disposed of us meanwhile.
    if (!this.over) this.hold(this.reading.heldBytes);
    if (this.over) return;
    const begun = this.frame.note(this.reading.unfinished, this.reading.frames, now);
    if (begun && this.frame.dueAt < this.alarm.dueAt) this.arm();
  }

  ended(): void {
    if (this.over) return;
    const { cutOff } = this.reading;
    // From now on no byte can come: silence means nothing any more.
    this.parting.ended();
    this.pulse.pause();
    if (this.parting.ending && !cutOff) return;
    if (this.owner.ended(cutOff) || cutOff) {
      this.fail(cutOff ?? new NinjaTcpError('NINJA_CLOSED_BY_PEER', 'the other side closed the line'), 'socket.closed');
    }
  }

  failed(error: Error): void {
    const code = this.open ? 'NINJA_RESET' : 'NINJA_CONNECT_FAILED';
    this.fail(error instanceof NinjaTcpError ? error : new NinjaTcpError(code, messageOf(error), error));
  }

  closed(): void {
    this.alarm.clear();
    this.writer.close();
    if (this.muted) return;
    const { code, message } = this.parting.farewell(this.over);
    this.reading.over = true;
    this.say('socket.closed', code, message);
  }

  /** Whether a message of this size may be written now, or should wait in the outbox, where it cannot be lost. */
  canTake(size: number): boolean {
    if (this.over || this.parting.ending) return false;
    if (this.writer.pendingBytes >= this.settings.highWaterMark) return false;
    return !this.caution || this.caution.allows(size);
  }

  /** Writes a message that `canTake` let pass. @param place its place in this epoch, from 1 @param number in its session */
  send(payload: Uint8Array, place: number, number = 0): void {
    this.caution?.wrote(payload.length);
    this.put(payload, place, number);
  }

  /** Writes a frame that is no message, whatever is pending. */
  control(frame: Uint8Array): void {
    if (!this.over && !this.parting.ending) this.put(frame, 0);
  }

  /** Writes a frame that says no more than that we live. */
  heartbeat(): void {
    if (this.settings.heartbeatInterval === 0 || this.over || this.parting.ending) return;
    const sign = this.owner.signOfLife();
    if (sign) this.put(sign, 0);
  }

  /** A program's own framing may throw: then this line is over, and nothing else. */
  private put(payload: Uint8Array, place: number, number = 0): void {
    try {
      if (number > 0) this.writer.putNumbered(payload, place, number);
      else this.writer.put(payload, place);
    } catch (error) {
      this.fail(framingFault(error));
    }
  }

  /** All was accepted that will be: flush, FIN, and wait for the other FIN. */
  end(): void {
    if (this.over || this.parting.ending) return;
    this.parting.ending = true;
    this.pulse.fallSilent();
    this.writer.end(() => {
      if (this.over) return;
      this.parting.finished(this.clock.now());
      this.arm();
    });
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.frame.freeze(this.clock.now());
    this.pulse.pause();
    this.transport.pause();
  }

  resume(): void {
    if (!this.paused) return;
    const now = this.clock.now();
    this.paused = false;
    this.frame.thaw(now);
    if (!this.parting.theirs) this.pulse.resume(now);
    this.transport.resume();
    if (this.open) this.arm();
  }

  /** Nothing more is delivered or written. */
  private get over(): boolean {
    return this.reading.over;
  }

  private hold(bytes: number): void {
    if (bytes === this.heldBytes) return;
    this.heldBytes = bytes;
    this.owner.holds(bytes);
  }

  /** Throws the socket away, and reports when it is gone. */
  discard(): void {
    this.reading.over = true;
    this.hold(0);
    this.alarm.clear();
    this.writer.close();
    this.transport.destroy();
  }

  /** Throws the socket away; nothing is heard of it any more. */
  destroy(): void {
    this.muted = true;
    this.discard();
  }

  ref(): void {
    this.transport.ref();
  }

  unref(): void {
    this.transport.unref();
  }

  wrote(now: number): void {
    this.pulse.wroteAt = now;
    this.owner.wrote(now);
    if (this.stall.wrote(now) && this.stall.dueAt < this.alarm.dueAt && this.open && !this.over) this.arm();
  }

  progressed(): void {
    // The clock costs as much as all the rest: nobody asks since when nothing is pending.
    if (this.writer.pendingBytes > 0) this.stall.progressed(this.clock.now());
    else this.stall.settled();
  }

  flushed(place: number): void {
    if (place > 0) this.owner.flushed(place);
    this.owner.writable();
  }

  private prove(): void {
    this.proven = true;
    this.caution = undefined;
    this.report({ type: 'socket.heard', epoch: this.epoch });
    this.owner.writable();
  }

  /** It is over, by the fault that `error` tells. */
  fail(error: NinjaTcpError, type: 'socket.failed' | 'socket.closed' = 'socket.failed'): void {
    if (this.over) return;
    this.discard();
    if (this.parting.settled) this.closed();
    if (!this.muted) this.owner.lostWith(error);
    this.say(type, error.code, error.message);
  }

  private say(type: 'socket.failed' | 'socket.closed', code: ErrorCode, message: string): void {
    if (this.muted) return;
    this.muted = true;
    this.report({ type, epoch: this.epoch, code, message, ...(isFatal(code) && { fatal: true }) });
  }

  private get finDueAt(): number {
    return this.paused ? Number.POSITIVE_INFINITY : this.parting.dueAt(this.pulse.quietSince);
  }

  /** The nearest deadline, monotonic. */
  private nextDue(): number {
    const deadlines = Math.min(this.frame.dueAt, this.stall.dueAt, this.finDueAt);
    const { heartbeatInterval } = this.settings;
    if (heartbeatInterval === 0 || this.parting.ending) return deadlines;
    return Math.min(this.pulse.wroteAt + heartbeatInterval, deadlines);
  }

  private arm(): void {
    this.alarm.set(this.nextDue());
  }

  private readonly tick = (): void => {
    const { heartbeatInterval, frameTimeout, writeStallTimeout } = this.settings;
    const now = this.clock.now();
    const seen = this.clock.polledAt();
    const late = seen - this.alarm.dueAt;
    if (this.over) return;
    // Late itself, or blocked between its poll and here.
    if (Math.max(late, now - seen) > LATE) this.pulse.away(now);
    // We could not read what would have finished the frame; nor could one in the same process read what we wrote.
    for (const deadline of late > LATE ? [this.frame, this.stall] : []) deadline.excuse(late, seen);
    if (this.finDueAt <= seen) {
      this.discard();
      this.say('socket.closed', 'NINJA_DISPOSED', `closed; no FIN came within ${this.settings.finTimeout} ms`);
      return;
    }
    if (this.frame.dueAt <= seen) {
      this.fail(frameTimedOut(frameTimeout, this.reading.progress));
      return;
    }
    if (this.stall.dueAt <= seen) {
      this.fail(stalled(writeStallTimeout, this.writer.pendingBytes));
      return;
    }
    if (heartbeatInterval > 0 && now - this.pulse.wroteAt >= heartbeatInterval) {
      // What the kernel has not taken yet will be heard as well as a heartbeat behind it.
      if (this.writer.pendingBytes === 0) this.heartbeat();
      if (this.over) return;
      this.pulse.wroteAt = now;
    }
    this.arm();
  };
}
