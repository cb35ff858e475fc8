import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { timeOfDay } from '../line/explain.js';

export type Style = Parameters<typeof styleText>[0];

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 message`, `12,345 messages` */
export function messages(value: number): string {
  return `${count(value)} message${value === 1 ? '' : 's'}`;
}

/** What a program prints on: lines, and on a terminal one line at the bottom that is written anew as things go on. */
export class Paper {
  private bottom = '';
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
    this.stream.write(`${this.wipe()}${text}\n${this.bottom}`);
  }

  /** A line with the time of day: something happened. */
  event(text: string, style?: Style): void {
    this.line(`${this.style('dim', timeOfDay(Date.now()))}  ${style ? this.style(style, text) : text}`);
  }

  /** Writes the line at the bottom anew, on terminals only. Empty: takes it away. */
  progress(text: string): void {
    if (!this.movable || text === this.bottom) return;
    const wipe = this.wipe();
    // A line that is as wide as the terminal would begin the next one.
    this.bottom = text.slice(0, Math.max(0, (this.stream.columns ?? 80) - 1));
    this.stream.write(wipe + this.bottom);
  }

  private wipe(): string {
    return this.bottom ? '\r\x1b[2K' : '';
  }
}
