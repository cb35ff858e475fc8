import type { SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import type { Transport } from '../environment.js';
import { type ErrorCode, NinjaTcpError, type Reason } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import type { Attached, ServerSession } from '../protocol/session/index.js';
import type { ServerSessionSettings } from '../settings/session.js';
import type { ServerSettings } from '../settings.js';
import type { LineTimers } from '../socket/timers.js';
import type { BudgetHolder, FrameBudget } from './frame-budget.js';
import { Line, type LineEvents } from './line.js';
import { type Arrival, PeerSide } from './peer-side.js';
import type { SessionLost } from './session-host.js';

export interface PeerLineEvents extends LineEvents {
  /** The client sent its FIN, or said goodbye: nothing more comes, writing is still possible. */
  inputEnded(): void;
  /** Its session has a socket, the first or another. */
  sessionAttached(): void;
  /** @param afterMs since the loss of the old socket */
  sessionResumed(how: Attached, afterMs: number): void;
  /** Its session is over: lost, for this reason; or closed. */
  sessionEnded(reason: Pick<Reason, 'code' | 'message'> | undefined): void;
}

/** Ends of a line that are nobody's fault: iterators just end. */
const PEACEFUL: readonly ErrorCode[] = ['NINJA_DISPOSED', 'NINJA_CLOSED_BY_PEER', 'NINJA_DRAIN_TIMEOUT'];

/** Why a session ended, for who reads about its peer. */
function reasonOf(code: string): Pick<Reason, 'code' | 'message'> {
  switch (code) {
    case 'TAKEN_OVER':
      return { code: 'NINJA_SESSION_TAKEN_OVER', message: 'another server has taken the session over' };
    case 'FORGOTTEN':
      return { code: 'NINJA_SESSION_LOST', message: 'the session was lost: its store does not have it any more' };
    case 'EXPIRED':
      return { code: 'NINJA_SESSION_LOST', message: 'nobody came back for the session within its resume window' };
    default:
      return { code: 'NINJA_SESSION_LOST', message: `the session was lost: ${code}` };
  }
}

/** The server's data plane for one accepted transport. */
export class PeerLine extends Line implements BudgetHolder {
  /** The chart is led through what was done already. */
  private replays = false;
  private handle: (SocketHandle & { report?: (fact: SocketFact) => void }) | undefined;
  /** Of the socket that the handle is for. */
  private epoch = 0;
  declare side: PeerSide | undefined;
  /** The client was the first to end the session. */
  private leftByThem = false;
  /** The end has come. */
  private settling = false;

  constructor(
    override readonly settings: ServerSettings,
    override transport: Transport,
    private readonly peerEvents: PeerLineEvents,
    private readonly budget: FrameBudget,
    timers: LineTimers,
    core?: ServerSession,
  ) {
    super(settings, peerEvents, timers);
    this.pulse.open(this.now());
    if (core) this.side = this.makeSide(core);
  }

  private makeSide(core: ServerSession): PeerSide {
    const { session, environment } = this.settings;
    const { acknowledge } = session as ServerSessionSettings;
    const side = new PeerSide(this, environment.clock, acknowledge, environment.warn, core);
    if (acknowledge === 'handled') this.inbox.settler = side;
    return side;
  }

  // --- the session

  sessionAttached(how: Attached): void {
    const side = this.side as PeerSide;
    this.transport = (side.arriving as Arrival).transport;
    const { detachedAt } = side;
    this.peerEvents.sessionAttached();
    if (how.resumed) this.peerEvents.sessionResumed(how, detachedAt === undefined ? 0 : this.now() - detachedAt);
  }

  sessionDetached(): void {}

  sessionLeaving(): void {
    this.leftByThem = this.gate === 'open';
    this.peerEvents.inputEnded();
  }

  sessionRefused(): void {}

  sessionEnded(lost: SessionLost | undefined): void {
    if (!lost) {
      const { parting } = this.socket ?? {};
      if (this.leftByThem) parting?.settle('NINJA_CLOSED_BY_PEER', 'the other side ended the session');
      else parting?.settle('NINJA_DISPOSED', 'closed; both sides said goodbye');
      this.progressed();
      this.peerEvents.sessionEnded(undefined);
      return;
    }
    this.failFlushes(new NinjaTcpError('NINJA_SESSION_LOST', `the session was lost: ${lost.code}`));
    this.loseWritten(lost.unknown);
    // Given up by this side, which is on its way to the end.
    if (this.settling) return;
    this.peerEvents.sessionEnded(reasonOf(lost.code));
  }

  override settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void {
    this.settling = true;
    this.side?.giveUp();
    super.settleHeld(code, reason);
  }

  /** Leads a chart that is made late to where its line is: meanwhile its hands do nothing. */
  replaying(lead: () => void): void {
    this.replays = true;
    lead();
    this.replays = false;
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    if (this.handle && epoch === this.epoch) {
      this.handle.report = report;
    } else {
      this.epoch = epoch;
      this.handle = this.beginSocket(epoch, report);
    }
    return this.handle;
  }

  private beginSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    try {
      if (epoch > 1) this.pulse.open(this.now());
      const { side } = this;
      const socket = this.adopt(side?.arriving?.handOn() ?? this.transport, epoch, report);
      side?.arrived(socket);
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

  /** Attached again while it is being closed: the socket comes a moment later, and is written to then. */
  override drain(): void {
    if (this.socket) super.drain();
    else this.gate = 'draining';
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
    // A session has words of its own for a goodbye: this is a lost line.
    if (this.side) return true;
    if (!cutOff) this.peerEvents.inputEnded();
    return false;
  }
}
