import type { WriteStream } from 'node:tty';
import { cut } from './ansi.js';

/** A terminal as a whole, drawn anew as things go on. What was on it before comes back at the end. */
export class Screen {
  private shown = '';
  private open = false;
  private readonly redraw = () => {
    this.shown = '';
  };
  private readonly lastHand = () => this.end();

  constructor(private readonly stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'columns' | 'rows'>>) {}

  get width(): number {
    return Math.max(1, (this.stream.columns || 80) - 1);
  }

  get height(): number {
    return Math.max(1, this.stream.rows || 24);
  }

  draw(lines: readonly string[]): void {
    if (!this.open) {
      this.open = true;
      this.stream.write('\x1b[?1049h\x1b[?25l');
      // A terminal of another size shows rubbish until it is drawn.
      this.stream.on('resize', this.redraw);
      process.on('exit', this.lastHand);
    }
    const fitting = lines.slice(0, this.height).map((line) => `${cut(line, this.width)}\x1b[K`);
    const picture = `\x1b[H${fitting.join('\r\n')}\x1b[J`;
    if (picture === this.shown) return;
    this.shown = picture;
    this.stream.write(picture);
  }

  end(): void {
    if (!this.open) return;
    this.open = false;
    this.stream.off('resize', this.redraw);
    process.off('exit', this.lastHand);
    this.stream.write('\x1b[?25h\x1b[?1049l');
  }
}
