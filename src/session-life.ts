import { type Actor, createActor } from 'xstate';
import { sessionMachine } from '../machines/session.machine.js';
import type { SessionEvent, SessionPorts, SessionStanding, SessionVerdict } from '../machines/session.setup.js';
import type { Attached, SessionEnd, SessionState } from './protocol/session/ports.js';
import { type SessionLifeOwner, SessionSleep } from './session-sleep.js';

export type SessionActor = Actor<typeof sessionMachine>;

/**
 * The life of a session, which session.machine.ts decides. Its statechart sleeps, as a peer's does (peer-life.ts), since it
 * would weigh more than all that an idle session may: it is made when somebody asks for it, is given how the session
 * stands, and is led through the last facts, with hands that do nothing. From there on it decides alone. Whether asleep or
 * awake must make no difference but in memory and time: test/server/session-life.test.ts compares the two.
 *
 * It is told facts by its methods, when the core has told them to its owner; `at` is the monotonic time of it.
 */
export class SessionLife {
  /** The chart, once it was made. */
  private awake: SessionActor | undefined;
  private readonly sleep: SessionSleep;
  /** As a chart in status `error`. */
  private broken = false;
  /** Something is being told: what is told meanwhile comes after it, as in a chart. */
  private telling = false;
  private later: SessionEvent[] | undefined;

  constructor(private readonly owner: SessionLifeOwner) {
    this.sleep = new SessionSleep(owner, () => this.step(() => owner.expire()));
  }

  /** What the chart does when it starts. Once, and before anything is told. */
  start(): void {
    this.step(() => this.sleep.begin());
  }

  /** The XState actor itself. */
  get actor(): SessionActor {
    return this.awake ?? this.wake();
  }

  get state(): SessionState {
    const value = this.awake?.getSnapshot().value;
    if (value === undefined) return this.sleep.place;
    return typeof value === 'string' ? value : 'ended';
  }

  /** Monotonic milliseconds at which the present state was entered. */
  get since(): number {
    return this.standing.since;
  }

  /** The number of its socket in this session, from 1; 0 before the first. */
  get epoch(): number {
    return this.standing.epoch;
  }

  /** How often it went on over another socket. */
  get resumes(): number {
    return this.standing.resumes;
  }

  /** The last refusal, or why it is lost. */
  get lastReason(): string | undefined {
    return this.standing.lastReason;
  }

  /** How it ended. */
  get end(): SessionVerdict | undefined {
    return this.standing.end;
  }

  /** A socket is open for it: HELLO or RESUME is written. */
  opening(at = this.owner.now()): void {
    this.tell({ type: 'session.opening', at });
  }

  attached({ resumed, replayed, deduplicated }: Attached, epoch: number, at = this.owner.now()): void {
    this.tell({ type: 'session.attached', at, resumed, replayed, deduplicated, epoch });
  }

  /** It has no socket now; also one that had not answered yet. */
  detached(at = this.owner.now()): void {
    this.tell({ type: 'session.detached', at });
  }

  /** @param anew another session will be asked for, since nothing was carried: the core is `fresh` again */
  refused(code: string, anew = false, at = this.owner.now()): void {
    this.tell({ type: 'session.refused', at, code, anew });
  }

  ended(end: SessionEnd, at = this.owner.now()): void {
    this.tell({ type: 'session.ended', at, end });
  }

  /** Gives it up, or says that no more will be sent. After the end nothing is ordered any more. */
  order(type: 'abandon' | 'finish'): void {
    this.tell({ type });
  }

  private get standing(): SessionStanding {
    return this.awake?.getSnapshot().context ?? this.sleep.standing;
  }

  private tell(event: SessionEvent): void {
    if (!this.telling) {
      this.step(() => this.pass(event));
      return;
    }
    this.later ??= [];
    this.later.push(event);
  }

  /** One step, and then what was told meanwhile, in order. */
  private step(act: () => void): void {
    this.telling = true;
    this.attempt(act);
    for (let event = this.later?.shift(); event; event = this.later?.shift()) {
      const next = event;
      this.attempt(() => this.pass(next));
    }
    this.later = undefined;
    this.telling = false;
  }

  private pass(event: SessionEvent): void {
    if (!this.awake) this.sleep.take(event);
    // XState's development build warns of events that come too late.
    else if (this.awake.getSnapshot().status === 'active') this.awake.send(event);
  }

  /** What a hand throws breaks the chart, and nothing else. */
  private attempt(act: () => void): void {
    if (this.broken) return;
    try {
      act();
    } catch (error) {
      this.broken = true;
      this.sleep.stop();
      this.owner.wreck(error);
    }
  }

  private wake(): SessionActor {
    const { owner, sleep } = this;
    let led = true;
    const ports: SessionPorts = {
      now: () => owner.now(),
      resumeWindow: () => owner.resumeWindow(),
      expire: () => owner.expire(),
      abandon: () => owner.abandon(),
      finish: () => owner.finish(),
      entered: (state, cause, standing) => {
        // What has happened is in the history already.
        if (!led) owner.entered(state, cause, standing);
      },
      toJSON: () => undefined,
    };
    const input = { ports, side: owner.side, standing: sleep.standing };
    const actor = createActor(sessionMachine, { clock: sleep.clock(), input });
    this.awake = actor;
    actor.subscribe({ error: (error) => owner.wreck(error) });
    actor.start();
    for (const fact of sleep.facts()) actor.send(fact);
    led = false;
    // It shows where it stood, and never goes on.
    if (this.broken) actor.stop();
    else actor.on('*', (announcement) => owner.hear(announcement));
    return actor;
  }
}
