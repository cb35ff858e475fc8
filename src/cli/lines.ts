const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** What `LineSplitter` finds: a line without its end, or `'tooLong'` once for a line beyond the limit. */
export type Line = Buffer | 'tooLong';

/**
 * Cuts bytes into lines, wherever the chunks were cut: `a\nb` + `c\r\n` → `a`, `bc`. It works on bytes, so that what
 * is not UTF-8 passes unharmed, and holds at most `limit` bytes of an unfinished line.
 */
export class LineSplitter {
  private parts: Buffer[] = [];
  private held = 0;
  private skipping = false;

  /** @param limit the longest line, bytes */
  constructor(private readonly limit: number) {}

  *push(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      yield* this.take(chunk.subarray(from, at));
      from = at + 1;
      yield* this.finish();
    }
    yield* this.take(chunk.subarray(from));
  }

  /** The input is over: what is left is a line too. */
  *end(): Generator<Line> {
    if (this.held > 0) yield* this.finish();
  }

  private *take(part: Buffer): Generator<Line> {
    if (this.skipping || part.length === 0) return;
    if (this.held + part.length > this.limit) {
      this.skipping = true;
      this.parts = [];
      this.held = 0;
      yield 'tooLong';
      return;
    }
    this.parts.push(part);
    this.held += part.length;
  }

  private *finish(): Generator<Line> {
    const { skipping, parts } = this;
    const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, this.held);
    this.parts = [];
    this.held = 0;
    this.skipping = false;
    if (!skipping) yield line.at(-1) === RETURN ? line.subarray(0, -1) : line;
  }
}
