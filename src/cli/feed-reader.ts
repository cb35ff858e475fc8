import { get, type IncomingMessage, request } from 'node:http';
import type { Message } from '../inspector/wire.js';
import { UsageError } from './arguments.js';

/** So much of an event that is not over is held, characters: far more than any is long. */
const LONGEST = 64 * 2 ** 20;

/** Why there is no feed, in a sentence. */
export class NoFeed extends Error {}

/** An inspector's address, as it prints it. @throws UsageError */
export function inspectorAddress(text: string | undefined): URL {
  if (text === undefined) throw new UsageError("watch needs URL, an inspector's address.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' && url.searchParams.get('token')) return url;
  throw new UsageError(`URL must be an inspector's address, http://127.0.0.1:PORT/?token=TOKEN, got '${text}'.`);
}

/** What an inspector tells, as it comes, until it ends. */
export class FeedReader {
  private name = '';

  constructor(
    private readonly address: URL,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws NoFeed where it is refused or breaks off */
  async *messages(): AsyncGenerator<Message, undefined, undefined> {
    const { signal } = this;
    try {
      const response = await this.open();
      let rest = '';
      for await (const text of response.setEncoding('utf8')) {
        const events = (rest + text).split('\n\n');
        rest = events.pop() as string;
        if (rest.length > LONGEST) throw new NoFeed('That is no inspector.');
        for (const event of events) {
          const message = messageIn(event);
          if (message.type === 'hello') this.name = message.feed;
          yield message;
        }
      }
      if (!signal.aborted) throw new NoFeed('The inspector was closed.');
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof NoFeed) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      const gone = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
      throw new NoFeed(gone ? 'The process is gone.' : `There is no inspector at ${this.address.host}: ${message}`);
    }
    return undefined;
  }

  private open(): Promise<IncomingMessage> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const asking = get(this.at('/feed'), { signal, agent: false }, (response) => {
        if (response.statusCode === 200) return resolve(response);
        let said = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          said = (said + text).slice(0, 1000);
        });
        response.on('end', () => reject(new NoFeed(`The inspector refused (${response.statusCode}): ${said.trim()}`)));
        response.on('error', reject);
      });
      asking.on('error', reject);
    });
  }

  /** Asks to be told of this one. That it is no more is told by the list. */
  watch(id: string): void {
    const headers = { 'content-type': 'application/json' };
    const asking = request(this.at('/watch'), { method: 'POST', headers, signal: this.signal, agent: false });
    asking.on('response', (response) => response.resume()).on('error', () => {});
    asking.end(JSON.stringify({ feed: this.name, id }));
  }

  private at(path: string): URL {
    const url = new URL(path, this.address);
    url.searchParams.set('token', this.address.searchParams.get('token') ?? '');
    return url;
  }
}

function messageIn(event: string): Message {
  try {
    const message = JSON.parse(event.replace(/^data: /, '')) as Message | null;
    if (typeof message?.type === 'string') return message;
  } catch {
    // As below.
  }
  throw new NoFeed('That is no inspector.');
}
