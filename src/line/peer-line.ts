import type { SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import type { Transport } from '../environment.js';
import { type ErrorCode, NinjaTcpError, type Reason } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import type { ServerSettings } from '../settings.js';
import type { LineTimers } from '../socket/timers.js';
import type { BudgetHolder, FrameBudget } from './frame-budget.js';
import { Line, type LineEvents } from './line.js';

export interface PeerLineEvents extends LineEvents {
  /** The client sent its FIN: nothing more comes, writing is still possible. */
  inputEnded(): void;
}

/** Ends of a line that are nobody's fault: iterators just end. */
const PEACEFUL: readonly ErrorCode[] = ['NINJA_DISPOSED', 'NINJA_CLOSED_BY_PEER', 'NINJA_DRAIN_TIMEOUT'];

/** The server's data plane for one accepted transport. */
export class PeerLine extends Line implements BudgetHolder {
  /** The chart is led through what was done already. */
  private replays = false;
  private handle: (SocketHandle & { report?: (fact: SocketFact) => void }) | undefined;

  constructor(
    override readonly settings: ServerSettings,
    override readonly transport: Transport,
    private readonly peerEvents: PeerLineEvents,
    private readonly budget: FrameBudget,
    timers: LineTimers,
  ) {
    super(settings, peerEvents, timers);
    this.pulse.open(this.now());
  }

  /** Leads a chart that is made late to where its line is: meanwhile its hands do nothing. */
  replaying(lead: () => void): void {
    this.replays = true;
    lead();
    this.replays = false;
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    if (this.handle) this.handle.report = report;
    else this.handle = this.beginSocket(epoch, report);
    return this.handle;
  }

  private beginSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    try {
      const socket = this.adopt(this.transport, epoch, report);
      socket.begin();
      return socket;
    } catch (error) {
      // The program's own framing threw.
      this.transport.destroy();
      this.lastError = framingFault(error);
      report({ type: 'socket.failed', epoch, code: this.lastError.code, message: this.lastError.message });
      return { discard() {}, destroy() {} };
    }
  }

  override openGate(): void {
    // The chart spawns the socket in the same step, a moment later.
    if (!this.replays) this.gate = 'open';
  }

  override armSilence(): void {
    if (!this.replays) super.armSilence();
  }

  override silenceDelay(): number {
    return this.replays ? Math.max(0, Math.ceil(this.watch.nextCheckIn())) : super.silenceDelay();
  }

  override entered(to: string, cause: string, standing: Standing): void {
    if (!this.replays) super.entered(to, cause, standing);
  }

  protected override endOfReading(_code: string, reason: Reason | undefined): NinjaTcpError | undefined {
    if (!reason || PEACEFUL.includes(reason.code)) return undefined;
    return this.errorBehind(reason) ?? new NinjaTcpError(reason.code, reason.message);
  }

  protected demandGate(): void {}

  override holds(bytes: number): void {
    this.budget.note(this, bytes);
  }

  drop(error: NinjaTcpError): void {
    this.socket?.fail(error);
  }

  /** A FIN ends what comes in. What goes out goes on until the handler is done. */
  ended(cutOff: NinjaTcpError | undefined): boolean {
    if (!cutOff) this.peerEvents.inputEnded();
    return false;
  }
}
