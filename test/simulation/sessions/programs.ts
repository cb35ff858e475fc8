/** The programs on both sides: they send numbered messages by `send` and `deliver`, and take messages in several manners. */
import type { Clock, Connection, NinjaTcpError, Peer } from '../../../src/index.js';
import type { ManualMessage } from '../../../src/line/session-host.js';
import type { AcknowledgeMode } from '../../../src/options.js';
import type { Dice } from '../dice.js';
import type { Phase, Promised } from '../program.js';
import type { Book, Outcome } from './book.js';
import { HEAD } from './payload.js';
import type { ReaderKind, TrafficPlan } from './plan.js';

type Line = Connection | Peer;

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

const codeOf = (error: unknown): string => (error as NinjaTcpError).code ?? String(error);

const LONGEST_NAP = 4000;
/** An error of its own for each signal would cost more than the rest. */
const ENOUGH = new Error('enough waited');

/** Errors of `send` that mean: not now. */
const LATER = new Set(['NINJA_GAVE_UP', 'NINJA_NOT_CONNECTED', 'NINJA_OUTBOX_FULL']);

/** What a line keeps of what it has accepted: in its outbox, and unacknowledged in its session. */
export function keptOf(line: Line): number {
  return line.stats().outbox.messages + (line.session?.retained.messages ?? 0);
}

/** Holds what a line keeps against the books, whenever. */
export function compareKept(line: Line, book: Book): void {
  if (line.state === 'disposed') return;
  book.compare(keptOf(line));
  if (!line.session) return;
  const { deduplicated, retained } = line.session.snapshot;
  if (deduplicated > 0) book.fail(`of the other way ${deduplicated} came twice`);
  if (retained.messages === 0 && retained.bytes !== 0)
    book.fail(`nothing is kept, and it counts ${retained.bytes} bytes`);
}

/** Sends bursts until it is told to be quiet, or the line is disposed. */
export class Sending {
  constructor(
    private readonly line: Line,
    private readonly book: Book,
    private readonly plan: TrafficPlan,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly phase: Phase,
    private readonly promised: Promised,
  ) {}

  async run(): Promise<void> {
    const { plan, dice, phase, book, clock } = this;
    while (!phase.quiet) {
      // Behind its budget it only shows that the line still lives.
      const most = book.accepted < plan.budget ? plan.burst : 1;
      for (let left = dice.int(1, most); left > 0 && !phase.quiet; left -= 1) {
        const answer = dice.chance(plan.delivers) ? this.deliver() : this.send();
        if (answer === 'over') return;
        if (answer === 'pause') break;
        if (answer === 'wait' && plan.obeys && !(await this.drained())) break;
      }
      if (dice.chance(plan.flushes)) this.flush();
      await sleep(
        clock,
        most > 1 || plan.burst === 1 ? Math.min(LONGEST_NAP, dice.int(1, 2 * Math.ceil(plan.every))) : 400,
      );
    }
  }

  private size(): number {
    const { plan, dice } = this;
    return dice.chance(plan.huge) ? plan.hugeSize : dice.int(HEAD, plan.largest);
  }

  private send(): 'go on' | 'wait' | 'pause' | 'over' {
    const { book, line } = this;
    const size = this.size();
    const payload = book.next(size);
    // The books come first: what is dropped at once is told of inside of `send`.
    book.accept(size);
    try {
      const goOn = line.send(payload);
      this.compare();
      return goOn ? 'go on' : 'wait';
    } catch (error) {
      book.refuse();
      return this.refused(codeOf(error));
    }
  }

  private deliver(): 'go on' | 'pause' | 'over' {
    const { book, line, plan, dice, clock } = this;
    const size = this.size();
    const payload = book.next(size);
    const number = book.accept(size);
    const ttl = dice.chance(plan.mortal) ? dice.scale(1, 3000) : undefined;
    const controller = dice.chance(plan.aborted) ? new AbortController() : undefined;
    const delivered = line.deliver(payload, { ttl, signal: controller?.signal });
    if (line.accepted < number) {
      book.refuse();
      delivered.catch((error: NinjaTcpError) => {
        if (!['refused', 'notSent'].includes(error.outcome))
          book.fail(`deliver() was refused with ${error.code}, ${error.outcome}`);
      });
      // Why, is told a moment later; `send` says it at once.
      return line.state === 'disposed' ? 'over' : 'pause';
    }
    this.compare();
    if (controller) clock.setTimeout(() => controller.abort(ENOUGH), dice.scale(1, 2000));
    void this.promised(`${book.name} deliver() ${number}`, delivered).then(
      ({ outcome }) => book.outcome(number, outcome, undefined),
      (error: NinjaTcpError) => book.outcome(number, error.outcome as Outcome, error.code),
    );
    return 'go on';
  }

  private flush(): void {
    const { book } = this;
    const upTo = book.accepted;
    this.promised(`${book.name} flush()`, this.line.flush()).then(
      () => book.flushed(upTo),
      (error) => {
        const code = codeOf(error);
        if (!/SESSION_LOST|GAVE_UP|DISPOSED/.test(code)) book.fail(`flush() was rejected with ${code}`);
      },
    );
  }

  private compare(): void {
    const { book, line } = this;
    if (line.accepted !== book.accepted) book.fail(`accepted is ${line.accepted}, the books have ${book.accepted}`);
  }

  private refused(code: string): 'pause' | 'over' {
    if (LATER.has(code)) return 'pause';
    if (code !== 'NINJA_DISPOSED') this.book.fail(`send threw ${code}`);
    return 'over';
  }

  /** False when the line gave up or was disposed meanwhile. */
  private drained(): Promise<boolean> {
    return this.promised(`${this.book.name} drained()`, this.line.drained()).then(
      () => true,
      () => false,
    );
  }
}

/** Whose a message is: gives what marks it as handled. */
export type Take = (message: Buffer) => () => void;

/** Takes everything until the line is disposed and empty. */
export class Reading {
  /** Messages that the program keeps, in `'manual'`. */
  private readonly kept: (readonly [message: ManualMessage, handled: () => void])[] = [];
  private readonly nap: number;

  constructor(
    private readonly line: Line,
    private readonly kind: ReaderKind,
    private readonly mode: AcknowledgeMode,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly phase: Phase,
    private readonly takeIn: Take,
    private readonly promised: Promised,
  ) {
    this.nap = dice.scale(2, 200);
  }

  /** Undefined where it goes by listeners. */
  run(): Promise<void> | undefined {
    if (this.mode === 'manual') void this.acknowledge();
    switch (this.kind) {
      case 'listen':
        this.line.on('message', (message) => this.take(message)());
        return undefined;
      case 'late':
        this.line.on('message', (message) => this.takeLate(message));
        return undefined;
      case 'poll':
        return this.poll();
      default:
        return this.iterate();
    }
  }

  private rest(): Promise<void> {
    return sleep(this.clock, this.phase.hurry ? 1 : this.dice.int(1, this.nap));
  }

  /** Notes a message; what it gives is to be called when the program is done with it. */
  private take(message: Buffer): () => void {
    const handled = this.takeIn(message);
    if (this.mode !== 'manual') return handled;
    this.kept.push([message as ManualMessage, handled]);
    return () => {};
  }

  private takeLate(message: Buffer): Promise<void> | undefined {
    const handled = this.take(message);
    if (this.dice.chance(0.5)) {
      handled();
      return undefined;
    }
    return this.rest().then(handled);
  }

  /** In any order, many at once, some of them twice. */
  private async acknowledge(): Promise<void> {
    const { kept, dice } = this;
    while (this.line.state !== 'disposed' || kept.length > 0) {
      const most = dice.chance(0.5) ? kept.length : dice.int(0, kept.length);
      const batch = kept.splice(0, most);
      if (dice.chance(0.5)) batch.reverse();
      for (const [message, handled] of batch) {
        handled();
        message.acknowledge();
        if (dice.chance(0.01)) message.acknowledge();
      }
      await this.rest();
    }
  }

  private async poll(): Promise<void> {
    const { line } = this;
    for (;;) {
      const over = line.state === 'disposed';
      // It is handled when it is given: before the program sees it.
      for (let message = line.receive(); message; message = line.receive()) this.take(message)();
      if (over) return;
      await this.rest();
    }
  }

  private async iterate(): Promise<void> {
    const { line, kind, promised } = this;
    for (;;) {
      const messages: AsyncIterator<Buffer | Buffer[]> = kind === 'batches' ? line.batches() : line.messages();
      try {
        for (;;) {
          const next = await promised(`${line.name} next()`, messages.next());
          if (next.done) return;
          const done = (Array.isArray(next.value) ? next.value : [next.value]).map((message) => this.take(message));
          if (kind === 'slow' || this.dice.chance(0.01)) await this.rest();
          for (const handled of done) handled();
        }
      } catch (error) {
        // A peer's iterator throws what its line died of; a connection's throws when it gave up, and may be revived.
        if (codeOf(error) !== 'NINJA_GAVE_UP' || line.state === 'disposed') return;
        await sleep(this.clock, 100);
      }
    }
  }
}
