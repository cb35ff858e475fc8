import type { ServerResponse } from 'node:http';
import { find } from './seen.js';
import { Subject } from './subject.js';
import type { Message } from './wire.js';

/**
 * A page that does not read is dropped when so much waits for it beside the whole list, bytes; it may come again, and is
 * told everything anew.
 */
const MOST_WAITING = 16 * 2 ** 20;

/** As it goes over the wire: one of the Server-Sent Events. */
export function encode(message: Message): Buffer {
  return Buffer.from(`data: ${JSON.stringify(message)}\n\n`);
}

/** One open page: what it is told, and whom it watches. */
export class Feed {
  private subject: Subject | undefined;
  /** The whole list, which comes first, may be longer than what may wait later. */
  private first = 0;

  constructor(
    /** `POST /watch` calls it so. */
    readonly name: string,
    private readonly response: Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'writableLength' | 'destroyed'>,
    private readonly mostWaiting = MOST_WAITING,
  ) {}

  readonly tell = (message: Message): void => this.write(encode(message));

  /** What it is told first: the greeting, and the whole list. */
  begin(...messages: readonly Message[]): void {
    for (const message of messages) {
      const bytes = encode(message);
      this.first += bytes.length;
      this.write(bytes);
    }
  }

  /** @param bytes shared with other feeds */
  write(bytes: Buffer): void {
    const { response } = this;
    if (response.destroyed) return;
    if (response.writableLength > this.first + this.mostWaiting) response.destroy();
    else response.write(bytes);
  }

  /** Watches this one, and no other. @returns false where it is no more */
  watch(id: string | undefined): boolean {
    this.subject?.stop();
    this.subject = undefined;
    if (id === undefined) return true;
    const one = find(id);
    if (!one) return false;
    this.subject = new Subject(id, one, this.tell);
    this.look();
    return true;
  }

  /** It is time to look again at the watched one. */
  look(): void {
    this.subject?.look();
  }

  /** The page is gone: nothing is observed for it any more. */
  over(): void {
    this.subject?.stop();
    this.subject = undefined;
  }

  end(): void {
    this.over();
    this.response.end();
  }
}
