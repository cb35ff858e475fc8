import { createHash } from 'node:crypto';
import type { SessionAnnouncement, SessionSide as Which } from '../../machines/session.setup.js';
import { attach, checkedInspector, type Inspector } from '../inspection.js';
import type { Session, SessionEnd, SessionState } from '../protocol/session/index.js';
import { type SessionActor, SessionLife } from '../session-life.js';
import type { Fill, SessionSnapshot } from '../snapshot.js';
import type { LineTimers } from '../socket/timers.js';
import type { Subscription } from './status-feed.js';

/** What there is to be seen: the side of the line that has the session. */
export interface Seen {
  readonly core: Session;
  readonly id: string | undefined;
  readonly resumes: number;
  readonly replayed: number;
  /** Monotonic milliseconds of its present or last socket, and since when it has none. */
  readonly attachedAt: number;
  readonly detachedAt: number | undefined;
  readonly end: SessionEnd | undefined;
  readonly resumeWindow: number;
  readonly timers: LineTimers;
  now(): number;
  expire(): void;
  abandon(): void;
}

/** What can be seen of a session. Its statechart is made when it is first asked for: an idle one weighs a fourth without. */
export class SessionView {
  private life: SessionLife | undefined;

  /** @param warn tells people of what no listener heard */
  constructor(
    private readonly side: Seen,
    private readonly which: Which,
    private readonly warn: (error: Error) => void,
  ) {}

  /** `fresh`, `establishing`, `attached`, `detached` or `ended`. */
  get state(): SessionState {
    return this.side.core.state;
  }

  /** How often it went on over another socket. */
  get resumes(): number {
    return this.side.resumes;
  }

  /** Sent messages that are kept until they are acknowledged. */
  get retained(): Fill {
    const { retainedMessages, retainedBytes } = this.side.core;
    return { messages: retainedMessages, bytes: retainedBytes };
  }

  /** The first 8 hex digits of the SHA-256 of its id: the same on both sides, and of no use to whoever reads a log. */
  get fingerprint(): string {
    const { id } = this;
    if (id === undefined) return 'none yet';
    return createHash('sha256').update(Buffer.from(id, 'hex')).digest('hex').slice(0, 8);
  }

  /** 32 hex digits; undefined before there is a session. Without TLS whoever knows it may take it over: not for logs. */
  get id(): string | undefined {
    return this.side.id;
  }

  /** The XState actor itself. Its events `finish` and `abandon` are orders. */
  get actor(): SessionActor {
    this.life ??= this.wake();
    return this.life.actor;
  }

  /** All there is to see of it, as plain values. */
  get snapshot(): SessionSnapshot {
    const { state, resumes, retained, fingerprint, side } = this;
    const { replayed, core } = side;
    return { state, fingerprint, resumes, replayed, deduplicated: core.receiver.duplicates, retained };
  }

  /**
   * Attaches an XState inspector to its statechart, as `connection.inspect()` does to the connection's.
   *
   * @throws NinjaTcpError `NINJA_INVALID_OPTION`
   */
  inspect(inspector: Inspector): Subscription {
    return attach(this.actor, checkedInspector('session.inspect(inspector)', inspector), this.warn);
  }

  /** What the side tells. Nobody listens while the chart was not asked for. */
  tell(fact: (life: SessionLife) => void): void {
    if (this.life) fact(this.life);
  }

  /** The side begins another session. */
  renew(): void {
    this.life = undefined;
  }

  private wake(): SessionLife {
    const { side } = this;
    const { core } = side;
    const life = new SessionLife({
      side: this.which,
      timers: side.timers,
      now: () => side.now(),
      resumeWindow: () => side.resumeWindow,
      expire: () => side.expire(),
      abandon: () => side.abandon(),
      finish: () => core.finish(),
      entered() {},
      hear(_announcement: SessionAnnouncement) {},
      wreck: (error) => this.warn(error instanceof Error ? error : new Error(String(error))),
    });
    life.start();
    const { state } = core;
    const { attachedAt, detachedAt, replayed } = side;
    if (state === 'fresh') return life;
    if (this.which === 'client') life.opening(attachedAt);
    if (state === 'establishing') return life;
    const how = { resumed: side.resumes > 0, replayed, deduplicated: core.receiver.duplicates };
    life.attached(how, core.epoch, attachedAt);
    if (state === 'detached') life.detached(detachedAt);
    if (state === 'ended') life.ended(side.end as SessionEnd);
    return life;
  }
}
