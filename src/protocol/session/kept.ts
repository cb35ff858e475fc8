/**
 * A session that a store keeps. Write-ahead, both ways: a message goes to a socket only when the store has it, and is told
 * to be handled only when the store knows that; so whoever reads the record can go on where this process broke off.
 *
 * ```text
 * send ─ numbered ─ changed() ─ … the store writes … ─ stored() ─ DATA
 * DATA ─ handled  ─ changed() ─ … the store writes … ─ stored() ─ ACK
 * ```
 *
 * Behind a crash the receiver expects what is not known to be handled: that comes again, once for each crash at most.
 */
import { NinjaTcpError } from '../../errors.js';
import type { SessionHead, SessionKeeper, SessionMarks, SessionRecord } from './ports.js';
import { Session } from './session.js';

export abstract class KeptSession extends Session {
  /** What the store knows. */
  private knownIdentity = 0;
  protected knownEpoch = 0;
  /** Counts what the head has been. */
  protected identity = 1;

  /** From now on all changes go through `keeper`. To be called before anything was sent or received. */
  keep(keeper: SessionKeeper): void {
    const { sender, receiver } = this;
    this.keeper = keeper;
    receiver.keeper = keeper;
    sender.storedNext = Math.min(sender.storedNext, sender.next);
    receiver.storedHandled = Math.min(receiver.storedHandled, receiver.handled);
  }

  /** What a store has to know by now. */
  marks(): SessionMarks {
    const { identity, sender, receiver } = this;
    return { identity, epoch: this.reserved, handled: receiver.handled, first: sender.first, next: sender.next };
  }

  abstract head(): SessionHead;

  /** All that a store has to know by now. */
  record(): SessionRecord {
    const { epoch, handled, first, next } = this.marks();
    return { head: this.head(), epoch, handled, first, payloads: this.sender.kept(first, next) };
  }

  /** The store knows what `marks()` gave before. */
  stored({ identity, epoch, handled, next }: SessionMarks, now: number): void {
    if (this.state === 'ended') return;
    this.knownIdentity = identity;
    this.knownEpoch = epoch;
    this.sender.storedNext = next;
    this.owed(this.receiver.stored(handled, now));
    this.pump();
    this.proceed();
  }

  /** The messages that the store has to be given before it has all of these marks; they begin at `sender.storedNext`. */
  unstored({ next }: SessionMarks): readonly Uint8Array[] {
    return this.sender.kept(this.sender.storedNext, next);
  }

  /** Another process holds it: this one has nothing to say of it any more. */
  takenOver(): void {
    const why = new NinjaTcpError('NINJA_SESSION_TAKEN_OVER', 'another process has taken the session over');
    this.end({ how: 'lost', code: 'TAKEN_OVER', ...this.sender.standing() }, why);
  }

  /** The store does not have it any more. */
  forgotten(): void {
    const why = new NinjaTcpError('NINJA_SESSION_LOST', 'the session was lost: its store does not have it any more');
    this.end({ how: 'lost', code: 'FORGOTTEN', ...this.sender.standing() }, why);
  }

  /** This process lets go of it; the record stays, for another one, or for this one when it comes back. */
  part(): void {
    this.end({ how: 'lost', code: 'PARTED', ...this.sender.standing() });
  }

  /** The store has failed for too long: without its socket, the session waits. */
  wait(error: NinjaTcpError | undefined, now: number): void {
    const { link } = this;
    if (!link) return;
    this.detach(now);
    link.drop(error);
  }

  /** The highest epoch that the store is to know: some sockets ahead, so that a resume need not wait for it. */
  protected get reserved(): number {
    return this.epoch;
  }

  /** Goes on with a handshake that waited for the store. */
  protected abstract proceed(): void;

  protected restore({ head, epoch, handled, first, payloads }: SessionRecord): void {
    this.epoch = epoch;
    this.agree(head.longest, head.window);
    this.sender.restore(first, payloads);
    this.receiver.restore(handled);
    this.knownIdentity = this.identity;
    this.knownEpoch = epoch;
  }

  /** Whether a handshake may go on: the store knows who this is. */
  protected get isKnown(): boolean {
    return this.keeper === undefined || this.knownIdentity === this.identity;
  }
}
