import type { AnyActorRef, InspectionEvent, StateValue } from 'xstate';
import { messageOf } from '../errors.js';
import type { Seen } from './seen.js';
import { Steps } from './steps.js';
import type { Message } from './wire.js';

/** The one that a page has chosen: each step of its statechart and of its session's, and what is known of it, as it changes. */
export class Subject {
  private told = '';
  private stops: readonly { unsubscribe(): void }[] = [];

  /** A peer that sleeps is woken, and a session. @param tell hears of it; its last word is `gone` */
  constructor(
    readonly id: string,
    private readonly one: Seen,
    private readonly tell: (message: Message) => void,
  ) {
    const steps = new Steps(id, one.kind);
    const { actor } = one;
    steps.begin(standingOf(actor));
    const own = this.heard((event) => (event.actorRef === actor ? steps.of(event) : undefined));
    this.stops = [actor.system.inspect(own), one.subscribe(() => this.look()), ...this.watchSession()];
  }

  private watchSession(): readonly { unsubscribe(): void }[] {
    const { id, one } = this;
    if (one.kind === 'server' || !one.session) return [];
    const steps = new Steps(id, 'session');
    const heard = this.heard((event) => {
      // That of the next session, perhaps.
      if (event.type === '@xstate.actor') steps.begin(standingOf(event.actorRef as AnyActorRef));
      return steps.of(event);
    });
    return [one.session.inspect(heard)];
  }

  private heard(stepOf: (event: InspectionEvent) => Message | undefined): (event: InspectionEvent) => void {
    return (event) => {
      // Nothing that goes wrong here may come into the middle of a step.
      try {
        const step = stepOf(event);
        if (step) this.tell(step);
      } catch (error) {
        this.giveUp(error);
      }
    };
  }

  /** Tells of it, where anything changed: its words alone change with time. */
  look(): void {
    if (this.stops.length === 0) return;
    try {
      this.read();
    } catch (error) {
      this.giveUp(error);
    }
  }

  private read(): void {
    const { id, one } = this;
    const { snapshot, history } = one;
    const explain = one.explain();
    const sessionHistory = one.kind === 'server' ? undefined : one.session?.history;
    const picture = JSON.stringify([snapshot, explain, history, sessionHistory]);
    if (picture !== this.told) {
      this.told = picture;
      this.tell({ type: 'detail', now: Date.now(), id, snapshot, explain, history, sessionHistory });
    }
    if (snapshot.state !== 'disposed') return;
    this.stop();
    this.tell({ type: 'gone', id });
  }

  /** It cannot be read, as of a copy of another version: a look harms nobody. */
  private giveUp(error: unknown): void {
    this.stop();
    process.emitWarning(`the inspector cannot read ${this.id}: ${messageOf(error)}`);
  }

  /** Nothing of it is observed any more. */
  stop(): void {
    for (const one of this.stops) one.unsubscribe();
    this.stops = [];
  }
}

function standingOf(actor: AnyActorRef): StateValue {
  return (actor.getSnapshot() as { readonly value: StateValue }).value;
}
