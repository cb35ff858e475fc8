/**
 * Who may have a session, or have one back, where a store keeps them: what `registry.admit` decides at once, behind what has
 * to be asked of the store.
 *
 * ```text
 * RESUME ─ held here? else load ─ MAC, principal, epoch good? ─ claim ─┬─ held: nobody else had it meanwhile
 *                                                                      ├─ claimed: restore, in place of what is held here
 *                                                                      └─ stale, ended, unknown: refused
 * ```
 */

import { NO_NONCE } from '../protocol/session/keys.js';
import type { FrameOf, RefusalCode } from '../protocol/session/layouts.js';
import type { SessionLink } from '../protocol/session/ports.js';
import { illegality } from '../protocol/session/reach.js';
import type { Admission, Known, Opener, Refusal, SessionRegistry } from '../protocol/session/registry.js';
import type { ServerSession } from '../protocol/session/server.js';
import type { StoreClaimed, StoredSession } from '../store/contract.js';
import { aliasOf, idOf } from './codec.js';
import type { DurableSessions } from './durable.js';

/** Somebody at the door: a socket whose first frame opens a session. */
export interface Guest {
  readonly link: SessionLink;
  readonly frame: FrameOf<'HELLO' | 'RESUME'>;
  /** What `frame` was read from. */
  readonly bytes: Buffer;
  readonly opener: Opener;
  /** Whether its socket is still there: asked before anything is written to it. */
  isThere(): boolean;
  /** Runs what makes or attaches a session: then it is known for which socket. Where there is none of it, `act()`. */
  during<T>(act: () => T): T;
  /** What was decided. Called at once, before another frame of the socket can come; never where it is not there any more. */
  admitted(admission: Admission): void;
}

/** What a store has of a session, as far as it has to be known before it is claimed. */
interface Stored extends Known {
  readonly granted: number;
  readonly lastHandled: number;
  /** It has ended, and is only remembered. */
  readonly over: boolean;
  /** Nothing shows that its client has heard of it. */
  readonly untouched: boolean;
}

/** A session that is this server's from now on. */
interface Taken {
  readonly outcome: 'claimed';
  readonly session: StoredSession;
  readonly fence: string;
}

type Claimed = Exclude<StoreClaimed, { readonly outcome: 'claimed' }> | Taken;

const REFUSALS = { stale: 'STALE_EPOCH', ended: 'EXPIRED', unknown: 'UNKNOWN' } as const;

export class StoreAdmission {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly durable: DurableSessions,
  ) {}

  /**
   * As `registry.admit`, when the store has answered. A store that fails is BUSY to the client, one that cannot be believed
   * UNKNOWN.
   *
   * @returns when it is over; never rejects
   */
  async admit(guest: Guest): Promise<void> {
    try {
      await this.durable.inTime(this.decide(guest));
    } catch (error) {
      const { code } = this.durable.report(error);
      const { frame } = guest;
      const nonce = frame.name === 'HELLO' ? NO_NONCE : frame.nonce;
      // What cannot be read today cannot be read tomorrow.
      this.refuse(guest, code === 'NINJA_STORE_CORRUPT' ? 'UNKNOWN' : 'BUSY', { nonce });
    }
  }

  private decide(guest: Guest): Promise<void> {
    const { frame } = guest;
    return frame.name === 'HELLO' ? this.hello(guest, frame) : this.resume(guest, frame);
  }

  private let(guest: Guest): void {
    const { link, frame, bytes, opener } = guest;
    if (guest.isThere()) guest.admitted(guest.during(() => this.registry.admit(link, frame, bytes, opener)));
  }

  private refuse(guest: Guest, code: RefusalCode, refusal: Refusal): void {
    if (guest.isThere()) guest.admitted(this.registry.refuse(guest.link, code, refusal));
  }

  private hello(guest: Guest, frame: FrameOf<'HELLO'>): Promise<void> {
    const { durable, registry } = this;
    const { principal } = guest.opener;
    const alias = aliasOf(principal, frame.clientInstance);
    return durable.turns.take(alias, async () => {
      const held = registry.heldFor(principal, frame.clientInstance);
      const id = held ? idOf(held.keys.sessionId) : await durable.store.find(alias);
      if (id === undefined) this.let(guest);
      else await durable.turns.take(id, () => this.askedAgain(guest, id, held));
    });
  }

  /** A HELLO came of a client that has a session: its answer may have been lost. */
  private async askedAgain(guest: Guest, id: string, held: ServerSession | undefined): Promise<void> {
    const known = held ?? (await this.find(id));
    // One that is not in the store yet nobody else can have.
    if (!known || (held && this.durable.fenceOf(id) === undefined)) return this.let(guest);
    if (!held && !(known as Stored).untouched) return this.refuse(guest, 'STALE_EPOCH', { nonce: NO_NONCE });
    const claimed = await this.claim(id, undefined, known.granted);
    if (claimed.outcome === 'held') return this.let(guest);
    const code = claimed.outcome === 'claimed' ? this.goOn(guest, id, claimed, held) : 'STALE_EPOCH';
    if (code) this.refuse(guest, code, { nonce: NO_NONCE });
  }

  private resume(guest: Guest, frame: FrameOf<'RESUME'>): Promise<void> {
    const { durable, registry } = this;
    const { nonce, sessionId, epoch } = frame;
    const id = idOf(sessionId);
    return durable.turns.take(id, async () => {
      const held = registry.held(sessionId);
      const known = held ?? (await this.find(id));
      if (!known) return this.let(guest);
      const objection = registry.objection(frame, guest.bytes, known, guest.opener.principal);
      if (objection === 'BAD_MAC' || objection === 'PRINCIPAL') return this.refuse(guest, objection, { nonce });
      const { keys, granted, lastHandled } = known;
      const no = (code: RefusalCode): void => this.refuse(guest, code, { nonce, keys, lastHandled });
      if (!held && (known as Stored).over) return no('EXPIRED');
      if (objection) return no(objection);
      if (held && durable.fenceOf(id) === undefined) return this.let(guest);
      const claimed = await this.claim(id, epoch, granted);
      if (claimed.outcome === 'held') return this.let(guest);
      const code = claimed.outcome === 'claimed' ? this.goOn(guest, id, claimed, held) : REFUSALS[claimed.outcome];
      if (code) no(code);
    });
  }

  /** What the store has of a session that is not held here. */
  private async find(id: string): Promise<Stored | undefined> {
    const found = await this.durable.store.load(id);
    if (found.outcome === 'unknown') return undefined;
    const over = found.outcome === 'ended';
    const { session } = found;
    const { sessionId, secret, ...head } = this.durable.codec.readHead(id, session.head);
    return {
      keys: { sessionId, secret },
      holder: head,
      epoch: 'epoch' in session ? session.epoch : 0,
      granted: head.granted,
      lastHandled: session.handled - 1,
      over,
      untouched: !over && session.handled === 1 && (session as StoredSession).first === 1,
    };
  }

  private async claim(id: string, epoch: number | undefined, granted: number): Promise<Claimed> {
    const { store } = this.durable;
    const fence = this.durable.newFence();
    const claimed = await store.claim(id, { fence, held: this.durable.fenceOf(id), epoch, keepMs: granted * 2 });
    return claimed.outcome === 'claimed' ? { ...claimed, fence } : claimed;
  }

  /**
   * Restores a session that is this server's from now on, and lets the guest have it. All at once: a session that was
   * restored has a socket.
   *
   * @returns why it cannot be; the session stays in the store then, for whoever comes next
   */
  private goOn(guest: Guest, id: string, claimed: Taken, held: ServerSession | undefined): RefusalCode | undefined {
    const { durable, registry } = this;
    // Somebody else had it meanwhile: what is held here is old.
    held?.takenOver();
    const record = durable.codec.record(id, claimed.session);
    const { handled, first, payloads } = record;
    const { frame } = guest;
    if (frame.name === 'RESUME') {
      const code = illegality({ received: handled, first, sent: first + payloads.length }, frame);
      if (code) return code;
    }
    if (!guest.isThere()) return undefined;
    const restore = () => durable.underFence(id, claimed.fence, () => registry.restore(record, durable.now()));
    if (!guest.during(restore)) return 'LIMIT';
    this.let(guest);
    return undefined;
  }
}
