/** Checks one connection's life as it goes: legal steps, events in order, reasons, and the books. */
import { connectionMachine } from '../../machines/connection.machine.js';
import type { Connection, Dropped, Loss, Transition } from '../../src/index.js';
import type { Fail } from './account.js';
import { legalSteps } from './chart.js';

const legal = legalSteps(connectionMachine);

/** What the reason has to be where the cause says it all. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  'after silence': ['NINJA_STALE'],
  'after connectTimeout': ['NINJA_CONNECT_TIMEOUT'],
  'after discardTimeout': ['NINJA_STALE'],
  'after drainTimeout': ['NINJA_DRAIN_TIMEOUT'],
  disconnect: ['NINJA_DISCONNECTED'],
  dispose: ['NINJA_DISPOSED'],
};

export function checkStep(
  step: Transition,
  before: Transition | undefined,
  allowed: ReadonlySet<string>,
  fail: Fail,
): void {
  const words = `${step.from} > ${step.to} by ${step.cause}`;
  if (!allowed.has(words)) fail(`an illegal step: ${words}`);
  if (before && before.to !== step.from) fail(`the history has a gap: ${before.to} before ${words}`);
  if (before && before.epoch > step.epoch) fail(`the epoch fell from ${before.epoch} to ${step.epoch}`);
  const lost = step.to.startsWith('disconnected') ? step.from !== undefined : ['stale', 'disposed'].includes(step.to);
  if (!lost) return;
  const code = step.reason?.code;
  const wanted = CODES[step.cause];
  if (!code || (wanted && !wanted.includes(code))) fail(`${words} gives ${code} as its reason`);
  if (step.reason && step.reason.epoch !== step.epoch)
    fail(`${words} of epoch ${step.epoch} blames ${step.reason.epoch}`);
}

/** The new steps of a history since the last look. */
function newSteps(history: readonly Transition[], last: Transition | undefined): readonly Transition[] {
  return history.slice(last === undefined ? 0 : history.indexOf(last) + 1);
}

type Counted = 'connected' | 'live' | 'stale' | 'disconnected' | 'disposed' | 'connecting' | 'failed';

/** Who is told of what was lost. */
export interface Books {
  lose(epoch: number, loss: Loss): void;
  drop(dropped: Dropped): void;
}

export class Observer {
  readonly events: Record<Counted, number> = {
    connecting: 0,
    connected: 0,
    live: 0,
    stale: 0,
    disconnected: 0,
    failed: 0,
    disposed: 0,
  };
  /** Messages that were told of. */
  unknown = 0;
  dropped = 0;
  private readonly steps: Record<Counted, number> = { ...this.events };
  private last: Transition | undefined;
  private epoch = 0;
  private stage: Counted = 'disconnected';
  private closing = false;
  private readonly fail: Fail;

  constructor(
    name: string,
    private readonly connection: Connection,
    account: Books,
    fail: Fail,
    note: (what: string) => void,
    /** It has a session, which says goodbye over another line where one breaks. */
    private readonly dialsToClose = false,
  ) {
    this.fail = (what) => fail(`${name}: ${what}`);
    connection
      .on('connecting', ({ epoch, attempt }) => {
        note(`${name} connecting ${epoch} attempt ${attempt}`);
        if (epoch !== this.epoch + 1) this.fail(`epoch ${epoch} after ${this.epoch}`);
        this.come('connecting', epoch, ['disconnected', 'failed']);
      })
      .on('connected', ({ epoch }) => {
        note(`${name} connected ${epoch}`);
        this.come('connected', epoch, ['connecting']);
      })
      .on('live', ({ epoch, afterMs }) => {
        note(`${name} live ${epoch} after ${afterMs}`);
        if (afterMs < 0) this.fail(`live after ${afterMs} ms`);
        this.come('live', epoch, ['connected']);
      })
      .on('stale', ({ epoch, silentForMs }) => {
        note(`${name} stale ${epoch} silent for ${silentForMs}`);
        this.come('stale', epoch, ['connected', 'live']);
      })
      .on('disconnected', (event) => {
        const { epoch, reason, failures, retryInMs } = event;
        note(
          `${name} disconnected ${epoch} ${reason.code} failures ${failures} retry in ${retryInMs} ${lossWords(event)}`,
        );
        if (event.error.code !== reason.code) this.fail(`the error is ${event.error.code}, the reason ${reason.code}`);
        this.unknown += event.unknown?.messages ?? 0;
        account.lose(epoch, event);
        this.come('disconnected', epoch, ['connecting', 'connected', 'live', 'stale']);
      })
      .on('failed', ({ reason }) => {
        note(`${name} failed ${reason.code}`);
        this.come('failed', this.epoch, ['disconnected']);
      })
      .on('dropped', (event) => {
        note(`${name} dropped ${event.code} ${event.from}-${event.to} ${event.messages}`);
        this.dropped += event.messages;
        account.drop(event);
      })
      .on('warning', ({ message }) => note(`${name} warning ${message}`))
      .on('error', (error) => this.fail(`the event error: ${error.message}`))
      .on('disposed', (event) => {
        note(`${name} disposed ${event.reason.code} ${lossWords(event)}`);
        if (event.held) this.fail(`disposed, and ${event.held.messages} messages are held`);
        account.lose(this.epoch, event);
        this.come('disposed', this.epoch, ['connecting', 'connected', 'live', 'stale', 'disconnected', 'failed']);
      });
  }

  /** Looks at the history; called often enough for none of its fifty steps to be missed. */
  look(): void {
    for (const step of newSteps(this.connection.history, this.last)) {
      checkStep(step, this.last, legal, this.fail);
      if (this.closing && !this.dialsToClose && /^(disconnected|connecting.dialing)/.test(step.to))
        this.fail(`${step.to} after close()`);
      this.count(step);
      this.last = step;
    }
  }

  /** The program calls close() or dispose(). */
  close(): void {
    this.look();
    this.closing = true;
  }

  /** Events and history have to agree; called when nothing is in between. */
  compare(): void {
    this.look();
    for (const name of Object.keys(this.events) as Counted[]) {
      if (this.events[name] !== this.steps[name]) {
        this.fail(`${this.events[name]} events '${name}', the history has ${this.steps[name]}`);
      }
    }
    if (this.connection.epoch !== this.epoch)
      this.fail(`epoch ${this.connection.epoch}, the events said ${this.epoch}`);
  }

  private come(event: Counted, epoch: number, after: readonly Counted[]): void {
    this.events[event] += 1;
    if (!after.includes(this.stage)) this.fail(`'${event}' after '${this.stage}'`);
    if (event !== 'connecting' && epoch !== this.epoch) this.fail(`'${event}' of ${epoch} in epoch ${this.epoch}`);
    this.epoch = epoch;
    this.stage = event;
    this.look();
  }

  private count({ from, to, cause }: Transition): void {
    const up = from?.startsWith('connect') || from === 'stale';
    if (to === 'connecting.dialing') this.steps.connecting += 1;
    if (to === 'connected.unproven') this.steps.connected += 1;
    if (to === 'connected.live') this.steps.live += 1;
    if (to === 'stale') this.steps.stale += 1;
    if (to === 'disposed') this.steps.disposed += 1;
    if (to === 'disconnected.failed') this.steps.failed += 1;
    // reconnectNow throws a line away without ever being disconnected.
    const thrownAway = to === 'connecting.dialing' && cause === 'reconnectNow' && up;
    if (/^disconnected\.(waiting|failed)$/.test(to) || (to === 'disconnected.idle' && up) || thrownAway) {
      this.steps.disconnected += 1;
    }
  }
}

export function lossWords({
  unknown,
  unflushed,
  held,
}: {
  unknown?: object | undefined;
  unflushed: number;
  held?: object | undefined;
}): string {
  return `unknown ${JSON.stringify(unknown)} unflushed ${unflushed} held ${JSON.stringify(held)}`;
}
