import type { Clock, Timer, Transport } from '../environment.js';
import type { Framing } from '../framing/framing.js';
import { differenceOf, frame, type Pattern } from './bytes.js';
import { HeartbeatFilter } from './heartbeat-filter.js';
import { ScriptError } from './script-error.js';
import { count, isLast, type ScriptRules, type Step, wordsOf } from './script-steps.js';

/** How far one connection of a script has come. */
export interface ScriptConnection {
  readonly state: 'opening' | 'running' | 'done' | 'failed' | 'closed';
  /** The step it is at, from 1; one more than there are when all are done. */
  readonly step: number;
  /** All that came while the script ran, heartbeats included. */
  readonly received: Buffer;
  /** How many bytes came in all, those after the end of the script included. */
  readonly receivedBytes: number;
  /** Whether the other side has sent its FIN, or reset the line. */
  readonly ended: boolean;
  /** Whether the line is gone. */
  readonly closed: boolean;
}

/** Who wants to know how one connection fares. */
export interface ScriptLineOwner {
  finished(): void;
  failed(error: Error): void;
}

/** One connection that follows its script. */
export class ScriptLine implements ScriptConnection {
  state: ScriptConnection['state'] = 'opening';
  receivedBytes = 0;
  ended = false;
  closed = false;
  private place = 0;
  private readonly chunks: Buffer[] = [];
  /** What came and was not asked for yet. */
  private unread = Buffer.alloc(0);
  /** Bytes that came before `unread`. */
  private offset = 0;
  private readonly filter: HeartbeatFilter | undefined;
  /** The step under way needs time, or something of the other side. */
  private timer: Timer | undefined;
  private beat: Timer | undefined;
  private busy = false;
  private looping = false;

  constructor(
    private readonly number: number,
    private readonly steps: readonly Step[],
    private readonly rules: ScriptRules,
    private readonly framing: Framing,
    private readonly clock: Clock,
    private readonly transport: Transport,
    private readonly owner: ScriptLineOwner,
    isOpen: boolean,
  ) {
    if (rules.ignoreHeartbeats) this.filter = new HeartbeatFilter(framing);
    transport.attach({
      opened: () => this.begin(),
      chunk: (bytes) => this.hear(bytes),
      ended: () => this.theyEnd('the other side sent its FIN'),
      failed: (error) => this.broke(error),
      closed: () => this.gone(),
    });
    if (isOpen) clock.defer(() => this.begin());
  }

  get step(): number {
    return this.place + 1;
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  private get running(): boolean {
    return this.state === 'running';
  }

  /** Throws the line away, wherever it is. */
  close(): void {
    this.stop();
    if (this.state === 'opening' || this.running) this.state = 'closed';
    this.transport.destroy();
  }

  private begin(): void {
    if (this.state !== 'opening') return;
    this.state = 'running';
    this.go();
  }

  private hear(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    if (this.state !== 'opening' && !this.running) return;
    this.chunks.push(bytes);
    this.unread = Buffer.concat([this.unread, this.filter ? this.filter.pass(bytes) : bytes]);
    this.go();
  }

  private theyEnd(how: string): void {
    this.ended = true;
    if (this.running) this.go(how);
    this.answerEnd();
  }

  private broke(error: Error): void {
    if (this.state === 'opening') this.fail(error);
    else this.theyEnd(error.message);
  }

  private gone(): void {
    this.closed = true;
    this.stopBeating();
    if (this.state === 'opening') this.fail(new Error('the line was closed before it was open'));
    else if (this.running && !this.ended) this.theyEnd('the line is gone');
  }

  /** Does one step after the other, until one has to wait. */
  private go(ending?: string): void {
    if (this.looping) return;
    this.looping = true;
    while (this.running && !this.busy) {
      const step = this.steps[this.place];
      if (step === undefined) this.finish();
      else if (this.does(step, ending)) this.place += 1;
      else break;
    }
    this.looping = false;
  }

  /** @returns whether the step is over already */
  private does(step: Step, ending: string | undefined): boolean {
    const { transport } = this;
    switch (step.type) {
      case 'expect':
        return this.expects(step.pattern, step.withinMs ?? this.rules.patienceMs, ending);
      case 'expectEnd':
        return this.expectsEnd(step.withinMs ?? this.rules.patienceMs);
      case 'send':
        return this.sends(step.bytes, step.pieceBytes, step.everyMs);
      case 'wait':
        return this.rests(step.ms, () => this.next());
      case 'heartbeats':
        this.beats(step.everyMs);
        return true;
      case 'call':
        return this.calls(step.callback);
      case 'end':
        this.stopBeating();
        transport.end(() => {});
        return true;
      case 'silent':
        this.stopBeating();
        return true;
      case 'stall':
        this.stopBeating();
        transport.pause();
        return true;
      case 'reset':
      case 'destroy':
        this.stopBeating();
        transport[step.type]();
        return true;
    }
  }

  private expects(pattern: Pattern, withinMs: number, ending: string | undefined): boolean {
    const wanted = pattern.bytes.length;
    const wrong = differenceOf(pattern, this.unread);
    if (wrong !== undefined) {
      this.fails(`byte ${this.offset + wrong} of the connection is not what was expected`, pattern, wrong);
      return false;
    }
    if (this.unread.length >= wanted) {
      this.rest();
      this.unread = this.unread.subarray(wanted);
      this.offset += wanted;
      return true;
    }
    const came = `${this.unread.length} of ${count(wanted)}`;
    if (this.ended || ending) {
      this.fails(`${ending ?? 'the other side has ended'} after ${came}`, pattern, this.unread.length);
      return false;
    }
    this.timer ??= this.clock.setTimeout(() => {
      const { length } = this.unread;
      this.fails(`in ${withinMs} ms only ${length} of ${count(wanted)} came`, pattern, length);
    }, withinMs);
    return false;
  }

  private expectsEnd(withinMs: number): boolean {
    if (this.unread.length > 0) {
      this.fails('bytes came instead', { bytes: Buffer.alloc(0), any: new Set() }, 0);
      return false;
    }
    if (this.ended) {
      this.rest();
      return true;
    }
    this.timer ??= this.clock.setTimeout(() => this.fails(`it did not come in ${withinMs} ms`), withinMs);
    return false;
  }

  private sends(bytes: Buffer, pieceBytes: number, everyMs: number): boolean {
    this.transport.write(bytes.subarray(0, pieceBytes), () => {});
    const later = bytes.subarray(pieceBytes);
    if (later.length === 0) {
      this.busy = false;
      return true;
    }
    return this.rests(everyMs, () => {
      if (this.sends(later, pieceBytes, everyMs)) this.next();
    });
  }

  private calls(callback: () => unknown): boolean {
    this.busy = true;
    const run = async (): Promise<unknown> => callback();
    run().then(
      () => this.next(),
      (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error), { cause: error })),
    );
    return false;
  }

  private beats(everyMs: number): void {
    this.stopBeating();
    const heartbeat = frame('', this.framing);
    const write = (): void => {
      if (this.closed) return;
      this.transport.write(heartbeat, () => {});
      this.beat = this.clock.setTimeout(write, everyMs);
    };
    write();
  }

  private rests(ms: number, then: () => void): false {
    this.busy = true;
    this.timer = this.clock.setTimeout(() => {
      this.timer = undefined;
      then();
    }, ms);
    return false;
  }

  private next(): void {
    if (!this.running) return;
    this.busy = false;
    this.place += 1;
    this.go();
  }

  private finish(): void {
    this.state = 'done';
    this.answerEnd();
    this.owner.finished();
  }

  /** A script that is over parts as any server does; one that went silent does not even answer a FIN. */
  private answerEnd(): void {
    if (this.state === 'done' && this.ended && !this.closed && !isLast(this.steps.at(-1))) {
      this.stopBeating();
      this.transport.end(() => {});
    }
  }

  private fails(what: string, pattern?: Pattern, place = 0): void {
    const step = this.steps[this.place] as Step;
    const at = { connection: this.number, step: this.step, steps: this.steps.length, words: wordsOf(step) };
    const difference = pattern && { pattern, got: this.unread, place, before: this.offset };
    this.fail(new ScriptError(at, what, difference));
  }

  private fail(error: Error): void {
    if (this.state !== 'opening' && !this.running) return;
    this.state = 'failed';
    this.stop();
    this.transport.reset();
    this.owner.failed(error);
  }

  private stop(): void {
    this.rest();
    this.stopBeating();
  }

  private rest(): void {
    if (this.timer) this.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private stopBeating(): void {
    if (this.beat) this.clock.clearTimeout(this.beat);
    this.beat = undefined;
  }
}
