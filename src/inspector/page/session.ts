/** All that the page knows: what comes over the wire goes in here, and views read it. No DOM, no clock. */
import { RowTable } from './list.js';
import { Recording } from './recording.js';
import { type Hello, type Kind, type Message, placeOf, type Row } from './wire.js';

/** `closed`: the token is not (or no longer) good, and no retry will mend that. */
export type Link = 'connecting' | 'live' | 'lost' | 'closed';

/** What a message has changed, so that only that is drawn anew. */
export interface Changes {
  readonly rows?: boolean;
  readonly detail?: boolean;
  readonly step?: boolean;
  readonly hello?: boolean;
  /** A sentence for everybody, and for screen readers. */
  readonly notice?: string;
}

export class Session {
  readonly rows = new RowTable();
  hello: Hello | undefined;
  link: Link = 'connecting';
  /** The process's clock minus the page's, milliseconds. */
  ahead = 0;
  recording: Recording | undefined;
  /** The watched one is no more; what was recorded stays. */
  over = false;
  /** Who was watched in a process that is gone; looked for in the list of the next one. */
  private sought: Pick<Row, 'kind' | 'name'> | undefined;

  get chosen(): string | undefined {
    return this.recording?.id;
  }

  /** The process's time. @param here the page's */
  now(here: number): number {
    return here + this.ahead;
  }

  choose(id: string | undefined): void {
    if (id === this.chosen) return;
    this.recording = id === undefined ? undefined : new Recording(id);
    this.over = false;
    this.sought = undefined;
  }

  /** @param here the page's time, wall-clock milliseconds */
  apply(message: Message, here: number): Changes {
    switch (message.type) {
      case 'hello':
        return this.greet(message, here);
      case 'rows':
        this.ahead = message.now - here;
        this.rows.apply(message);
        return { rows: true, ...(message.all ? this.seek() : {}) };
      case 'detail':
        if (message.id !== this.chosen) return {};
        this.ahead = message.now - here;
        this.recording?.add({ kind: 'picture', at: message.now, detail: message });
        return { detail: true };
      case 'step':
        if (message.id !== this.chosen) return {};
        this.recording?.add({ kind: 'step', at: message.at, step: message });
        return { step: true };
      case 'gone':
        if (message.id !== this.chosen) return {};
        this.over = true;
        this.mark('it is no more', here);
        return { detail: true, notice: 'The chosen one is no more; what was recorded stays.' };
    }
  }

  private greet(hello: Hello, here: number): Changes {
    const before = this.hello;
    const back = this.link === 'lost';
    this.hello = hello;
    this.link = 'live';
    this.ahead = hello.now - here;
    if (!before) return { hello: true };
    if (before.pid === hello.pid) {
      if (back) this.mark('the feed is back', here);
      return { hello: true, ...(back ? { notice: 'The feed is back.' } : {}) };
    }
    // Ids of another process are other ones: look for the same name.
    const row = this.chosen === undefined ? undefined : this.rows.get(this.chosen);
    this.sought = row;
    this.over = this.chosen !== undefined;
    this.mark(`the process was started anew, as ${hello.pid}`, here);
    return { hello: true, notice: `The process was started anew: it is now ${hello.pid}.` };
  }

  /** @returns what was found again in a new process */
  private seek(): Changes {
    const { sought } = this;
    if (!sought) return {};
    const again = this.rows.arrange(EVERYTHING).find(({ row }) => row.kind === sought.kind && row.name === sought.name);
    if (!again) return {};
    this.sought = undefined;
    const old = this.recording;
    this.recording = undefined;
    this.choose(again.row.id);
    const fresh = this.recording as Recording | undefined;
    // The old life is still worth looking at: its entries come first.
    if (old && fresh) {
      for (const entry of old.all) fresh.add(entry);
      fresh.held = old.held === undefined ? undefined : old.held - old.first;
    }
    return { detail: true, notice: `Found ${again.row.name} again in the new process.` };
  }

  lost(here: number): void {
    if (this.link === 'live') this.mark('the feed was lost', here);
    if (this.link !== 'closed') this.link = 'lost';
  }

  private mark(text: string, here: number): void {
    this.recording?.add({ kind: 'mark', at: this.now(here), text });
  }

  get kind(): Kind | undefined {
    return this.chosen === undefined ? undefined : this.rows.get(this.chosen)?.kind;
  }

  /** Where the chosen one stands now, whatever is looked at: `connected.live`. */
  get place(): string | undefined {
    const row = this.chosen === undefined ? undefined : this.rows.get(this.chosen);
    return row && placeOf(row);
  }
}

const EVERYTHING = {
  text: '',
  states: new Set<string>(),
  sort: 'name',
  down: false,
  grouped: false,
  folded: new Set<string>(),
} as const;
