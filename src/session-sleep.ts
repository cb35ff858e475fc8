import type {
  SessionAnnouncement,
  SessionEvent,
  SessionFact,
  SessionPorts,
  SessionSide,
  SessionStanding,
  SessionVerdict,
} from '../machines/session.setup.js';
import { windowLeft } from '../machines/session.setup.js';
import type { Clock, Timer } from './environment.js';
import type { SessionState } from './protocol/session/ports.js';

/** Whose session it is: the hands of its chart, and who hears of it. One object for each session. */
export interface SessionLifeOwner extends Omit<SessionPorts, 'toJSON'> {
  readonly side: SessionSide;
  readonly timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  /** What is ordered or told here comes after the step. */
  hear(announcement: SessionAnnouncement): void;
  /** The statechart itself broke: one of the hands threw. It takes no further step. */
  wreck(error: unknown): void;
}

/** A class, since what is spread gets a hidden class of its own, each time. */
class Standing implements SessionStanding {
  since = 0;
  epoch = 0;
  resumes = 0;
  replayed = 0;
  deduplicated = 0;
  lastReason: string | undefined = undefined;
  leaving = false;
  end: SessionVerdict | undefined = undefined;
}

type Told<Type extends SessionFact['type']> = Extract<SessionFact, { readonly type: Type }>;

/** What session.machine.ts does, step by step, without the weight of a chart. */
export class SessionSleep {
  place: SessionState = 'fresh';
  readonly standing = new Standing();
  /** The resume window runs. */
  private timer: Timer | undefined;
  /** What the chart wants to happen when the timer fires that it took over. */
  private takenOver: (() => void) | undefined;

  /** @param expire is called when nobody came back for it */
  constructor(
    private readonly owner: SessionLifeOwner,
    private readonly expire: () => void,
  ) {}

  begin(): void {
    this.standing.since = this.owner.now();
    this.remember('fresh', 'start');
  }

  take(event: SessionEvent): void {
    const { place } = this;
    if (place === 'ended') return;
    switch (event.type) {
      case 'session.opening':
        if (place === 'fresh') this.enter('establishing', event);
        return;
      case 'session.attached':
        this.attach(event);
        return;
      case 'session.detached':
        if (place === 'establishing') this.enter('fresh', event);
        else if (place === 'attached') this.enter('detached', event);
        return;
      case 'session.refused':
        this.note(event);
        return;
      case 'session.ended':
        this.end(event);
        return;
      case 'abandon':
        this.owner.abandon();
        return;
      default:
        this.standing.leaving = true;
        this.owner.finish();
    }
  }

  private attach(event: Told<'session.attached'>): void {
    const { place, standing } = this;
    const { at, epoch, replayed, deduplicated } = event;
    // A WELCOME resumes nothing.
    const resumed = event.resumed && place !== 'establishing';
    const afterMs = place === 'detached' ? at - standing.since : 0;
    standing.epoch = epoch;
    standing.replayed = replayed;
    standing.deduplicated = deduplicated;
    if (resumed) standing.resumes += 1;
    this.enter('attached', event);
    if (resumed) this.owner.hear({ type: 'resumed', replayed, deduplicated, afterMs });
  }

  private note(event: Told<'session.refused'>): void {
    const { place, standing } = this;
    if (place !== 'establishing' && place !== 'detached') return;
    standing.lastReason = event.code;
    if (place === 'establishing' || event.anew) this.enter('fresh', event);
  }

  private end(event: Told<'session.ended'>): void {
    const { end } = event;
    this.standing.end = end;
    if (end.how === 'lost') this.standing.lastReason = end.code;
    this.enter('ended', event);
    if (end.how === 'closed') return;
    const { how: _, ...lost } = end;
    this.owner.hear({ type: 'sessionLost', ...lost });
  }

  private enter(place: SessionState, { type, at }: SessionFact): void {
    this.stop();
    this.place = place;
    this.standing.since = at;
    if (place === 'detached' && this.owner.side === 'server') {
      this.timer = this.owner.timers.setTimeout(() => this.ring(), windowLeft(this.owner, at));
    }
    this.remember(place === 'ended' ? `ended.${this.standing.end?.how}` : place, type);
  }

  private remember(state: string, cause: string): void {
    const { epoch, lastReason } = this.standing;
    this.owner.entered(state, cause, { epoch, lastReason });
  }

  private ring(): void {
    this.timer = undefined;
    (this.takenOver ?? this.expire)();
  }

  /** No timer is left. */
  stop(): void {
    if (this.timer) this.owner.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The facts that lead a chart, which has been given the standing, to the present place. */
  facts(): SessionFact[] {
    const { since: at, epoch, replayed, deduplicated, end } = this.standing;
    const attached: SessionFact = { type: 'session.attached', at, resumed: false, replayed, deduplicated, epoch };
    const facts: Readonly<Record<SessionState, SessionFact[]>> = {
      fresh: [],
      establishing: [{ type: 'session.opening', at }],
      attached: [attached],
      detached: [attached, { type: 'session.detached', at }],
      ended: end ? [{ type: 'session.ended', at, end }] : [],
    };
    return facts[this.place];
  }

  /** The timers of a chart that is woken: it takes over the one that runs. A client's is never to end by the clock. */
  clock(): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
    const { owner } = this;
    return {
      setTimeout: (callback, ms) => {
        const running = this.timer;
        if (owner.side === 'client') return undefined as unknown as Timer;
        if (!running) return owner.timers.setTimeout(callback, ms);
        this.timer = undefined;
        this.takenOver = callback;
        return running;
      },
      clearTimeout: (timer) => owner.timers.clearTimeout(timer),
    };
  }
}
