import type { SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import { ConnectionLine } from './connection-line.js';

/** A chart is led through what was done already. */
export interface Replay {
  /** What the clock said when it was done. */
  now: number;
  /** Where the chart hears of the socket that is there. */
  report: ((fact: SocketFact) => void) | undefined;
}

/** The line of a client whose statechart may be made late. */
export class LedLine extends ConnectionLine {
  /** While it is set the hands of the chart do nothing. */
  replay: Replay | undefined;

  /** There is an `onConnect` hook, or a session. */
  get greets(): boolean {
    return this.settings.onConnect !== undefined || this.side !== undefined;
  }

  override now(): number {
    return this.replay ? this.replay.now : super.now();
  }

  override openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    if (!this.replay) return super.openSocket(epoch, report);
    this.replay.report = report;
    // None, where it could not be made; or not yet, where it is being made.
    return { discard: () => this.latest?.discard(), destroy: () => this.latest?.destroy() };
  }

  override openGate(): void {
    if (!this.replay) super.openGate();
  }

  override shutGate(): void {
    if (!this.replay) super.shutGate();
  }

  override greet(epoch: number): void {
    if (!this.replay) super.greet(epoch);
  }

  override armSilence(): void {
    if (!this.replay) super.armSilence();
  }

  override silenceDelay(): number {
    return this.replay ? Math.max(0, Math.ceil(this.watch.nextCheckIn())) : super.silenceDelay();
  }

  override entered(to: string, cause: string, standing: Standing): void {
    if (!this.replay) super.entered(to, cause, standing);
  }
}
