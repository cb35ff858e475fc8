/** The connection's statechart alone on a bench: fake hands, fake sockets, a virtual clock. */
import { type AnyTransitionDefinition, createActor } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import type { ConnectionAnnouncement, ConnectionEvent, ConnectionTimes } from '../../machines/connection.setup.js';
import { socketActor } from '../../src/socket/actor.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { FakeConnection, WINDOW } from './hands.js';
import { stateName } from './state-name.js';

const machine = connectionMachine.provide({ actors: { socket: socketActor } });

/** Every delay has a length of its own, so that one cannot be taken for another. */
export const TIMES: ConnectionTimes = {
  connectTimeout: 5000,
  discardTimeout: 100,
  drainTimeout: 700,
  stableAfter: 3000,
  maxAttempts: 5,
};

export interface BenchOptions {
  readonly greets?: boolean;
  readonly times?: Partial<ConnectionTimes>;
  readonly wait?: number | false;
  /** There is a session that has to be brought to its end. */
  readonly owes?: boolean;
}

export class ConnectionBench {
  readonly clock = createVirtualClock();
  readonly ports = new FakeConnection(this.clock);
  readonly announced: ConnectionAnnouncement[] = [];
  /** Every transition that was taken, for the count of those that no test took. */
  readonly taken = new Set<AnyTransitionDefinition>();
  /** Monotonic milliseconds of the first `close`. */
  closedAt: number | undefined;
  /** The epoch in which the event under test came. */
  epochBefore = 0;
  readonly actor;

  constructor(options: BenchOptions = {}) {
    this.ports.wait = options.wait ?? this.ports.wait;
    this.ports.owes = options.owes ?? false;
    this.actor = createActor(machine, {
      clock: this.clock,
      input: { ports: this.ports, times: { ...TIMES, ...options.times }, greets: options.greets ?? false },
      inspect: (step) => {
        if (step.type === '@xstate.microstep') for (const one of step._transitions) this.taken.add(one);
      },
    });
    this.actor.on('*', (announcement) => {
      this.announced.push(announcement);
      this.ports.log.push(`announce ${announcement.type}`);
    });
    this.actor.start();
  }

  get state(): string {
    return stateName(this.actor.getSnapshot().value);
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  get log(): string[] {
    return this.ports.log;
  }

  /** The ids of the actors that the statechart thinks it has. */
  get children(): string[] {
    return Object.keys(this.actor.getSnapshot().children);
  }

  send(...events: ConnectionEvent[]): this {
    for (const event of events) {
      if (event.type === 'close') this.closedAt ??= this.clock.now();
      this.actor.send(event);
    }
    return this;
  }

  // --- what this epoch's socket, and the greeting, say

  opened(): this {
    return this.send({ type: 'socket.opened', epoch: this.context.epoch });
  }

  heard(): this {
    return this.send({ type: 'socket.heard', epoch: this.context.epoch });
  }

  failed(epoch = this.context.epoch): this {
    return this.send({ type: 'socket.failed', epoch, code: 'NINJA_CONNECT_FAILED', message: 'refused' });
  }

  failedForGood(): this {
    const { epoch } = this.context;
    return this.send({ type: 'socket.failed', epoch, code: 'NINJA_CERTIFICATE', message: 'expired', fatal: true });
  }

  closed(epoch = this.context.epoch): this {
    return this.send({ type: 'socket.closed', epoch, code: 'NINJA_CLOSED_BY_PEER', message: 'FIN' });
  }

  greetingFailed(fatal: boolean): this {
    const code = fatal ? 'NINJA_NOT_A_PEER' : 'NINJA_CONNECT_FAILED';
    const { epoch } = this.context;
    return this.send({ type: 'greeting.failed', epoch, reason: { code, message: 'no' }, fatal });
  }

  /** The silence window runs out, and no byte came. */
  async silence(): Promise<this> {
    this.ports.heard = false;
    await this.clock.advance(WINDOW);
    return this;
  }

  /** From `disconnected.idle` or `.waiting` to `connected.live`. */
  goLive(): this {
    return this.send({ type: 'connect' }).opened().heard();
  }

  /** One more failed attempt. */
  fail(): this {
    return this.send({ type: 'connect' }).failed();
  }
}
