import { messageOf } from '../errors.js';
import type { Seen } from './seen.js';
import { Steps } from './steps.js';
import type { Message } from './wire.js';

/** The one that a page has chosen: each step of its statechart, and what is known of it, as it changes. */
export class Subject {
  private told = '';
  private stops: readonly { unsubscribe(): void }[] = [];

  /** @param tell hears of it; its last word is `gone` */
  constructor(
    readonly id: string,
    private readonly one: Seen,
    private readonly tell: (message: Message) => void,
  ) {
    const steps = new Steps(id, one);
    const inspection = one.actor.system.inspect((event) => {
      // Nothing that goes wrong here may come into the middle of a step.
      try {
        const step = steps.of(event);
        if (step) this.tell(step);
      } catch (error) {
        this.giveUp(error);
      }
    });
    this.stops = [inspection, one.subscribe(() => this.look())];
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
    const picture = JSON.stringify([snapshot, explain, history]);
    if (picture !== this.told) {
      this.told = picture;
      this.tell({ type: 'detail', now: Date.now(), id, snapshot, explain, history });
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
