/** The peer's statechart alone on a bench: fake hands, fake sockets, a virtual clock. */
import { type AnyTransitionDefinition, createActor } from 'xstate';
import type { SocketFact } from '../../machines/line.setup.js';
import { type PeerAnnouncement, type PeerEvent, peerMachine } from '../../machines/peer.machine.js';
import { socketActor } from '../../src/socket/actor.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { FakeLine } from './hands.js';
import { stateName } from './state-name.js';

export const machine = peerMachine.provide({ actors: { socket: socketActor } });
/** Every delay has a length of its own, so that one cannot be taken for another. */
export const TIMES = { discardTimeout: 100, drainTimeout: 700 };

export type FactName = 'opened' | 'heard' | 'closed' | 'failed';

export const fact = (name: FactName, epoch = 1): SocketFact => {
  const type = `socket.${name}` as const;
  if (type === 'socket.opened' || type === 'socket.heard') return { type, epoch };
  return { type, epoch, code: type === 'socket.closed' ? 'NINJA_DISPOSED' : 'NINJA_RESET', message: 'gone' };
};

/** The ends of a session, as the table names them. */
export const endings = {
  'session.ended closed': { type: 'session.ended', reason: undefined },
  'session.ended lost': { type: 'session.ended', reason: { code: 'NINJA_SESSION_LOST', message: 'nobody came back' } },
} as const;

export interface BenchOptions {
  readonly times?: Partial<typeof TIMES>;
  /** It has a session. */
  readonly resumable?: boolean;
}

export class PeerBench {
  readonly clock = createVirtualClock();
  readonly ports = new FakeLine(this.clock);
  readonly announced: PeerAnnouncement[] = [];
  readonly taken = new Set<AnyTransitionDefinition>();
  readonly actor;
  closedAt: number | undefined;
  /** The epoch in which the event under test came. */
  epochBefore = 0;

  constructor({ times, resumable = false }: BenchOptions = {}) {
    this.actor = createActor(machine, {
      clock: this.clock,
      input: { ports: this.ports, times: { ...TIMES, ...times }, resumable },
      inspect: (step) => {
        if (step.type === '@xstate.microstep') for (const one of step._transitions) this.taken.add(one);
      },
    });
    this.actor.on('*', (one) => {
      this.announced.push(one);
      this.ports.log.push(`announce ${one.type}`);
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

  send(...events: PeerEvent[]): this {
    for (const event of events) {
      if (event.type === 'close') this.closedAt ??= this.clock.now();
      this.actor.send(event);
    }
    return this;
  }

  /** A fact of this epoch's socket. */
  say(name: FactName): this {
    return this.send(fact(name, this.context.epoch));
  }

  /** The client comes back, on the next socket. */
  attach(): this {
    return this.send({ type: 'session.attached', epoch: this.context.epoch + 1 });
  }
}
