/** Fake hands for the statecharts of a line: nothing is done, all is written down in one list, in order. */
import type { ConnectionPorts } from '../../machines/connection.setup.js';
import type { LinePorts, SocketFact, SocketHandle } from '../../machines/line.setup.js';
import type { Clock } from '../../src/environment.js';
import type { Reason } from '../../src/errors.js';

/** The silence window, milliseconds. */
export const WINDOW = 1000;

export class FakeLine implements LinePorts {
  /** All that happened: calls of these hands, sockets that came and went, and what the bench adds. */
  readonly log: string[] = [];
  /** Sockets that were spawned and not stopped, by their epochs. */
  readonly alive = new Set<number>();
  /** Never more than one may be alive. */
  mostAlive = 0;
  /** How often a silence window was begun. */
  armed = 0;
  readonly reports = new Map<number, (fact: SocketFact) => void>();
  /** False where silence means nothing, as with `staleAfter: 0`. */
  watched = true;
  private silentSince: number | undefined;

  constructor(protected readonly clock: Pick<Clock, 'now' | 'wallNow'>) {}

  /** Whether bytes come all the time; false from now on: silence. */
  set heard(heard: boolean) {
    if (heard) this.silentSince = undefined;
    else this.silentSince ??= this.now();
  }

  now(): number {
    return this.clock.now();
  }

  wallNow(): number {
    return this.clock.wallNow();
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    this.log.push(`socket ${epoch} spawned`);
    this.reports.set(epoch, report);
    this.alive.add(epoch);
    this.mostAlive = Math.max(this.mostAlive, this.alive.size);
    return {
      discard: () => void this.log.push(`socket ${epoch} discarded`),
      destroy: () => {
        this.alive.delete(epoch);
        this.log.push(`socket ${epoch} stopped`);
      },
    };
  }

  openGate(): void {
    this.log.push('openGate');
  }

  shutGate(): void {
    this.log.push('shutGate');
  }

  drain(): void {
    this.log.push('drain');
  }

  settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED'): void {
    this.log.push(`settleHeld ${code}`);
  }

  armSilence(): void {
    this.armed += 1;
    this.log.push('armSilence');
  }

  silenceDelay(): number {
    // A chart's first state asks before its entry action has armed: the answer must not depend on it.
    return WINDOW;
  }

  heardInTime(): boolean {
    return !this.watched || this.silentSince === undefined;
  }

  silentForMs(): number {
    return this.silentSince === undefined ? 0 : this.now() - this.silentSince;
  }

  entered(state: string, cause: string): void {
    this.log.push(`entered ${state} by ${cause}`);
  }

  toJSON(): undefined {
    return undefined;
  }
}

export class FakeConnection extends FakeLine implements ConnectionPorts {
  /** What `backoff` answers. */
  wait: number | false = 50;
  /** What `owesSession` answers. */
  owes = false;
  /** What `backoff` was asked: failures and code. */
  readonly asked: string[] = [];

  revive(): void {
    this.log.push('revive');
  }

  greet(epoch: number): void {
    this.log.push(`greet ${epoch}`);
  }

  owesSession(): boolean {
    return this.owes;
  }

  backoff(failures: number, reason: Reason): number | false {
    this.asked.push(`${failures} ${reason.code}`);
    return this.wait;
  }
}
