/** How a flight recorder is put on a line: nothing of this exists on a line that has none. */
import type { ConnectionPorts } from '../../machines/connection.setup.js';
import type { LinePorts, SocketFact, SocketHandle, Standing } from '../../machines/line.setup.js';
import type { Reason } from '../errors.js';
import type { FlightSession, Plain } from '../recorder/dump.js';
import { plain } from '../recorder/plain.js';
import { type Recorded, Recorder, type RecorderSettings } from '../recorder/recorder.js';
import type { LineSettings } from '../settings.js';
import { targetWords } from '../target.js';
import { version } from '../version.js';
import type { ConnectionLine } from './connection-line.js';
import type { Line } from './line.js';
import type { PeerLine } from './peer-line.js';
import type { SessionView } from './session-view.js';

type Hands = LinePorts & Partial<ConnectionPorts>;

/** The hands of a statechart, and beside them somebody who writes down what they answer. */
export class RecordedHands implements ConnectionPorts {
  constructor(
    private readonly hands: Hands,
    private readonly recorder: Recorder,
  ) {}

  now(): number {
    return this.recorder.answered('now', this.hands.now());
  }

  wallNow(): number {
    return this.recorder.answered('wallNow', this.hands.wallNow());
  }

  silenceDelay(): number {
    return this.recorder.answered('silenceDelay', this.hands.silenceDelay());
  }

  heardInTime(): boolean {
    return this.recorder.answered('heardInTime', this.hands.heardInTime());
  }

  silentForMs(): number {
    return this.recorder.answered('silentForMs', this.hands.silentForMs());
  }

  backoff(failures: number, reason: Reason): number | false {
    return this.recorder.answered('backoff', this.hands.backoff?.(failures, reason) ?? false);
  }

  owesSession(): boolean {
    return this.recorder.answered('owesSession', this.hands.owesSession?.() ?? false);
  }

  entered(to: string, cause: string, standing: Standing): void {
    this.recorder.enteredState({ to, cause, reason: standing.reason });
    this.hands.entered(to, cause, standing);
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    return this.hands.openSocket(epoch, report);
  }

  openGate(): void {
    this.hands.openGate();
  }

  shutGate(): void {
    this.hands.shutGate();
  }

  drain(): void {
    this.hands.drain();
  }

  settleHeld(code: 'NINJA_GAVE_UP' | 'NINJA_DISPOSED', reason: Reason | undefined): void {
    this.hands.settleHeld(code, reason);
  }

  armSilence(): void {
    this.hands.armSilence();
  }

  revive(): void {
    this.hands.revive?.();
  }

  greet(epoch: number): void {
    this.hands.greet?.(epoch);
  }

  toJSON(): undefined {
    return undefined;
  }
}

/** Numbers, words and flags; functions and objects have nothing to do in a dump. */
function plainSettings(settings: object): { [key: string]: Plain } {
  const entries = Object.entries(settings).filter(([, value]) =>
    ['number', 'string', 'boolean'].includes(typeof value),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
}

/** What a statechart works with: the line itself, or a recorder between the two. */
export function handsOn<L extends Line & Hands>(line: L) {
  const { recorder } = line;
  return recorder ? { ports: new RecordedHands(line, recorder), inspect: recorder.inspect } : { ports: line };
}

/** Puts a recorder on a connection's line that is being made, if its settings ask for one. */
export function recordConnection(line: ConnectionLine): Recorder | undefined {
  const { flightRecorder, name, endpoints, onConnect, session, backoff, tls, lookup } = line.settings;
  return (
    flightRecorder &&
    startRecorder(line, flightRecorder, {
      kind: 'connection',
      name,
      endpoints: endpoints.map(targetWords),
      // That there are such, not what they are.
      onConnect: onConnect !== undefined,
      session: session !== undefined,
      backoff: backoff !== undefined,
      tls: tls !== undefined,
      lookup: lookup !== undefined,
    })
  );
}

/** The same for a peer's. */
export function recordPeer(line: PeerLine, name: string, tls: boolean): Recorder | undefined {
  const { flightRecorder } = line.settings;
  // A server may take clients with a session, and others.
  const session = line.side !== undefined;
  return flightRecorder && startRecorder(line, flightRecorder, { kind: 'peer', name, tls, session });
}

function startRecorder(
  line: Line,
  options: RecorderSettings,
  { kind, name, ...more }: Pick<Recorded, 'kind' | 'name'> & { readonly [key: string]: Plain },
): Recorder {
  const { framing, environment, ...settings }: LineSettings = line.settings;
  const recorder = new Recorder(options, {
    kind,
    name,
    versions: { ninjaTcp: version, node: process.version },
    settings: { ...plainSettings(settings), framing: framing.name, ...more },
    clock: environment.clock,
    totals: line,
  });
  line.recorder = recorder;
  follow(line.received, (now) => recorder.traffic.heard(now));
  follow(line.sent, (now) => recorder.traffic.wrote(now));
  if (options.payloads > 0) keepPayloads(line, recorder);
  if (line.side) recorder.session = statesOf(line.side.view, environment.clock);
  return recorder;
}

/** The states of a session, from now on. */
function statesOf(view: SessionView, clock: { now(): number; wallNow(): number }): () => readonly FlightSession[] {
  void view.history;
  return () => {
    const wall = clock.wallNow() - clock.now();
    return view.history.map(({ at, epoch, to, cause, reason }) => {
      return { at: at - wall, epoch, to, cause, ...(reason && { reason }) };
    });
  };
}

/** Looks at the totals whenever a meter does: that is once a chunk and once a tick, not for each message. */
function follow(meter: Line['received'], look: (now: number) => void): void {
  const tick = meter.tick.bind(meter);
  meter.tick = (now) => {
    tick(now);
    look(now);
  };
}

/** What passes between the line and the program; what `onConnect` says and hears is not among it: it may be a login. */
function keepPayloads(line: Line, { payloads }: Recorder): void {
  const { inbox } = line;
  const deliver = inbox.deliver.bind(inbox);
  inbox.deliver = (message) => {
    payloads.note('received', message);
    deliver(message);
  };
  const deliverCounted = inbox.deliverCounted.bind(inbox);
  inbox.deliverCounted = (message) => {
    payloads.note('received', message);
    return deliverCounted(message);
  };
  const send = line.send.bind(line);
  line.send = (message, ttl) => {
    const goOn = send(message, ttl);
    payloads.note('sent', message);
    return goOn;
  };
}
