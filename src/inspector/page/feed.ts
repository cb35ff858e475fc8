/** The line to the process: what it tells comes in, what it is asked goes out. Mends itself. */
import type { Message, Order } from './wire.js';

export interface FeedOwner {
  /** The one to be watched when the feed comes back. */
  readonly chosen: string | undefined;
  heard(message: Message): void;
  lost(): void;
  /** The token is not good (any more): a process that was started anew has another one. */
  refused(): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5_000;

export class Feed {
  private source: EventSource | undefined;
  private name: string | undefined;
  private wait = FIRST_WAIT;
  private readonly token = new URLSearchParams(location.search).get('token') ?? '';

  constructor(private readonly owner: FeedOwner) {}

  open(): void {
    const query = new URLSearchParams({ token: this.token });
    if (this.owner.chosen !== undefined) query.set('watch', this.owner.chosen);
    const source = new EventSource(`feed?${query}`);
    this.source = source;
    source.onmessage = ({ data }) => {
      if (this.source !== source) return;
      const message = JSON.parse(String(data)) as Message;
      if (message.type === 'hello') {
        this.name = message.feed;
        this.wait = FIRST_WAIT;
      }
      this.owner.heard(message);
    };
    source.onerror = () => {
      if (this.source === source) void this.broken();
    };
  }

  /** An EventSource mends itself in some cases only, and never says why it broke: so we do both. */
  private async broken(): Promise<void> {
    this.source?.close();
    this.source = undefined;
    this.name = undefined;
    this.owner.lost();
    if ((await this.post('watch', { feed: '', id: null })) === 403) return this.owner.refused();
    setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 1.5, LONGEST_WAIT);
  }

  watch(id: string | undefined): void {
    if (this.name !== undefined) void this.post('watch', { feed: this.name, id: id ?? null });
  }

  /** @returns what went wrong, in words */
  async order(id: string, order: Order): Promise<string | undefined> {
    const status = await this.post('control', { id, order });
    switch (status) {
      case 200:
        return undefined;
      case 403:
        return 'Orders are not allowed here.';
      case 404:
        return 'It is no more.';
      case 409:
        return 'It knows no such order.';
      case undefined:
        return 'The process does not answer.';
      default:
        return `The process answered ${status}.`;
    }
  }

  /** @returns the status; undefined where there was no answer */
  private async post(path: string, body: unknown): Promise<number | undefined> {
    try {
      const answer = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
        body: JSON.stringify(body),
      });
      return answer.status;
    } catch {
      return undefined;
    }
  }
}
