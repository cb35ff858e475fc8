import { createHash } from 'node:crypto';
import type { SessionAnnouncement, SessionSide as Which } from '../../machines/session.setup.js';
import type { ErrorCode } from '../errors.js';
import { checkedInspector, Inspection, type Inspector } from '../inspection.js';
import type { Session, SessionEnd, SessionState } from '../protocol/session/index.js';
import { type SessionActor, SessionLife } from '../session-life.js';
import type { Fill, SessionSnapshot } from '../snapshot.js';
import type { LineTimers } from '../socket/timers.js';
import { History, type Transition } from './history.js';
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
  wallAt(at: number): number;
  expire(): void;
  abandon(): void;
}

/** What there is once somebody asked for the statechart, of one session after another. */
class Awake {
  /** That of the present one; undefined between two of them. */
  life: SessionLife | undefined;
  inspections: readonly Inspection[] = [];
  /** What they were shown last. */
  shown: SessionActor | undefined;

  constructor(readonly history: History) {}
}

/** What can be seen of a session. Its statechart is made when it is first asked for: an idle one weighs a fourth without. */
export class SessionView {
  private awake: Awake | undefined;

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
    const awake = this.awaken();
    return (awake.life ?? this.wake(awake)).actor;
  }

  /** The last 50 transitions of its statechart, oldest first: since that was first asked for, and of all sessions since. */
  get history(): readonly Transition[] {
    // A life that sleeps has one too.
    if (!this.awake) this.wake(this.awaken());
    return this.awaken().history.steps;
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
    const inspection = new Inspection(checkedInspector('session.inspect(inspector)', inspector), this.warn);
    this.watch(inspection);
    return inspection;
  }

  /** Shows an inspector the statechart: that of this session, and of each that comes in its place. */
  watch(inspection: Inspection): void {
    const { actor } = this;
    inspection.add(actor);
    const awake = this.awaken();
    awake.inspections = [...awake.inspections.filter(({ over }) => !over), inspection];
    awake.shown = actor;
  }

  /** What the side tells. Nobody listens while the chart was not asked for. */
  tell(fact: (life: SessionLife) => void): void {
    if (this.awake?.life) fact(this.awake.life);
  }

  /** The session is over for the side: another one will be asked for. */
  renew(): void {
    if (this.awake) this.awake.life = undefined;
  }

  /**
   * It was asked for. Not before is its chart made, where somebody wants to see one: that of the last one shows how it
   * ended. And not at once: XState warns where one chart is made in the middle of another's step.
   */
  begin(defer: (act: () => void) => void): void {
    const { awake } = this;
    if (awake && !awake.life) defer(() => !awake.life && this.wake(awake));
  }

  private awaken(): Awake {
    const { side } = this;
    this.awake ??= new Awake(new History(side.wallAt(side.now())));
    return this.awake;
  }

  private wake(awake: Awake): SessionLife {
    const { side } = this;
    const { core } = side;
    const { history } = awake;
    let led: { readonly to: string; readonly cause: string } | undefined = { to: core.state, cause: 'start' };
    const life = new SessionLife({
      side: this.which,
      timers: side.timers,
      now: () => side.now(),
      resumeWindow: () => side.resumeWindow,
      expire: () => side.expire(),
      abandon: () => side.abandon(),
      finish: () => side.core.finish(),
      entered: (to, cause, { epoch, lastReason }) => {
        if (led) led = { to, cause };
        else history.add(stepOf(to, cause, side.wallAt(side.now()), epoch, lastReason));
      },
      hear(_announcement: SessionAnnouncement) {},
      wreck: (error) => this.warn(error instanceof Error ? error : new Error(String(error))),
    });
    this.lead(life);
    const { since, epoch, lastReason } = life;
    history.add(stepOf(led.to, led.cause, side.wallAt(since), epoch, lastReason));
    led = undefined;
    awake.life = life;
    if (awake.shown) this.show(awake, awake.shown, life.actor);
    return life;
  }

  /** Shows to all who look the chart of this session instead of the last one's. */
  private show(awake: Awake, last: SessionActor, actor: SessionActor): void {
    awake.shown = actor;
    for (const inspection of awake.inspections) {
      inspection.leave(last);
      inspection.add(actor);
    }
  }

  /** Through what has happened. */
  private lead(life: SessionLife): void {
    const { side } = this;
    const { core } = side;
    life.start();
    const { state } = core;
    const { attachedAt, detachedAt, replayed } = side;
    if (state === 'fresh') return;
    if (this.which === 'client') life.opening(attachedAt);
    if (state === 'establishing') return;
    const how = { resumed: side.resumes > 0, replayed, deduplicated: core.receiver.duplicates };
    life.attached(how, core.epoch, attachedAt);
    if (state === 'detached') life.detached(detachedAt);
    if (state === 'ended') life.ended(side.end as SessionEnd);
  }
}

/** A step as the history has it. @param why the last refusal, or why it is lost */
function stepOf(
  to: string,
  cause: string,
  at: number,
  epoch: number,
  why: string | undefined,
): Omit<Transition, 'from'> {
  const refused = cause === 'session.refused' && to !== 'ended.lost';
  const [code, words]: [ErrorCode, string] = refused
    ? ['NINJA_SESSION_REFUSED', 'the server refused the session']
    : ['NINJA_SESSION_LOST', 'the session was lost'];
  const reason =
    why !== undefined && (refused || to === 'ended.lost')
      ? { code, message: `${words}: ${why}`, at, epoch }
      : undefined;
  return { at, epoch, to, cause, reason };
}
