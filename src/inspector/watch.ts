import { encode, type Feed } from './feed.js';
import { Roll } from './roll.js';
import type { Hello } from './wire.js';

/** Pages are told of changes of the list so often, milliseconds. */
const BEAT = 250;
/** The list is looked at in pieces of so many milliseconds, between which the process does its work. */
const PIECE = 5;
/** Looking at everybody may take so much of the process's time: above it, it is looked less often. */
const SHARE = 0.05;

/** Looks at everything that lives for as long as there is a feed, and at nothing when there is none. */
export class Watch {
  private readonly roll = new Roll();
  private readonly feeds = new Map<string, Feed>();
  private timer: NodeJS.Timeout | undefined;
  private next: NodeJS.Immediate | undefined;
  /** What this round has taken, milliseconds. */
  private spent = 0;
  /** Monotonic milliseconds before which the list is not looked at again. */
  private restUntil = 0;

  get size(): number {
    return this.feeds.size;
  }

  feed(name: string): Feed | undefined {
    return this.feeds.get(name);
  }

  /** Greets it; from then on it is told of the list. */
  add(feed: Feed, hello: Hello): void {
    if (!this.timer) {
      this.look();
      this.timer = setInterval(() => this.beat(), BEAT).unref();
    }
    feed.begin(hello, this.roll.all());
    this.feeds.set(feed.name, feed);
  }

  remove(feed: Feed): void {
    feed.over();
    this.feeds.delete(feed.name);
    if (this.feeds.size > 0) return;
    clearInterval(this.timer);
    clearImmediate(this.next);
    this.timer = undefined;
    this.next = undefined;
    this.roll.forget();
  }

  /** Every feed ends. */
  end(): void {
    for (const feed of this.feeds.values()) {
      feed.end();
      this.remove(feed);
    }
  }

  private beat(): void {
    for (const feed of this.feeds.values()) feed.look();
    if (!this.roll.isAtWork && performance.now() >= this.restUntil) this.look();
  }

  private look(): void {
    const { roll, feeds } = this;
    const from = performance.now();
    const changes = roll.look(from + PIECE);
    if (changes && feeds.size > 0) {
      const bytes = encode(changes);
      for (const feed of feeds.values()) feed.write(bytes);
    }
    const now = performance.now();
    this.spent += now - from;
    if (roll.isAtWork) {
      this.next = setImmediate(() => this.look());
      return;
    }
    this.restUntil = now + this.spent * (1 / SHARE - 1);
    this.spent = 0;
  }
}
