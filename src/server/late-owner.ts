import type { Attached, ServerSession, SessionEnd, SessionOwner } from '../protocol/session/index.js';
import type { Timers } from '../socket/timers.js';

/**
 * Owns a session that has no peer yet: where there is a store, its first socket waits until the store has it, and may be
 * gone by then. A session becomes a peer when it is attached, and not before.
 */
export class LateOwner implements SessionOwner {
  private timer: ReturnType<Timers['setTimeout']> | undefined;

  constructor(
    private readonly core: ServerSession,
    private readonly timers: Timers,
    private readonly now: () => number,
    /** Makes its peer; gives who owns it from now on. */
    private readonly enter: () => SessionOwner,
    private readonly over: () => void,
  ) {}

  attached(how: Attached): void {
    this.forget();
    const owner = this.enter();
    this.core.owner = owner;
    owner.attached(how);
  }

  wake(at: number): void {
    this.forget();
    const tick = (): void => this.core.tick(this.now());
    this.timer = this.timers.setTimeout(tick, Math.max(0, Math.ceil(at - this.now())));
  }

  ended(_end: SessionEnd): void {
    this.forget();
    this.over();
  }

  private forget(): void {
    if (this.timer) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }

  // None of these before it is attached.
  deliver(): boolean {
    return false;
  }
  acknowledged(): void {}
  room(): void {}
  detached(): void {}
  draining(): void {}
  leaving(): void {}
  refused(): void {}
}
