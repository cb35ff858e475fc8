// What a store has of one side of the world, and the program's messages with the life they were sent in.
import type { KeptSession } from '../../../../src/protocol/session/kept.js';
import type { SessionKeeper, SessionMarks, SessionRecord } from '../../../../src/protocol/session/ports.js';

export class Keeper implements SessionKeeper {
  /** There is something that the store does not have. */
  due = false;
  record: SessionRecord | undefined;
  /** The store has it, and the session was not told. */
  answer: SessionMarks | undefined;
  /** The session is over: the record is forgotten soon. */
  over = false;

  changed(): void {
    this.due = true;
  }

  overdue(): void {}

  ended(): void {
    this.over = true;
  }

  /** Everything of the other side below this is handled, as far as the store knows. */
  get handled(): number {
    return this.record?.handled ?? 1;
  }

  /** Everything of this side below this is in the store. */
  get next(): number {
    return this.record ? this.record.first + this.record.payloads.length : 1;
  }

  /** The store takes what is due: as a driver does, the messages that it does not have, and no others. */
  take(session: KeptSession): void {
    const marks = session.marks();
    const { epoch, handled, first } = marks;
    const before = this.record ? this.record.payloads.slice(first - this.record.first) : [];
    const payloads = [...before, ...session.unstored(marks)];
    this.record = { head: session.head(), epoch: Math.max(epoch, this.record?.epoch ?? 0), handled, first, payloads };
    this.answer = marks;
    this.due = false;
  }

  /** The store is told of an epoch before its socket is let in. */
  claim(epoch: number): void {
    if (this.record) this.record = { ...this.record, epoch: Math.max(this.record.epoch, epoch) };
  }
}
