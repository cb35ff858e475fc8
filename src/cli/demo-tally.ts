import { EventEmitter } from 'node:events';
import { millis } from '../line/explain.js';
import { count, messages, type Paper } from './paper.js';

/** Messages a second. */
export const RATE = 200;

/** What the demo found out. Printed as it is with `--json`. */
export interface Findings {
  readonly sent: number;
  readonly echoed: number;
  readonly outOfOrder: number;
  readonly duplicated: number;
  /** The sum of what the `disconnected` events reported. */
  readonly unknown: number;
  readonly attempts: number;
  /** The `silentForMs` of the first `stale`; null where there was none. */
  readonly detectedAfterMs: number | null;
  /** From the new server's listening to the first echo; null where there was none. */
  readonly healedAfterMs: number | null;
}

/** Keeps the books of the demo: what was sent, what came back, in which order. Emits `echo` for each that came back. */
export class Tally extends EventEmitter<{ echo: [] }> {
  sent = 0;
  outOfOrder = 0;
  duplicated = 0;
  /** Came back, but was never sent like this. */
  damaged = 0;
  unknown = 0;
  attempts = 0;
  detectedAfterMs: number | null = null;
  healedAfterMs: number | null = null;
  /** The highest number that came back. */
  last = 0;
  private readonly seen = new Set<number>();

  constructor(private readonly lines: readonly string[]) {
    super();
  }

  get echoed(): number {
    return this.seen.size;
  }

  /** The message with this number: `<number> <line>`, the file again and again. */
  message(number: number): string {
    return `${number} ${this.lines[(number - 1) % this.lines.length]}`;
  }

  /** Something came back. */
  hear(message: Buffer): void {
    const text = message.toString();
    const number = Number.parseInt(text, 10);
    if (!(number >= 1 && number <= this.sent) || text !== this.message(number)) {
      this.damaged += 1;
      return;
    }
    if (this.seen.has(number)) {
      this.duplicated += 1;
    } else {
      this.seen.add(number);
      if (number < this.last) this.outOfOrder += 1;
    }
    this.last = Math.max(this.last, number);
    this.emit('echo');
  }

  findings(): Findings {
    const { sent, echoed, outOfOrder, duplicated, unknown, attempts, detectedAfterMs, healedAfterMs } = this;
    return { sent, echoed, outOfOrder, duplicated, unknown, attempts, detectedAfterMs, healedAfterMs };
  }

  /** What is wrong, in sentences; none where all is well. @param stopped whether the server could be stopped here */
  faults(stopped: boolean): string[] {
    const missing = this.sent - this.echoed;
    const faults: [wrong: boolean, sentence: string][] = [
      [this.healedAfterMs === null, 'The line did not heal.'],
      [stopped && this.detectedAfterMs === null, 'The stopped server was not noticed.'],
      [this.outOfOrder > 0, `${messages(this.outOfOrder)} came out of order.`],
      [this.duplicated > 0, `${messages(this.duplicated)} came twice.`],
      [this.damaged > 0, `${messages(this.damaged)} came that were never sent.`],
      [missing > this.unknown, `${messages(missing)} are missing, but only ${count(this.unknown)} are unknown.`],
    ];
    return faults.filter(([wrong]) => wrong).map(([, sentence]) => sentence);
  }
}

/** The table at the end. */
export function printTable(tally: Tally, stopped: boolean, paper: Paper): void {
  const { sent, echoed, unknown, attempts, detectedAfterMs, healedAfterMs } = tally;
  const detection = detectedAfterMs === null ? 'none' : `after ${millis(detectedAfterMs)} of silence`;
  const clean = tally.outOfOrder + tally.duplicated + tally.damaged === 0;
  const rows: [string, string][] = [
    ['sent', `${messages(sent)}, ${RATE} a second`],
    ['echoed', `${count(echoed)}${clean ? ', in order, none twice' : ''}`],
    ['unknown', `${count(unknown)} written to lines that broke; ${count(sent - echoed)} of them never came back`],
    ['attempts', count(attempts)],
    ['detection', stopped ? detection : 'not tried: this system cannot stop a process'],
    ['healing', healedAfterMs === null ? 'none' : `${millis(healedAfterMs)} after the new server listened`],
  ];
  paper.line();
  for (const [name, value] of rows) paper.line(`  ${paper.style('bold', name.padEnd(9))}  ${value}`);
  paper.line();
}
