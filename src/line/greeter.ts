import { Inbox, type InboxLimits, type ReadingGate } from '../delivery/inbox.js';
import type { NinjaTcpError } from '../errors.js';
import type { Greeter } from '../options.js';

/** One fresh line, as the `onConnect` hook sees it. What it leaves unread goes to the connection's own readers. */
export class GreetingLine implements Greeter {
  readonly controller = new AbortController();
  private readonly inbox: Inbox;
  private readonly reader: AsyncIterator<Buffer, undefined>;
  private over: NinjaTcpError | undefined;

  constructor(
    readonly epoch: number,
    limits: InboxLimits,
    gate: ReadingGate,
    private readonly write: (message: Uint8Array | string) => void,
  ) {
    this.inbox = new Inbox(limits, gate, false);
    this.reader = this.inbox.iterate();
  }

  send(message: Uint8Array | string): void {
    if (this.over) throw this.over;
    this.write(message);
  }

  async receive(): Promise<Buffer> {
    const next = await this.reader.next();
    if (next.done) throw this.over;
    return next.value;
  }

  deliver(message: Buffer): void {
    this.inbox.deliver(message);
  }

  /** The hook may use the line no more, for this reason; gives what it left unread. */
  end(error: NinjaTcpError): Buffer[] {
    this.over = error;
    this.controller.abort(error);
    this.inbox.close(error);
    const unread: Buffer[] = [];
    for (let message = this.inbox.receive(); message; message = this.inbox.receive()) unread.push(message);
    return unread;
  }
}
