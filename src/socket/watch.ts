import type { Clock } from '../environment.js';
import type { Pulse } from './pulse.js';

/** Looks at the pulse when a silence window is over, and begins the next: the clock's side of the silence rule. */
export class Watch {
  /** The length of the running window, milliseconds. */
  delay = 0;
  private armedAt = 0;

  constructor(
    private readonly pulse: Pulse,
    private readonly clock: Clock,
  ) {}

  /** Begins a window. Where we had been suspended, the silence is pardoned once, and `ask` is called to write a heartbeat. */
  arm(ask: () => void): void {
    const { clock, pulse } = this;
    const now = clock.now();
    if (this.verdict() === 'suspect') {
      pulse.pardon(now);
      ask();
    }
    this.delay = pulse.arm(now, clock.wallNow(), clock.polledAt());
    this.armedAt = now;
  }

  heardInTime(): boolean {
    return this.verdict() !== 'silent';
  }

  /** Milliseconds since the last byte. */
  silentForMs(): number {
    return this.clock.now() - this.pulse.heardAt;
  }

  /** Milliseconds until silence is looked at again. */
  nextCheckIn(): number {
    return this.armedAt + this.delay - this.clock.now();
  }

  private verdict(): 'heard' | 'suspect' | 'silent' {
    const { clock } = this;
    return this.pulse.verdict(clock.polledAt(), clock.now(), clock.wallNow());
  }
}
