import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { timeOfDay } from '../line/explain.js';
import { cut } from './ansi.js';

export type Style = Parameters<typeof styleText>[0];

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 message`, `12,345 messages` */
export function messages(value: number): string {
  return `${count(value)} message${value === 1 ? '' : 's'}`;
}

/** What a program prints on: lines, and on a terminal some at the bottom that are written anew as things go on. */
export class Paper {
  private bottom: readonly string[] = [];
  private readonly colours: boolean;
  private readonly movable: boolean;

  constructor(private readonly stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>) {
    const terminal = stream.isTTY === true;
    this.colours = terminal && !process.env.NO_COLOR;
    this.movable = terminal && process.env.TERM !== 'dumb';
  }

  /** Dressed up on a terminal, as it is elsewhere. */
  style(style: Style, text: string): string {
    // Whether colours are wanted is decided here: newer Nodes would look at stdout again, whatever we write to.
    return this.colours ? styleText(style, text, { validateStream: false }) : text;
  }

  line(text = ''): void {
    this.stream.write(`${this.wipe()}${text}\n${this.bottom.join('\n')}`);
  }

  /** A line with the time of day: something happened. */
  event(text: string, style?: Style): void {
    this.line(`${this.style('dim', timeOfDay(Date.now()))}  ${style ? this.style(style, text) : text}`);
  }

  /** Writes the lines at the bottom anew, on terminals only. None: takes them away. */
  progress(...lines: readonly string[]): void {
    if (!this.movable || lines.join('\n') === this.bottom.join('\n')) return;
    const wipe = this.wipe();
    // A line that is as wide as the terminal would begin the next one.
    const width = (this.stream.columns ?? 80) - 1;
    this.bottom = lines.map((line) => cut(line, width));
    this.stream.write(wipe + this.bottom.join('\n'));
  }

  private wipe(): string {
    const { length } = this.bottom;
    return length === 0 ? '' : `\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(length - 1)}`;
  }
}
