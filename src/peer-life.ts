import { type Actor, createActor } from 'xstate';
import type { SocketFact, Standing } from '../machines/line.setup.js';
import { type PeerAnnouncement, type PeerEvent, type PeerTimes, peerMachine } from '../machines/peer.machine.js';
import type { Clock, Timer } from './environment.js';
import type { Reason } from './errors.js';
import { handsOn } from './line/flight.js';
import type { PeerLine } from './line/peer-line.js';
import { socketActor } from './socket/actor.js';

// Once per process: a machine of its own for each peer would cost four times the memory.
const machine = peerMachine.provide({ actors: { socket: socketActor } });

export type PeerActor = Actor<typeof machine>;
export type PeerState = 'connected' | 'stale' | 'detached' | 'disposed';
export type PeerSubstate = 'unproven' | 'live' | 'draining' | 'waiting';

/** Who hears of a peer's life. */
export interface PeerLifeOwner {
  hear(announcement: PeerAnnouncement): void;
  /** The statechart itself broke. */
  wreck(error: unknown): void;
  /** It has come to its end, or the program stopped it. */
  stopped(): void;
}

/** What the end of a silence window is called in the chart. */
const SILENCE_OVER = { type: 'xstate.after.silence.peer.connected.watch.listening' } as unknown as PeerEvent;
const HEARD: SocketFact = { type: 'socket.heard', epoch: 1 };
const FRESH: Standing = { epoch: 1, reason: undefined };

/**
 * The life of a peer, which peer.machine.ts decides. Most peers only ever go the ordinary way: accepted, heard, and
 * heard again in time. A statechart that does no more would weigh more than all else of a peer together, so it sleeps:
 * it is made when somebody asks for it, or when anything else happens. It is then led through what has happened, with
 * hands that do nothing, as all of it was done; from there on it decides alone. Whether asleep or awake must make no
 * difference but in memory and time: test/peer-life.test.ts compares the two.
 */
export class PeerLife {
  /** The chart, once it was made. */
  private awake: PeerActor | undefined;
  private live = false;
  /** As a chart in status `error`. */
  private broken = false;
  private silenceTimer: Timer | undefined;
  /** What the chart wants to happen when the timer fires that it took over. */
  private takenOver: (() => void) | undefined;
  /** Something is being told: what is ordered meanwhile comes after it, as in a chart. */
  private telling = true;
  private later: PeerEvent[] | undefined;

  constructor(
    private readonly line: PeerLine,
    private readonly times: PeerTimes & { readonly staleAfter: number },
    private readonly owner: PeerLifeOwner,
    /** Whether it has a session. */
    private readonly resumable: boolean,
  ) {}

  /** What the chart does when it starts: it enters its first states, then makes the socket. */
  start(): void {
    const { line } = this;
    this.attempt(() => {
      line.openGate();
      line.entered('connected.unproven', 'start', FRESH);
      this.watch();
      line.openSocket(1, this.learn);
    });
    this.told();
  }

  /** The XState actor itself. */
  get actor(): PeerActor {
    return this.awake ?? this.wake();
  }

  get state(): PeerState {
    const value = this.awake?.getSnapshot().value;
    if (typeof value === 'string') return value;
    return value && 'detached' in value ? 'detached' : 'connected';
  }

  get substate(): PeerSubstate | undefined {
    if (!this.awake) return this.live ? 'live' : 'unproven';
    const { value } = this.awake.getSnapshot();
    if (typeof value === 'string') return undefined;
    return 'detached' in value ? value.detached : value.connected.line;
  }

  /** As the chart has it. */
  get reason(): Reason | undefined {
    return this.awake?.getSnapshot().context.reason;
  }

  /** Monotonic milliseconds at which `close` was ordered. */
  get closingAt(): number | undefined {
    const context = this.awake?.getSnapshot().context;
    return context?.closing ? context.closingAt : undefined;
  }

  /** After the end nothing is ordered any more. */
  order(event: PeerEvent): void {
    if (this.broken) return;
    if (this.telling && !this.awake) {
      this.later ??= [];
      this.later.push(event);
    } else if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  /** The socket reports, and the chart is asleep. */
  private readonly learn = (fact: SocketFact): void => {
    if (fact.type !== 'socket.heard') {
      this.order(fact);
      return;
    }
    this.live = true;
    this.telling = true;
    this.attempt(() => {
      this.line.entered('connected.live', fact.type, FRESH);
      this.owner.hear({ type: 'live' });
    });
    this.told();
  };

  /** What an action of the chart throws breaks the chart, and nothing else. */
  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.broken = true;
      if (this.silenceTimer) this.line.timers.clearTimeout(this.silenceTimer);
      this.owner.wreck(error);
    }
  }

  private told(): void {
    this.telling = false;
    const events = this.later ?? [];
    this.later = undefined;
    for (const event of events) this.order(event);
  }

  /** As the state `listening` of the chart. */
  private watch(): void {
    const { line, times } = this;
    line.armSilence();
    if (times.staleAfter > 0) this.silenceTimer = line.timers.setTimeout(this.ring, line.silenceDelay());
  }

  /** When the silence timer fires. */
  private readonly ring = (): void => {
    this.silenceTimer = undefined;
    if (this.takenOver) {
      this.takenOver();
      return;
    }
    this.attempt(() => {
      if (this.line.heardInTime()) this.watch();
      else this.order(SILENCE_OVER);
    });
  };

  /** The timers of the line; but the chart takes over the silence timer that runs, where it stands among the others. */
  private clock(): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
    const { line } = this;
    return {
      setTimeout: (callback, ms) => {
        const running = this.silenceTimer;
        if (!running) return line.timers.setTimeout(callback, ms);
        this.silenceTimer = undefined;
        this.takenOver = callback;
        return running;
      },
      clearTimeout: (timer) => line.timers.clearTimeout(timer),
    };
  }

  private wake(): PeerActor {
    const { line, times, owner, resumable } = this;
    const { ports, ...watch } = handsOn(line);
    const actor = createActor(machine, { clock: this.clock(), input: { ports, times, resumable }, ...watch });
    this.awake = actor;
    // It shows where it stood, and never goes on.
    if (this.broken) return actor;
    actor.subscribe({ error: (error) => owner.wreck(error), complete: () => owner.stopped() });
    line.replaying(() => {
      actor.start();
      if (this.live) actor.send(HEARD);
    });
    actor.on('*', (announcement) => owner.hear(announcement));
    return actor;
  }
}
