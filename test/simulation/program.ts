/** The programs that run on the simulated hosts: they send numbered messages, and read in several manners. */
import type { Clock, Connection, NinjaTcpError, Peer } from '../../src/index.js';
import type { Account } from './account.js';
import type { Dice } from './dice.js';
import { TELLING } from './messages.js';
import type { ReaderKind, TrafficPlan } from './plan.js';

type Line = Connection | Peer;

export interface Phase {
  /** No more messages are sent. */
  quiet: boolean;
  /** Slow readers hurry, so that the end comes. */
  hurry: boolean;
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

function codeOf(error: unknown): string {
  return (error as NinjaTcpError).code ?? String(error);
}

/** Follows a promise; it has to settle before the end. */
export type Promised = <T>(what: string, promise: Promise<T>) => Promise<T>;

/** Sends bursts until it is told to be quiet, or the line is disposed. */
export class SendingProgram {
  sent = 0;
  constructor(
    private readonly line: Line,
    private readonly account: Account,
    private readonly plan: TrafficPlan,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly phase: Phase,
    private readonly promised: Promised,
    /** So many messages, the first, tell whose they are, and do not expire. */
    private readonly telling: number,
  ) {}

  async run(): Promise<void> {
    const { plan, dice, phase } = this;
    // What was sent before this began counts as well.
    if (plan.obeys) await this.drained();
    while (!phase.quiet) {
      for (let left = dice.int(1, plan.burst); left > 0 && !phase.quiet; left -= 1) {
        const answer = this.send();
        if (answer === 'over') return;
        if (answer === 'pause') break;
        if (answer === 'wait' && plan.obeys && !(await this.drained())) break;
      }
      await sleep(this.clock, Math.min(20_000, dice.int(1, 2 * Math.ceil(plan.every))));
    }
  }

  /** Sends the next message. @param lifetime its `ttl`, milliseconds */
  send(lifetime?: number): 'go on' | 'wait' | 'pause' | 'over' {
    const { account, plan, dice, line } = this;
    const tells = account.accepted < this.telling;
    let size = dice.chance(plan.huge) ? plan.hugeSize : dice.scale(1, plan.largest);
    if (tells) size = Math.max(size, TELLING);
    const ttl =
      lifetime !== undefined ? lifetime : tells ? 0 : dice.chance(plan.mortal) ? dice.scale(1, 5000) : undefined;
    const payload = account.next(size);
    // The books come first: what is dropped at once is told of inside of `send`.
    account.accept(size);
    try {
      const goOn = line.send(payload, ttl === undefined ? undefined : { ttl });
      if (line.accepted !== account.accepted) {
        account.fail(`${account.name}: accepted is ${line.accepted}, the books have ${account.accepted}`);
      }
      this.sent += 1;
      return goOn ? 'go on' : 'wait';
    } catch (error) {
      account.refuse();
      // The last messages before an end are sent without waiting.
      return this.refused(codeOf(error), this.plan.obeys && lifetime === undefined);
    }
  }

  private refused(code: string, obeyed: boolean): 'pause' | 'over' {
    switch (code) {
      case 'NINJA_DISPOSED':
        return 'over';
      case 'NINJA_GAVE_UP':
      case 'NINJA_NOT_CONNECTED':
        return 'pause';
      case 'NINJA_OUTBOX_FULL':
        if (obeyed) this.account.fail(`${this.account.name}: who waits when told to was refused: outbox full`);
        return 'pause';
      default:
        this.account.fail(`${this.account.name}: send threw ${code}`);
        return 'over';
    }
  }

  /** False when the line gave up or was disposed meanwhile. */
  private drained(): Promise<boolean> {
    return this.promised(`${this.account.name} drained()`, this.line.drained()).then(
      () => true,
      () => false,
    );
  }
}

/** Reads everything until the line is disposed and empty. */
export async function read(
  line: Line,
  kind: ReaderKind,
  clock: Clock,
  dice: Dice,
  phase: Phase,
  take: (message: Buffer) => void,
  promised: Promised,
): Promise<void> {
  if (kind === 'listen') {
    line.on('message', take);
    return;
  }
  const nap = dice.scale(2, 300);
  const rest = () => sleep(clock, phase.hurry ? 1 : dice.int(1, nap));
  if (kind === 'poll') {
    for (;;) {
      const over = line.state === 'disposed';
      for (let message = line.receive(); message; message = line.receive()) take(message);
      if (over) return;
      await rest();
    }
  }
  for (;;) {
    const messages = line.messages(dice.chance(0.3) ? { copy: true } : {});
    try {
      for (;;) {
        const next = await promised(`${line.name} next()`, messages.next());
        if (next.done) return;
        take(next.value);
        if (kind === 'slow') await rest();
      }
    } catch (error) {
      // A peer's iterator throws what its line died of; a connection's throws when it gave up, and may be revived.
      if (codeOf(error) !== 'NINJA_GAVE_UP' || line.state === 'disposed') return;
      await sleep(clock, 250);
    }
  }
}
