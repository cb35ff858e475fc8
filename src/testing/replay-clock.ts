import { delayName } from '../recorder/words.js';

interface Pending {
  readonly event: string;
  readonly due: number;
  readonly fire: () => void;
}

/** Node's timers fire up to 0.8 ms early, milliseconds. */
const EARLY = 1;

/**
 * The virtual time of a replay. It goes from one recorded step to the next, and fires the statechart's own timers at the
 * instants at which they fired in the recording: a loop that is blocked, or a process that is stopped, makes them late.
 */
export class ReplayClock {
  private readonly pending = new Map<object, Pending>();
  /** The events of delayed transitions that XState is about to set, in order. */
  private readonly announced: string[] = [];

  constructor(public at: number) {}

  /** XState is about to set a timer that will bring this event. */
  announce(event: string): void {
    this.announced.push(event);
  }

  setTimeout(fire: () => void, ms: number): object {
    return this.set(this.announced.shift() ?? '', this.at + ms, fire);
  }

  /** A timer that was set before the recording begins. */
  set(event: string, due: number, fire: () => void): object {
    const timer = {};
    this.pending.set(timer, { event, due, fire });
    return timer;
  }

  clearTimeout(timer: object): void {
    this.pending.delete(timer);
  }

  /** XState's own clearing does not know the timers from before the recording. */
  clear(event: string): void {
    for (const [timer, one] of this.pending) if (one.event === event) this.pending.delete(timer);
  }

  /** Fires the timer that brings this event. @returns what speaks against it */
  fire(event: string): string | undefined {
    const found = [...this.pending].find(([, one]) => one.event === event);
    if (!found) return `${delayName(event)} is over in the recording, and the statechart has not set it`;
    const [timer, { due, fire }] = found;
    if (due - this.at > EARLY) {
      return `${delayName(event)} is over in the recording, and the statechart lets it run for ${due - this.at} ms more`;
    }
    this.pending.delete(timer);
    fire();
    return undefined;
  }

  /** How late the timer is that brings this event, milliseconds. */
  lateness(event: string): number | undefined {
    const found = [...this.pending.values()].find((one) => one.event === event);
    return found && Math.max(0, this.at - found.due);
  }

  /** What is under way, the soonest first. */
  left(): { readonly name: string; readonly due: number }[] {
    return [...this.pending.values()]
      .map(({ event, due }) => ({ name: delayName(event), due }))
      .sort((a, b) => a.due - b.due);
  }
}
