import { type Actor, createActor } from 'xstate';
import { connectionMachine } from '../machines/connection.machine.js';
import type { ConnectionAnnouncement, ConnectionEvent } from '../machines/connection.setup.js';
import type { SocketFact } from '../machines/line.setup.js';
import {
  BEFORE,
  CONNECT,
  DIALING,
  FIRST,
  GREETED,
  GREETING,
  HEARD,
  IDLE,
  LIVE,
  OPENED,
  type Seen,
  SILENCE_OVER,
  UNPROVEN,
} from './connection-places.js';
import type { Clock } from './environment.js';
import { attach } from './inspection.js';
import type { ConnectionState } from './line/connection-events.js';
import { handsOn } from './line/flight.js';
import type { LedLine, Replay } from './line/led-line.js';
import { Sleeper } from './line/sleeper.js';
import { socketActor } from './socket/actor.js';

// Once per process: a machine of its own for each connection would cost four times the memory.
const machine = connectionMachine.provide({ actors: { socket: socketActor } });

export type ConnectionActor = Actor<typeof machine>;

/** Who hears of a connection's life. */
export interface ConnectionLifeOwner {
  hear(announcement: ConnectionAnnouncement): void;
  /** The statechart itself broke. */
  wreck(error: unknown): void;
  /** It has come to its end, or the program stopped it. */
  stopped(): void;
}

/**
 * The life of a client's connection, which connection.machine.ts decides. Most connections go the ordinary way for long:
 * they dial, are greeted, are heard, and heard again in time. As a peer's (peer-life.ts), its statechart sleeps until it is
 * asked for or anything else happens: to make it takes longer than to connect, and it weighs more than all the rest. It is
 * then led through what has happened, with hands that do nothing; from there on it decides alone. Whether asleep or awake
 * must make no difference but in memory and time: test/connection/life-asleep.test.ts compares the two.
 *
 * Each step does first what actions of the chart do at once, then what the chart defers: telling, timers, sockets.
 */
export class ConnectionLife extends Sleeper {
  /** The chart, once it was made. */
  private awake: ConnectionActor | undefined;
  /** Where the chart would be, as soon as it was asked for. */
  private place = IDLE;
  /** Where it would be seen: actions that it does at once see it where it was. */
  private shown = IDLE;
  /** A byte came. */
  private proven = false;
  private openedAt = 0;
  private liveAt = 0;
  /** As a chart in status `error`. */
  private broken = false;
  /** Where the chart hears of the socket that was made in its sleep. */
  private report: ((fact: SocketFact) => void) | undefined;
  /** Something is being done: what is ordered or heard meanwhile comes after it, as in a chart. */
  private busy = false;
  private later: ConnectionEvent[] | undefined;

  constructor(
    private readonly line: LedLine,
    private readonly owner: ConnectionLifeOwner,
  ) {
    super(line.timers);
  }

  protected get isAwake(): boolean {
    return this.awake !== undefined;
  }

  /** Begins, and connects. */
  start(): void {
    const { line } = this;
    const { inspect, environment } = line.settings;
    // Who watches from the first is to see all of it.
    if (inspect || line.recorder) {
      const actor = this.make(line.timers);
      this.awake = actor;
      this.follow(actor);
      const inspection = inspect && attach(actor, inspect, environment.warn, false);
      if (inspection) line.side?.view.watch(inspection);
      actor.start();
      actor.send(CONNECT);
      return;
    }
    this.busy = true;
    this.attempt(this.begin);
    this.order(CONNECT);
    this.work();
  }

  /** The XState actor itself. */
  get actor(): ConnectionActor {
    return this.awake ?? this.wake();
  }

  get state(): ConnectionState {
    if (!this.awake) return this.shown.state;
    const { value } = this.awake.getSnapshot();
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ConnectionState;
  }

  get substate(): string | undefined {
    if (!this.awake) return this.shown.substate;
    const { value } = this.awake.getSnapshot();
    if (typeof value === 'string') return undefined;
    const inner = Object.values(value)[0];
    return typeof inner === 'string' ? inner : inner?.line;
  }

  /** As the chart has it. */
  get context(): Seen {
    if (this.awake) return this.awake.getSnapshot().context;
    const standing = this.shown === IDLE ? BEFORE : FIRST;
    const { proven } = this;
    return { ...standing, proven, closing: false, closingAt: 0, times: this.line.settings };
  }

  order(event: ConnectionEvent): void {
    if (this.awake && !this.busy) {
      this.pass(event);
      return;
    }
    this.later ??= [];
    this.later.push(event);
    if (!this.busy) this.work();
  }

  /** Does what was ordered, and what is ordered meanwhile. */
  private work(): void {
    this.busy = true;
    for (let next = this.later?.shift(); next; next = this.later?.shift()) this.pass(next);
    this.later = undefined;
    this.busy = false;
  }

  /** After the end nothing is ordered any more. */
  private pass(event: ConnectionEvent): void {
    if (this.broken || (!this.awake && this.goesOn(event))) return;
    const { actor } = this;
    if (actor.getSnapshot().status === 'active') actor.send(event);
  }

  /** The socket that was made in its sleep reports. */
  private readonly learn = (fact: SocketFact): void => {
    if (this.report) this.report(fact);
    else this.order(fact);
  };

  /** @returns false where only the chart knows what to do */
  private goesOn({ type }: ConnectionEvent): boolean {
    const { place } = this;
    if (type === 'connect' && place === IDLE) this.attempt(this.dial);
    else if (type === 'socket.opened' && place === DIALING) this.attempt(this.opened);
    else if (type === 'greeting.passed' && place === GREETING) this.attempt(this.connected);
    else if (type === 'socket.heard') {
      this.proven = true;
      if (place === UNPROVEN) this.attempt(this.live);
    } else return false;
    return true;
  }

  /** What an action of the chart throws breaks the chart, and nothing else. */
  private attempt(act: (this: this) => void): void {
    try {
      act.call(this);
    } catch (error) {
      this.broken = true;
      this.disarm();
      this.owner.wreck(error);
    }
  }

  // --- the ordinary way

  private begin(): void {
    this.line.shutGate();
    this.line.entered('disconnected.idle', 'start', BEFORE);
  }

  private dial(): void {
    const { line } = this;
    this.place = DIALING;
    line.entered('connecting.dialing', CONNECT.type, FIRST);
    this.shown = DIALING;
    this.owner.hear({ type: 'connecting', epoch: 1, attempt: 1 });
    line.openSocket(1, this.learn);
    this.arm(line.settings.connectTimeout);
  }

  private opened(): void {
    const { line } = this;
    this.place = GREETING;
    this.openedAt = line.now();
    line.entered('connecting.greeting', OPENED.type, FIRST);
    line.greet(1);
    if (line.greets) this.shown = GREETING;
    else this.connect(OPENED.type);
  }

  private connected(): void {
    this.connect(GREETED.type);
  }

  private connect(cause: string): void {
    const { line } = this;
    this.place = UNPROVEN;
    line.openGate();
    line.entered('connected.unproven', cause, FIRST);
    line.armSilence();
    const delay = line.silenceDelay();
    const live = this.proven;
    if (live) this.noteLive(cause);
    this.shown = this.place;
    this.disarm();
    this.owner.hear({ type: 'connected', epoch: 1 });
    this.arm(delay);
    if (live) this.tellLive();
  }

  private live(): void {
    this.noteLive(HEARD.type);
    this.shown = LIVE;
    this.tellLive();
  }

  private noteLive(cause: string): void {
    const { line } = this;
    this.place = LIVE;
    line.entered('connected.live', cause, FIRST);
    this.liveAt = line.now();
  }

  private tellLive(): void {
    this.owner.hear({ type: 'live', epoch: 1, afterMs: this.liveAt - this.openedAt });
  }

  // --- the clock

  protected rang(): void {
    const { late } = this.place;
    if (late === SILENCE_OVER) this.attempt(this.listen);
    else this.order(late);
  }

  /** A window of silence is over. */
  private listen(): void {
    const { line } = this;
    if (line.heardInTime()) {
      line.armSilence();
      this.arm(line.silenceDelay());
    } else this.order(SILENCE_OVER);
  }

  // --- waking

  private make(clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>): ConnectionActor {
    const { line } = this;
    const { ports, ...watch } = handsOn(line);
    return createActor(machine, { clock, input: { ports, times: line.settings, greets: line.greets }, ...watch });
  }

  private follow(actor: ConnectionActor): void {
    const { owner } = this;
    actor.on('*', (announcement) => owner.hear(announcement));
    actor.subscribe({ error: (error) => owner.wreck(error), complete: () => owner.stopped() });
  }

  private wake(): ConnectionActor {
    const { line, place } = this;
    const actor = this.make(this.clock());
    this.awake = actor;
    this.led = true;
    const replay: Replay = { now: this.openedAt, report: undefined };
    line.replay = replay;
    actor.start();
    if (place !== IDLE) actor.send(CONNECT);
    if (place !== IDLE && place !== DIALING) actor.send(OPENED);
    if (line.greets && place.state === 'connected') actor.send(GREETED);
    replay.now = this.liveAt;
    if (this.proven) actor.send(HEARD);
    line.replay = undefined;
    this.report = replay.report;
    this.led = false;
    // It shows where it stood, and never goes on.
    if (this.broken) actor.stop();
    else this.follow(actor);
    return actor;
  }
}
