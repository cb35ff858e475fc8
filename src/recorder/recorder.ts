import type {
  AnswerName,
  FlightChart,
  FlightDump,
  FlightEntered,
  FlightRecorder,
  FlightSession,
  FlightStep,
  FlightTimer,
} from './dump.js';
import { Payloads, type Redact } from './payloads.js';
import { changes, discreet, plain, plainContext, plainEvent, stateWords } from './plain.js';
import { Ring } from './ring.js';
import { type Totals, Traffic } from './traffic.js';
import { type Action, wordsOf } from './words.js';

/** What the option comes to. */
export interface RecorderSettings {
  readonly entries: number;
  /** Bytes of each message that are kept; 0 keeps none. */
  readonly payloads: number;
  readonly redact: Redact | undefined;
  readonly dumpOnFailure: boolean | ((dump: FlightDump) => unknown);
}

/** What is recorded, and what it runs on. */
export interface Recorded {
  readonly kind: FlightDump['kind'];
  readonly name: string;
  readonly versions: FlightDump['versions'];
  readonly settings: FlightDump['settings'];
  readonly clock: { now(): number; wallNow(): number };
  readonly totals: Totals;
}

/** What XState tells of an actor, as far as it matters here. */
export interface Inspection {
  readonly type: string;
  readonly actorRef: unknown;
  readonly event?: { readonly type: string };
  readonly action?: Action;
  readonly snapshot?: object;
}

/** The state of a chart, by reference: each step makes new ones, and changes none. */
interface Stand {
  /** `connected.live` */
  readonly state: string;
  readonly context: object;
  readonly socket: string | undefined;
}

interface Snapshot extends Pick<Stand, 'context'> {
  readonly value: unknown;
  readonly children: object;
  readonly status: string;
}

/** A step while it is in the ring. What can be made from it later is made when a dump is asked for. */
interface Step extends Pick<FlightStep, 'at' | 'event' | 'answers' | 'entered' | 'did'> {
  /** Delayed transitions that were set, and, by their events, those that were cleared. */
  readonly timed: readonly (FlightTimer | string)[];
  readonly stand: Stand;
}

type Answers = { [Name in AnswerName]?: readonly (number | boolean)[] };

const NONE: readonly never[] = [];

/** A list that grows reserves seventeen places: what is kept just fits. */
function fitting<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NONE : list.slice();
}

/** The words that steps are told in, each once; so many at most, since some have a number in them. */
const vocabulary = new Map<string, string>();
const MOST_WORDS = 256;

function once(words: string): string {
  const known = vocabulary.get(words);
  if (known !== undefined) return known;
  if (vocabulary.size < MOST_WORDS) vocabulary.set(words, words);
  return words;
}

const UNBORN: Stand = { state: '', context: {}, socket: undefined };

/**
 * The last steps of one statechart. It hears of its events and actions from XState, and of the answers and states from
 * the hands that it is given (see `src/line/flight.ts`); it does nothing to either.
 */
export class Recorder implements FlightRecorder {
  readonly traffic: Traffic;
  readonly payloads: Payloads;
  /** The states of its session, where it has one. */
  session: (() => readonly FlightSession[]) | undefined;
  private readonly steps: Ring<Step>;
  private readonly born: { readonly at: number; readonly wallAt: number };
  /** In front of the oldest step: where the chart stood, and what was under way. */
  private base: Stand & { readonly at: number } = { ...UNBORN, at: 0 };
  private readonly timers = new Map<string, FlightTimer>();
  private root: unknown;
  private last: Stand = UNBORN;
  /** Events that wait for the chart, the one that it is busy with among them. */
  private waiting: object[] = [];
  private at = 0;
  private answers: Answers = {};
  private entered: FlightEntered[] = [];
  private did: string[] = [];
  private timed: (FlightTimer | string)[] = [];
  private over = false;
  private broke: string | undefined;

  constructor(
    readonly settings: RecorderSettings,
    private readonly recorded: Recorded,
  ) {
    const { clock, totals } = recorded;
    this.born = { at: clock.now(), wallAt: clock.wallNow() };
    this.steps = new Ring(settings.entries, (step) => this.fell(step));
    this.traffic = new Traffic(settings.entries, totals);
    this.payloads = new Payloads(settings, clock);
  }

  /** Hears what XState tells of the actors of one system, from its making on. */
  readonly inspect = (inspection: Inspection): void => {
    if (inspection.type === '@xstate.actor') this.root ??= inspection.actorRef;
    if (inspection.actorRef !== this.root) return;
    if (inspection.type === '@xstate.event') this.came(inspection.event as object);
    else if (inspection.type === '@xstate.action') this.acted(inspection.action as Action);
    else if (inspection.type === '@xstate.snapshot') {
      this.stepped(inspection.event as object, inspection.snapshot as Snapshot);
    }
  };

  /** The hands answered. Only what the chart itself asks counts. */
  answered<T extends number | boolean>(name: AnswerName, answer: T): T {
    // A chart that is being made asks before its first event.
    if (this.waiting.length > 0 || this.last === UNBORN) {
      // As above: nearly always it is asked once, or twice.
      this.answers[name] = [...(this.answers[name] ?? NONE), answer];
    }
    return answer;
  }

  /** A state was entered. */
  enteredState({
    to,
    cause,
    reason,
  }: {
    to: string;
    cause: string;
    reason: FlightEntered['reason'] | undefined;
  }): void {
    this.entered.push({ to, cause, ...(reason && { reason }) });
  }

  /** The chart broke in the step that it was busy with. */
  wrecked(message: string): void {
    this.broke = discreet(message);
  }

  dump(): FlightDump {
    const { kind, name, versions, settings, clock } = this.recorded;
    const steps = this.steps.list();
    const { base } = this;
    const wallNow = clock.wallNow();
    const start = this.steps.fallen === 0 ? this.born : this.startedAt(wallNow - (clock.now() - base.at));
    let before = base.context;
    const written = steps.map((step): FlightStep => {
      const changed = changes(before, step.stand.context);
      before = step.stand.context;
      return this.written(step, changed, step.stand.state);
    });
    return {
      format: 1,
      kind,
      name,
      versions,
      dumpedAt: wallNow,
      settings,
      fallen: {
        steps: this.steps.fallen,
        traffic: this.traffic.ring.fallen,
        messages: this.payloads.ring.fallen,
      },
      start,
      steps: [...written, ...this.unfinished()],
      traffic: this.traffic.list(),
      messages: this.payloads.ring.list(),
      ...(this.session && { session: this.session() }),
    };
  }

  private written(step: Omit<Step, 'timed' | 'stand'>, changed: FlightStep['changed'], state: string): FlightStep {
    const { at, event, answers, entered, did } = step;
    return {
      at,
      event: plainEvent(event),
      answers: Object.fromEntries(Object.entries(answers).map(([name, given]) => [name, [...given]])),
      entered: entered.map((one) => plain(one) as unknown as FlightEntered),
      did: [...did],
      changed,
      state,
    };
  }

  /** What broke in the middle. */
  private unfinished(): FlightStep[] {
    const [event] = this.waiting;
    if (this.broke === undefined || !event) return [];
    const { at, answers, entered, did, broke, last } = this;
    const step = { at, event: plainEvent(event), answers, entered, did };
    return [{ ...this.written(step, {}, last.state), broke }];
  }

  private startedAt(wallAt: number): FlightDump['start'] {
    const { at, state, context, socket } = this.base;
    const chart: FlightChart = {
      state,
      context: plainContext(context),
      timers: [...this.timers.values()],
      ...(socket !== undefined && { socket }),
    };
    return { at, wallAt, chart };
  }

  private came(event: object): void {
    // What is sent to a chart that has ended goes nowhere.
    if (this.over) return;
    if (this.waiting.length === 0) {
      // Whoever asked meanwhile, it was not the chart.
      if (this.last !== UNBORN) this.answers = {};
      this.at = this.recorded.clock.now();
    }
    this.waiting.push(event);
  }

  private acted(action: Action): void {
    const { words, sets, clears } = wordsOf(action);
    if (words !== undefined) this.did.push(once(words));
    if (sets) this.timed.push({ event: sets.event, at: this.recorded.clock.now(), ms: sets.ms });
    if (clears !== undefined) this.timed.push(clears);
  }

  private stepped(event: object, { value, context, children, status }: Snapshot): void {
    if (this.waiting.length === 0) this.at = this.recorded.clock.now();
    const { at, answers, entered, did, timed } = this;
    this.last = { state: once(stateWords(value)), context, socket: Object.keys(children)[0] };
    this.steps.push({
      at,
      event: plainEvent(event),
      answers,
      entered: fitting(entered),
      did: fitting(did),
      timed: fitting(timed),
      stand: this.last,
    });
    this.over = status !== 'active';
    this.waiting.shift();
    this.answers = {};
    this.entered = [];
    this.did = [];
    this.timed = [];
    this.at = this.recorded.clock.now();
  }

  /** The recording begins behind this step from now on. */
  private fell(step: Step): void {
    const { timers } = this;
    timers.delete(step.event.type);
    for (const moved of step.timed) {
      if (typeof moved === 'string') timers.delete(moved);
      else timers.set(moved.event, moved);
    }
    this.base = { ...step.stand, at: step.at };
  }
}
