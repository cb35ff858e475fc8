import type { ConnectionEvent, ConnectionPorts } from '../../machines/connection.setup.js';
import type { SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import { exponentialBackoff } from '../backoff.js';
import { AttemptTrace, attemptsAreHeard } from '../diagnostics.js';
import type { Transport } from '../environment.js';
import { isFatal, messageOf, NinjaTcpError, type Reason } from '../errors.js';
import { MAX_DELAY } from '../options.js';
import { payloadOf } from '../protocol/plain.js';
import type { ConnectionSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import { Endpoints } from './endpoints.js';
import { GreetingLine } from './greeter.js';
import { Line, type LineEvents } from './line.js';

/** The client's data plane: dials, greets, and counts the time to the next attempt. */
export class ConnectionLine extends Line implements ConnectionPorts {
  /** Tells the statechart; set once the actor is there. */
  tell: (event: ConnectionEvent) => void = () => {};
  readonly endpoints: Endpoints;
  private greeter: GreetingLine | undefined;
  /** The attempt came so far that messages could pass. */
  private wasUp = false;
  /** The attempt that is under way, where somebody wants to hear of it. */
  private trace: AttemptTrace | undefined;

  constructor(
    override readonly settings: ConnectionSettings,
    private readonly connectionEvents: LineEvents,
    /** A function of the program threw. */
    private readonly fault: (cause: unknown, where: string) => void,
  ) {
    super(settings, connectionEvents);
    this.endpoints = new Endpoints(settings.endpoints, () => settings.environment.random());
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    const { environment } = this.settings;
    let transport: Transport | undefined;
    this.wasUp = false;
    try {
      const endpoint = this.endpoints.next();
      const dial = () => environment.dial({ ...this.settings, ...endpoint });
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
      this.fault(error, 'backoff');
      return false;
    }
    if (wait === false) return false;
    if (typeof wait === 'number' && wait >= 0) return Math.min(wait, MAX_DELAY);
    this.fault(
      new NinjaTcpError(
        'NINJA_INVALID_OPTION',
        `backoff must return milliseconds from 0, or false, got ${String(wait)}`,
      ),
      'backoff',
    );
    return false;
  }

  greet(epoch: number): void {
    const { onConnect } = this.settings;
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
        if (this.greeter === greeter) this.tell({ type: 'greeting.passed', epoch });
      },
      (error: unknown) => {
        if (this.greeter === greeter) this.greetingFailed(epoch, error);
      },
    );
  }

  private greetingFailed(epoch: number, error: unknown): void {
    const failure =
      error instanceof NinjaTcpError
        ? error
        : new NinjaTcpError('NINJA_CONNECT_FAILED', `onConnect threw: ${messageOf(error)}`, error);
    this.lastError = failure;
    const { code, message } = failure;
    this.tell({ type: 'greeting.failed', epoch, reason: { code, message }, fatal: isFatal(code) });
  }

  revive(): void {
    this.refusal = undefined;
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
