/**
 * Sessions that outlive their process, in one store: who holds which under what fence, what is written of them and when
 * (writer.ts), and how long they are kept.
 */
import type { Timer } from '../environment.js';
import type { NinjaTcpError } from '../errors.js';
import type { KeptSession } from '../protocol/session/kept.js';
import type { SessionKeeper, SessionRecord } from '../protocol/session/ports.js';
import type { ServerSession } from '../protocol/session/server.js';
import type { SessionStore } from '../store/contract.js';
import { aliasOf, Codec, idOf } from './codec.js';
import { Entry, type Keeping } from './entry.js';
import { Turns } from './turns.js';
import { type DurableOptions, type DurablePorts, StoreWriter } from './writer.js';

export const durableDefaults: DurableOptions = { patience: 10_000, batchBytes: 1024 * 1024, batches: 4 };

/** A client's place in a store: one session at a time. */
export interface ClientPlace {
  /** What a process before this one left there. */
  readonly record: SessionRecord | undefined;
  /** The session that lives there from now on, in place of one that has ended. Before its first socket. */
  keep(session: KeptSession): void;
}

export class DurableSessions {
  readonly codec: Codec;
  /** What is done about one session is done one behind the other. */
  readonly turns = new Turns();
  private readonly writer: StoreWriter;
  private readonly entries = new Map<string, Entry>();
  /** Under which fence a session was claimed that is about to be restored. */
  private readonly claimed = new Map<string, string>();
  private touchTimer: Timer | undefined;
  private closed = false;

  constructor(
    readonly store: SessionStore,
    private readonly ports: DurablePorts,
    private readonly options: DurableOptions = durableDefaults,
  ) {
    this.codec = new Codec(store.sealer, ports.random);
    this.writer = new StoreWriter(store, this.codec, ports, options);
  }

  /** Tells what is wrong with the store, and gives it as an error of ours. */
  report(error: unknown): NinjaTcpError {
    const failure = this.writer.failed(error);
    this.ports.report(failure);
    return failure;
  }

  now(): number {
    return this.ports.clock.now();
  }

  /** A word that nobody used before. */
  newFence(): string {
    return Buffer.from(this.ports.random(12)).toString('hex');
  }

  /** The fence under which a session is held here; undefined where it is not, or the store does not have it yet. */
  fenceOf(id: string): string | undefined {
    const entry = this.entries.get(id);
    return entry?.created ? entry.fence : undefined;
  }

  /** For the `kept` of a registry. */
  keeperOf(session: ServerSession): SessionKeeper {
    const id = idOf(session.keys.sessionId);
    const { principal, clientInstance } = session.holder;
    const fence = this.claimed.get(id);
    // Twice as long as was promised, since it is written anew only now and then while there is a socket.
    const keeping = (): Keeping => ({ keepMs: session.granted * 2, rememberMs: session.granted });
    const entry = new Entry(id, fence ?? this.newFence(), aliasOf(principal, clientInstance), session, keeping, this);
    if (fence !== undefined) this.isStored(entry);
    this.entries.set(id, entry);
    return entry;
  }

  /** Restores a session that was claimed: `restore` makes the registry ask for its keeper. */
  underFence<T>(id: string, fence: string, restore: () => T): T {
    this.claimed.set(id, fence);
    try {
      return restore();
    } finally {
      this.claimed.delete(id);
    }
  }

  /**
   * Takes a client's place, whoever had it before.
   *
   * @param name which of the clients that have this store
   * @throws NinjaTcpError `NINJA_STORE_FAILED`, `NINJA_STORE_CORRUPT`
   */
  async placeOf(name: string): Promise<ClientPlace> {
    const id = `c${name}`;
    const fence = this.newFence();
    const claimed = await this.ask(() => this.store.claim(id, { fence, keepMs: Number.POSITIVE_INFINITY }));
    const record = claimed.outcome === 'claimed' ? this.codec.record(id, claimed.session) : undefined;
    const keeping = (): Keeping => ({ keepMs: Number.POSITIVE_INFINITY, rememberMs: 0 });
    let entry: Entry | undefined;
    const keep = (session: KeptSession): void => {
      if (entry) {
        entry.succeed(session);
      } else {
        entry = new Entry(id, fence, undefined, session, keeping, this);
        if (record) this.isStored(entry);
      }
      this.entries.set(id, entry);
      session.keep(entry);
    };
    return { record, keep };
  }

  /** Resolves when the store has all that there is, or has not answered in time. */
  async idle(): Promise<void> {
    await this.inTime(this.writer.whenIdle()).catch(() => {});
  }

  /** Writes no more. What the store does not have by now is lost with this process. */
  close(): void {
    this.closed = true;
    this.writer.close();
    if (this.touchTimer) this.ports.clock.clearTimeout(this.touchTimer);
  }

  /**
   * Asks the store something that cannot wait for ever.
   *
   * @throws NinjaTcpError `NINJA_STORE_FAILED`, or what the store threw of that kind
   */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await this.inTime(question());
    } catch (error) {
      throw this.writer.failed(error);
    }
  }

  /** @throws NinjaTcpError `NINJA_STORE_FAILED` where it takes longer than a session waits */
  inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.writer.after(this.options.patience, () => reject(this.writer.failed(undefined)));
      answer.finally(() => this.ports.clock.clearTimeout(timer)).then(resolve, reject);
    });
  }

  /** Of an entry. */
  changed(entry: Entry): void {
    this.writer.changed(entry);
    this.touchLater();
  }

  /** Of an entry: its window is over, unless somebody comes back for it first. */
  overdue(entry: Entry): void {
    void this.turns.take(entry.id, async () => {
      const { session } = entry;
      if (session.state !== 'detached' || entry.gone) return;
      entry.end = session.unused ? 'forget' : 'remember';
      entry.changed();
      await this.writer.whenStored(entry);
      (session as ServerSession).expire();
    });
  }

  /** Of an entry: nothing more of it is written. */
  drop(entry: Entry): void {
    this.writer.drop(entry);
  }

  /** Of an entry: it ends here, and goes on elsewhere. */
  parting(entry: Entry): void {
    this.writer.parting(entry);
  }

  /** Of an entry: it was dropped. */
  gone(entry: Entry): void {
    if (this.entries.get(entry.id) === entry) this.entries.delete(entry.id);
  }

  private isStored(entry: Entry): void {
    entry.created = true;
    entry.identity = entry.session.marks().identity;
    entry.writtenAt = this.now();
  }

  /** Sessions that have a socket and nothing to write are kept from expiring. */
  private touchLater(): void {
    if (this.touchTimer || this.closed) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const entry of this.entries.values()) soonest = Math.min(soonest, entry.keeping().keepMs / 8);
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.touchTimer = this.writer.after(Math.max(1, soonest), () => {
      this.touchTimer = undefined;
      const now = this.now();
      for (const entry of this.entries.values()) {
        const due = now - entry.writtenAt >= entry.keeping().keepMs / 4;
        if (due && entry.session.state === 'attached') entry.changed();
      }
      this.touchLater();
    });
  }
}
