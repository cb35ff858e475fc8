import { type AnyActor, type AnyActorLogic, createActor } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import { peerMachine } from '../../machines/peer.machine.js';
import { messageOf } from '../errors.js';
import { RecordedHands } from '../line/flight.js';
import type { FlightDump, FlightStep } from '../recorder/dump.js';
import { type Inspection, Recorder } from '../recorder/recorder.js';
import { delayName } from '../recorder/words.js';
import { checkedDump } from './dump-rules.js';
import { ReplayClock } from './replay-clock.js';
import { differenceOf, type ReplayDifference } from './replay-compare.js';
import { ReplayHands } from './replay-hands.js';

export interface ReplayOptions {
  /** The statechart that is to do it again. Default: that of this version, `connectionMachine` or `peerMachine`. */
  readonly machine?: AnyActorLogic;
}

/** One step, as the statechart takes it now. */
export interface ReplayStep extends FlightStep {
  /** Milliseconds since the recording began. */
  readonly afterMs: number;
  /** The event in words: `connect`, `after silence`. */
  readonly words: string;
  /** By so many milliseconds its timer was late, in a step that a timer brought. */
  readonly lateMs?: number;
}

export interface Replay {
  readonly dump: FlightDump;
  /** What was done again, up to the first difference. */
  readonly steps: readonly ReplayStep[];
  /** The first difference; undefined where all went as recorded. */
  readonly difference: ReplayDifference | undefined;
  /** Delays that ran at the end of the recording. */
  readonly left: readonly { readonly name: string; readonly inMs: number }[];
}

/**
 * Does once more what a flight recorder has written down: the real statechart is given the same events at the same
 * times, and its hands answer as they did then. Nothing is dialled, and no real time passes.
 *
 * ```ts
 * const { steps, difference } = replay(JSON.parse(readFileSync('dump.json', 'utf8')));
 * for (const { afterMs, words, state } of steps) console.log(`${afterMs} ms: ${words}, ${state}`);
 * equal(difference, undefined);
 * ```
 *
 * @throws DumpError for what is no dump: the message names the field, the rule and the value
 */
export function replay(dump: unknown, options: ReplayOptions = {}): Replay {
  return new Run(checkedDump(dump), options).go();
}

/** As the type of an event in a dump. */
const INIT = 'xstate.init';
const STOP = 'xstate.stop';
const AFTER = 'xstate.after.';

class Run {
  private readonly clock: ReplayClock;
  private readonly hands: ReplayHands;
  private readonly recorder: Recorder;
  private actor: AnyActor | undefined;
  private readonly done: ReplayStep[] = [];
  private taken: FlightStep | undefined;
  private broken: string | undefined;

  constructor(
    private readonly dump: FlightDump,
    private readonly options: ReplayOptions,
  ) {
    const { at, wallAt } = dump.start;
    this.clock = new ReplayClock(at);
    const time = { now: () => this.clock.at, wallNow: () => Math.floor(wallAt + this.clock.at - at) };
    this.hands = new ReplayHands(time);
    const nothing = { messages: 0, bytes: 0 };
    this.recorder = new Recorder(
      // Of the step just taken nothing but itself is asked.
      { entries: 1, payloads: 0, redact: undefined, dumpOnFailure: false },
      { ...dump, clock: time, totals: { received: nothing, sent: nothing, heardBytes: 0 } },
    );
  }

  go(): Replay {
    const { dump, clock, done } = this;
    let difference: ReplayDifference | undefined;
    if (dump.start.chart) this.resume();
    for (const [place, recorded] of dump.steps.entries()) {
      difference = this.step(place, recorded);
      if (difference) break;
    }
    const left = clock.left().map(({ name, due }) => ({ name, inMs: Math.max(0, due - clock.at) }));
    this.actor?.stop();
    return { dump, steps: done, difference, left };
  }

  private step(place: number, recorded: FlightStep): ReplayDifference | undefined {
    const { clock, hands } = this;
    const { type } = recorded.event;
    const words = wordsOf(type);
    const afterMs = recorded.at - this.dump.start.at;
    clock.at = recorded.at;
    // What an action threw then, hands that do nothing cannot throw again. It is the last step of its recording.
    if (recorded.broke !== undefined) {
      this.done.push({ ...recorded, afterMs, words });
      return undefined;
    }
    hands.prepare(recorded.answers);
    this.taken = undefined;
    const lateMs = clock.lateness(type);
    const refusal = this.give(recorded);
    const answers = hands.unanswered && { recorded: 'no answer', replayed: `asks for ${hands.unanswered}` };
    const taken = this.taken as FlightStep | undefined;
    if (refusal || !taken) {
      const ended = this.broken === undefined ? 'has ended' : `broke: ${this.broken}`;
      const message = refusal ?? `${type} was taken, and now the statechart ${ended}`;
      return { step: place, field: 'event', recorded: type, replayed: undefined, message };
    }
    const late = lateMs === undefined ? {} : { lateMs };
    this.done.push({ ...taken, ...late, afterMs, words });
    return differenceOf(place, recorded, taken, answers);
  }

  /** @returns what speaks against it */
  private give({ event }: FlightStep): string | undefined {
    const { actor } = this;
    if (!actor) {
      if (event.type !== INIT) return `the recording begins with ${event.type}, not with ${INIT}`;
      this.begin({ input: this.input() });
    } else if (actor.getSnapshot().status !== 'active') return undefined;
    else if (event.type.startsWith(AFTER)) return this.clock.fire(event.type);
    else if (event.type === STOP) actor.stop();
    else actor.send(event);
    return undefined;
  }

  private input() {
    const { settings } = this.dump;
    const maxAttempts = settings.maxAttempts === 'Infinity' ? Number.POSITIVE_INFINITY : settings.maxAttempts;
    const ports = new RecordedHands(this.hands, this.recorder);
    const { onConnect, session } = settings;
    return { ports, times: { ...settings, maxAttempts }, greets: onConnect || session, resumable: session };
  }

  /** Begins where the oldest step that is left begins. */
  private resume(): void {
    const { clock, dump } = this;
    const { state, context, timers, socket } = dump.start.chart as NonNullable<FlightDump['start']['chart']>;
    const { ports, times } = this.input();
    const known = Object.entries(context).map(([key, value]) => [key, value === null ? undefined : value] as const);
    const child = { src: 'socket', snapshot: { status: 'active', output: undefined, error: undefined, input: {} } };
    for (const { event, at, ms } of timers) clock.set(event, at + ms, () => this.actor?.send({ type: event }));
    this.begin({
      snapshot: {
        status: state === 'disposed' ? 'done' : 'active',
        value: chartValue(state),
        context: { ...Object.fromEntries(known), ports, times },
        children: socket === undefined ? {} : { [socket]: child },
        historyValue: {},
        output: undefined,
        error: undefined,
      },
    });
  }

  private begin(how: object): void {
    const { clock, dump } = this;
    const machine = this.options.machine ?? (dump.kind === 'peer' ? peerMachine : connectionMachine);
    const actor: AnyActor = createActor(machine as AnyActorLogic, {
      ...(how as { input: unknown }),
      clock: {
        setTimeout: (fire, ms) => clock.setTimeout(fire, ms),
        clearTimeout: (timer) => clock.clearTimeout(timer),
      },
      inspect: (inspection) => this.inspected(inspection as unknown as Inspection),
    });
    this.actor = actor;
    // Broken by an event that the recording had got over.
    actor.subscribe({
      error: (error) => {
        this.broken = messageOf(error);
      },
    });
    actor.start();
  }

  private inspected(inspection: Inspection): void {
    const { action } = inspection;
    const params = (action?.params ?? {}) as { event?: { type: string }; delay?: number; sendId?: string };
    if (action?.type === 'xstate.raise' && params.delay !== undefined) this.clock.announce(params.event?.type ?? '');
    if (action?.type === 'xstate.cancel') this.clock.clear(params.sendId ?? '');
    this.recorder.inspect(inspection);
    if (inspection.type === '@xstate.snapshot' && inspection.actorRef === this.actor)
      this.taken = this.recorder.dump().steps[0];
  }
}

function wordsOf(type: string): string {
  if (type === INIT) return 'start';
  return type.startsWith(AFTER) ? `after ${delayName(type)}` : type.replace(STOP, 'stop');
}

/** The value of a statechart that stands there. */
function chartValue(state: string): unknown {
  const [outer, inner] = state.split('.') as [string, string?];
  if (inner === undefined) return outer;
  return { [outer]: outer === 'connected' ? { line: inner, watch: 'listening' } : inner };
}
