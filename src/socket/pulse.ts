import { MAX_DELAY } from '../options.js';

/** A timer later than this tells of a suspended process or a blocked loop, milliseconds. */
export const LATE = 250;
/** A timer of Node fires up to so much too early, milliseconds. */
const EARLY = 2;
/** So often in a row silence is pardoned, each time for an absence of its own: a loop that is always late must not hide a dead line. */
const PARDONS = 3;
/** Wall and monotonic clock moved apart by more than this tell of a sleep, milliseconds. */
const DRIFT = 1000;

export interface PulseTimes {
  /** Milliseconds without a byte that make a line stale; 0 for never. */
  readonly staleAfter: number;
  /** Milliseconds after which we write a heartbeat; 0 for never. */
  readonly heartbeatInterval: number;
}

/** Times at which we could not hear, or may not have been able to. Most lines have none. */
class Absence {
  /** After a suspension silence is pardoned until here. */
  pardonedAt = Number.NEGATIVE_INFINITY;
  pardonedUntil = Number.NEGATIVE_INFINITY;
  /** Pardons since the last byte. */
  pardons = 0;
  /** Another timer of the line found us to have been away until here. */
  awayUntil = Number.NEGATIVE_INFINITY;
}

const NEVER: Readonly<Absence> = new Absence();

/**
 * The times at which a line last heard and last wrote, and the verdict over them. Pure: it is told the time.
 *
 * Hearing costs one store: nothing is re-armed for a chunk. When the silence timer fires the verdict is read, and the
 * timer is armed again for what is left of the window.
 */
export class Pulse {
  /** Monotonic milliseconds of the last byte heard, or of the opening when there was none. */
  heardAt = 0;
  /** Monotonic milliseconds of the last write. */
  wroteAt = 0;
  /** Silence is counted from here, if that is later than `heardAt`: from the end of a pause of ours. */
  private windowFrom = 0;
  private paused = false;
  /** We write no heartbeats any more. */
  private mute = false;
  private absence: Readonly<Absence> = NEVER;
  /** When the armed timer should fire, and the difference of the clocks when it was armed. */
  private dueAt = Number.POSITIVE_INFINITY;
  private drift: number | undefined;

  constructor(private readonly times: PulseTimes) {}

  /** A fresh socket is open: the first window begins, whatever the last socket did. */
  open(now: number): void {
    this.heardAt = now;
    this.wroteAt = now;
    this.windowFrom = now;
    this.paused = false;
    this.mute = false;
    this.absence = NEVER;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.drift = undefined;
  }

  /** The window starts afresh: what was silence before is forgotten. */
  restart(now: number): void {
    this.windowFrom = now;
  }

  /** A timer came due at `seen`, far too late: neither we nor, where it shares our fate, the other side could speak. */
  away(seen: number): void {
    this.noteAbsence().awayUntil = seen;
  }

  private noteAbsence(): Absence {
    if (this.absence === NEVER) this.absence = new Absence();
    return this.absence;
  }

  /** Our FIN is behind all that was written: from now on our own silence means nothing. */
  fallSilent(): void {
    this.mute = true;
  }

  /** We stop reading, so we hear nothing: silence is not counted. */
  pause(): void {
    this.paused = true;
  }

  /** We read again: the window starts afresh. */
  resume(now: number): void {
    if (!this.paused) return;
    this.paused = false;
    this.restart(now);
  }

  /** Milliseconds of silence that count, as of `at`. */
  silentFor(at: number): number {
    return this.paused ? 0 : at - this.quietSince;
  }

  /** Whether the running silence was pardoned. */
  private get pardoned(): boolean {
    return this.absence.pardonedAt >= this.quietSince;
  }

  /** Monotonic milliseconds of the last byte, or of the end of a pause of ours, if that was later. */
  get quietSince(): number {
    return Math.max(this.heardAt, this.windowFrom);
  }

  /**
   * Arms the silence timer; gives its delay, milliseconds.
   *
   * @param now monotonic, @param wall wall-clock milliseconds, @param polledAt as of which the last verdict was given
   */
  arm(now: number, wall: number, polledAt: number): number {
    const { staleAfter } = this.times;
    if (staleAfter === 0) return MAX_DELAY;
    // The loop was blocked behind the timer: what that verdict pardoned, the next one must not punish.
    if (polledAt >= this.dueAt - EARLY && now - polledAt > LATE) this.away(now);
    const end = Math.max(now - this.silentFor(now) + staleAfter, this.absence.pardonedUntil);
    const delay = Math.min(MAX_DELAY, Math.max(1, Math.ceil(end - now)));
    this.dueAt = now + delay;
    this.drift = wall - now;
    return delay;
  }

  /**
   * What the silence means, as of `polledAt`, by which time all bytes that had arrived were read:
   * `heard` go on; `suspect` it was we who were away, so ask and wait once more; `silent` the line is stale.
   */
  verdict(polledAt: number, now: number, wall: number): 'heard' | 'suspect' | 'silent' {
    const { staleAfter } = this.times;
    if (staleAfter === 0 || this.silentFor(polledAt) < staleAfter) return 'heard';
    const { pardonedAt, pardonedUntil, pardons, awayUntil } = this.absence;
    if (polledAt < pardonedUntil) return 'heard';
    if (this.pardoned && pardons === PARDONS) return 'silent';
    // What was pardoned is no reason for another pardon.
    const late = polledAt - this.dueAt > LATE || awayUntil > Math.max(this.quietSince, pardonedAt);
    const slept = this.drift !== undefined && Math.abs(wall - now - this.drift) > DRIFT;
    return late || slept || this.owesHeartbeat(polledAt) ? 'suspect' : 'silent';
  }

  /** Far too long we wrote nothing, so we were away: whichever of our timers is called first after a block. */
  private owesHeartbeat(polledAt: number): boolean {
    const { heartbeatInterval } = this.times;
    if (heartbeatInterval === 0 || this.mute) return false;
    return polledAt - Math.max(this.wroteAt, this.absence.pardonedAt) - heartbeatInterval > LATE;
  }

  /** Pardons the silence of a suspension, for long enough to hear an answer to a heartbeat. */
  pardon(now: number): void {
    const { staleAfter, heartbeatInterval } = this.times;
    const absence = this.noteAbsence();
    absence.pardons = this.pardoned ? absence.pardons + 1 : 1;
    absence.pardonedAt = now;
    absence.pardonedUntil = now + (heartbeatInterval > 0 ? Math.min(staleAfter, 2 * heartbeatInterval) : staleAfter);
  }
}
