import type { ConnectionEvent, ConnectionPorts } from '../../machines/connection.setup.js';
import type { SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import { exponentialBackoff } from '../backoff.js';
import { AttemptTrace, attemptsAreHeard } from '../diagnostics.js';
import type { Transport } from '../environment.js';
import { isFatal, messageOf, NinjaTcpError, type Reason } from '../errors.js';
import { MAX_DELAY } from '../options.js';
import { payloadOf } from '../protocol/plain.js';
import type { Attached, Refused } from '../protocol/session/index.js';
import type { ClientSessionSettings } from '../settings/session.js';
import type { ConnectionSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import { ClientSide } from './client-side.js';
import { Endpoints } from './endpoints.js';
import { GreetingLine } from './greeter.js';
import { Line, type LineEvents } from './line.js';
import type { SessionEvents, SessionLost } from './session-host.js';

export interface ConnectionLineEvents extends LineEvents, SessionEvents {
  /** For the statechart. */
  order(event: ConnectionEvent): void;
  /** A function of the program threw. */
  fault(cause: unknown, where: string): void;
}

/** The client's data plane: dials, greets, and counts the time to the next attempt. */
export class ConnectionLine extends Line implements ConnectionPorts {
  readonly endpoints: Endpoints;
  declare side: ClientSide | undefined;
  private settling = false;
  /** Of the present or last socket. */
  private epoch = 0;
  /** A refusal asked to wait so long, ms. */
  private retryAfterMs = 0;
  /** The other side was the first to end the session. */
  private leftByThem = false;
  private greeter: GreetingLine | undefined;
  /** The attempt came so far that messages could pass. */
  private wasUp = false;
  /** The attempt that is under way, where somebody wants to hear of it. */
  private trace: AttemptTrace | undefined;

  constructor(
    override readonly settings: ConnectionSettings,
    private readonly connectionEvents: ConnectionLineEvents,
  ) {
    super(settings, connectionEvents);
    if (settings.session) this.side = this.makeSide(settings.session);
    this.endpoints = new Endpoints(settings.endpoints, () => settings.environment.random());
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    const { environment } = this.settings;
    let transport: Transport | undefined;
    this.wasUp = false;
    this.epoch = epoch;
    try {
      const endpoint = this.endpoints.next();
      const { localAddress, localPort, lookup, tls, noDelay } = this.settings;
      const dial = () => environment.dial({ ...endpoint, localAddress, localPort, lookup, tls, noDelay });
      transport = this.trace ? this.trace.dial(endpoint, dial) : dial();
      return this.adopt(transport, epoch, report);
    } catch (error) {
      // Node refuses some targets at once; or the program's own framing threw.
      transport?.destroy();
      this.lastError = new NinjaTcpError('NINJA_CONNECT_FAILED', messageOf(error), error);
      report({ type: 'socket.failed', epoch, code: this.lastError.code, message: this.lastError.message });
      return { discard() {}, destroy() {} };
    }
  }

  protected demandGate(): void {
    if (this.gate !== 'shut' || this.settings.whenDisconnected === 'queue') return;
    throw new NinjaTcpError('NINJA_NOT_CONNECTED', "the line is down, and whenDisconnected is 'fail'");
  }

  /** A client has nothing to say to a server that will not answer: its FIN ends the line. */
  ended(): boolean {
    return true;
  }

  protected override get greeting(): boolean {
    return this.greeter !== undefined;
  }

  override deliver(message: Buffer): void {
    if (this.greeter) this.greeter.deliver(message);
    else super.deliver(message);
  }

  override entered(to: string, cause: string, standing: Standing): void {
    if (to === 'connected.live') this.endpoints.proved();
    super.entered(to, cause, standing);
    this.follow(to, standing);
  }

  /** An attempt begins with the first state of `connecting`, and is over with the first one behind. */
  private follow(to: string, { epoch, failures = 0, reason }: Standing): void {
    const begins = to === 'connecting.dialing';
    if (begins && attemptsAreHeard()) {
      const when = { epoch, at: this.wallNow(), now: this.now() };
      this.trace = new AttemptTrace(this.connectionEvents.source, when, failures + 1);
      return;
    }
    const { trace } = this;
    if (!trace || to.startsWith('connecting.')) return;
    this.trace = undefined;
    if (to.startsWith('connected.')) {
      const { remoteAddress, remotePort } = this.transport ?? {};
      trace.over(this.now(), { remoteAddress, remotePort });
    } else {
      const error = reason && (this.errorBehind(reason) ?? new NinjaTcpError(reason.code, reason.message));
      trace.over(this.now(), { error });
    }
  }

  backoff(failures: number, reason: Reason): number | false {
    const least = this.retryAfterMs;
    this.retryAfterMs = 0;
    const wait = this.nextWait(failures, reason);
    return wait === false ? false : Math.max(wait, least);
  }

  private nextWait(failures: number, reason: Reason): number | false {
    const { endpoints } = this;
    endpoints.failed();
    // Who failed must not delay the next. But when a line is lost, all of its server's clients move at the same time.
    if (endpoints.untried && !this.wasUp) return 0;
    endpoints.begin();
    return this.askBackoff(Math.ceil(failures / endpoints.size), reason);
  }

  private askBackoff(failures: number, reason: Reason): number | false {
    const { backoff = exponentialBackoff(() => this.settings.environment.random()) } = this.settings;
    let wait: number | false;
    try {
      wait = backoff(failures, reason);
    } catch (error) {
      this.connectionEvents.fault(error, 'backoff');
      return false;
    }
    if (wait === false) return false;
    if (typeof wait === 'number' && wait >= 0) return Math.min(wait, MAX_DELAY);
    const rule = `backoff must return milliseconds from 0, or false, got ${String(wait)}`;
    this.connectionEvents.fault(new NinjaTcpError('NINJA_INVALID_OPTION', rule), 'backoff');
    return false;
  }

  greet(epoch: number): void {
    const { onConnect } = this.settings;
    if (this.side) {
      this.side.greet(this.socket as Socket, (cause) => this.greetingFailed(epoch, cause, 'session.credentials'));
      return;
    }
    if (!onConnect) return;
    const socket = this.socket as Socket;
    const write = (message: Uint8Array | string) => {
      const payload = payloadOf(message, this.settings);
      // What is held for later does not count here: it cannot go before the greeting has passed.
      const { outboxBytes } = this.settings;
      const pending = socket.writer.pendingBytes;
      if (pending + payload.length > outboxBytes) {
        const rule = `a socket must hold at most outboxBytes, ${outboxBytes} bytes`;
        throw new NinjaTcpError(
          'NINJA_OUTBOX_FULL',
          `${rule}; ${pending} are pending, ${payload.length} more were given`,
        );
      }
      socket.send(payload, 0);
    };
    const gate = { pauseReading: () => socket.pause(), resumeReading: () => socket.resume() };
    const greeter = new GreetingLine(epoch, this.settings, gate, write);
    this.greeter = greeter;
    const run = async () => onConnect(greeter, { signal: greeter.controller.signal });
    run().then(
      () => {
        if (this.greeter === greeter) this.connectionEvents.order({ type: 'greeting.passed', epoch });
      },
      (error: unknown) => {
        if (this.greeter === greeter) this.greetingFailed(epoch, error, 'onConnect');
      },
    );
  }

  private greetingFailed(epoch: number, error: unknown, what: string): void {
    const failure =
      error instanceof NinjaTcpError
        ? error
        : new NinjaTcpError('NINJA_CONNECT_FAILED', `${what} threw: ${messageOf(error)}`, error);
    this.tellFailed(epoch, failure, isFatal(failure.code));
  }

  private tellFailed(epoch: number, failure: NinjaTcpError, fatal: boolean): void {
    this.lastError = failure;
    const { code, message } = failure;
    this.connectionEvents.order({ type: 'greeting.failed', epoch, reason: { code, message }, fatal });
  }

  // --- the session

  private makeSide(session: ClientSessionSettings): ClientSide {
    const side = new ClientSide(this, this.settings, session);
    if (session.acknowledge === 'handled') this.inbox.settler = side;
    return side;
  }

  owesSession(): boolean {
    return this.side?.owes === true;
  }

  sessionAttached(how: Attached): void {
    this.connectionEvents.order({ type: 'greeting.passed', epoch: this.epoch });
    const since = this.side?.detachedAt;
    if (how.resumed) this.connectionEvents.resumed(how, since === undefined ? 0 : this.now() - since);
  }

  sessionDetached(): void {}

  /** The server's program is done with this session: so are we, and what is still held goes into the next one. */
  sessionLeaving(): void {
    this.recall();
    this.leftByThem = this.gate === 'open';
    this.side?.finish();
  }

  sessionRefused({ code, retryAfterMs }: Refused): void {
    this.retryAfterMs = retryAfterMs;
    const why = new NinjaTcpError('NINJA_SESSION_REFUSED', `the server refused the session: ${code}`);
    this.tellFailed(this.epoch, why, false);
  }

  sessionEnded(lost: SessionLost | undefined): void {
    if (!lost) {
      this.progressed();
      this.sessionClosed();
      return;
    }
    const { code, unknown } = lost;
    const taken = code === 'TAKEN_OVER';
    const error = taken
      ? new NinjaTcpError('NINJA_SESSION_TAKEN_OVER', 'another process has taken the session over')
      : new NinjaTcpError('NINJA_SESSION_LOST', `the session was lost: ${code}`);
    this.failFlushes(error);
    if (this.settling) {
      this.loseWritten(unknown);
      return;
    }
    this.connectionEvents.lost(lost);
    // Given up by the program: its socket tells the chart.
    const fatal = taken || this.settings.session?.onSessionLost === 'fail';
    if (code !== 'ABANDONED') this.tellFailed(this.epoch, error, fatal);
  }

  /** In peace; told on a socket, which closes by itself, or as a refusal, where the last word of that was lost. */
  private sessionClosed(): void {
    const { leftByThem } = this;
    const code = leftByThem ? 'NINJA_CLOSED_BY_PEER' : 'NINJA_DISPOSED';
    const words = leftByThem ? 'the other side ended the session' : 'closed; both sides said goodbye';
    this.leftByThem = false;
    if (this.gate === 'shut') this.tellFailed(this.epoch, new NinjaTcpError(code, words), false);
    else this.socket?.parting.settle(code, words);
  }

  override settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void {
    // What is given up is told with the end.
    this.settling = true;
    this.side?.giveUp();
    this.settling = false;
    super.settleHeld(code, reason);
  }

  revive(): void {
    this.refusal = undefined;
    if (this.side) this.side.usurped = false;
    this.inbox.reopen();
  }

  private endGreeting(message: string): Buffer[] {
    const { greeter } = this;
    this.greeter = undefined;
    return greeter?.end(new NinjaTcpError('NINJA_ABORTED', message)) ?? [];
  }

  override openGate(): void {
    const unread = this.endGreeting('onConnect is over: the line is now the connection’s own');
    // However long the greeting took, the silence of the line itself begins now.
    this.pulse.restart(this.now());
    this.wasUp = true;
    super.openGate();
    // Now that their listeners may send.
    for (const message of unread) super.deliver(message);
  }

  override shutGate(): void {
    this.endGreeting('the line was lost while onConnect ran');
    super.shutGate();
  }
}
