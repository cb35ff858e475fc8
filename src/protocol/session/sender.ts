import type { Budget } from './budget.js';
import type { NumberRange, Window } from './ports.js';
import { Ring } from './ring.js';
import { malformed } from './wire.js';

export const NO_WINDOW: Window = { bytes: 0, messages: 0 };

/**
 * What was numbered and is not acknowledged: kept in memory, whatever becomes of sockets. Numbers begin at 1 and never
 * begin anew.
 *
 * ```text
 *     first        cursor      sentNext   next
 * … 4 | 5  6  7  8  | 9  10  11  | 12  13  |
 *       written here  to be replayed  never written on any socket
 * ```
 *
 * The replay is the cursor itself: it runs over the living queue, so that new messages stand behind it and acknowledged
 * ones are gone before it. Nothing leaves but by an acknowledgement.
 */
export class Sender {
  /** The lowest number that is kept. */
  first = 1;
  /** What is written next on this socket. */
  cursor = 1;
  /** Behind the highest number that was ever written. */
  sentNext = 1;
  /** The number of the next message. */
  next = 1;
  /** Behind what the store has, and so what may be written; Infinity where there is none. */
  storedNext = Number.POSITIVE_INFINITY;
  /** Of what is kept. */
  bytes = 0;
  /** Nothing at first: what the other side takes has to be known. */
  window = NO_WINDOW;
  /** So many messages were kept since none was, seen at each acknowledgement. */
  private most = 0;
  private readonly payloads = new Ring<Uint8Array | undefined>(undefined);

  constructor(
    private readonly own: Window,
    private readonly budget?: Budget,
  ) {}

  get messages(): number {
    return this.next - this.first;
  }

  /** The other side has said how much it takes. */
  limit(window: Window): void {
    const { own } = this;
    const bytes = Math.min(window.bytes, own.bytes);
    const messages = Math.min(window.messages, own.messages);
    this.window = bytes === own.bytes && messages === own.messages ? own : { bytes, messages };
  }

  /** How much of the window is taken: 1 for all of it. */
  get fill(): number {
    const { bytes, messages } = this.window;
    return messages === 0 ? 0 : Math.max(this.bytes / bytes, this.messages / messages);
  }

  /** What is left of the window. */
  get free(): Window {
    const { window } = this;
    return { bytes: Math.max(0, window.bytes - this.bytes), messages: Math.max(0, window.messages - this.messages) };
  }

  /** Whether a message of `length` bytes may be kept. One always may, else one that is longer than the window never could. */
  hasRoom(length: number): boolean {
    const { window } = this;
    if (this.next === this.first) return window.messages > 0;
    return (
      this.next - this.first < window.messages &&
      this.bytes + length <= window.bytes &&
      (this.budget === undefined || this.budget.has(length))
    );
  }

  /** Keeps a message; gives its number. The caller has asked for room. */
  push(payload: Uint8Array): number {
    const number = this.next;
    this.payloads.set(number, payload, this.first);
    this.next = number + 1;
    this.bytes += payload.length;
    this.budget?.take(payload.length);
    return number;
  }

  /** The same of one for which the window had room, and that is written at once. Gives 0 where others are to be written before. */
  pushWritten(payload: Uint8Array): number {
    const { next, budget } = this;
    const { length } = payload;
    if (this.cursor !== next || next >= this.storedNext) return 0;
    if (budget !== undefined && !budget.has(length)) return 0;
    this.payloads.set(next, payload, this.first);
    this.next = next + 1;
    this.cursor = next + 1;
    this.sentNext = next + 1;
    this.bytes += length;
    budget?.take(length);
    return next;
  }

  /** Gives the message at the cursor, to be written, and moves on. The caller has seen that there is one. */
  step(): Uint8Array {
    const payload = this.payloads.get(this.cursor) as Uint8Array;
    this.advance();
    return payload;
  }

  /** The message at the cursor is written. */
  advance(): void {
    this.cursor += 1;
    if (this.cursor > this.sentNext) this.sentNext = this.cursor;
  }

  /**
   * The other side has handled everything below `next`.
   *
   * @returns whether that was news
   * @throws NinjaTcpError `NINJA_PROTOCOL` where that was not written on this socket, nor received before it
   */
  acknowledge(frame: string, next: number): boolean {
    if (next > this.cursor) malformed(frame, `next must be at most ${this.cursor}, since no more was sent`, next);
    return this.release(next);
  }

  /** Forgets everything below `next`, which is at most `sentNext`. */
  release(next: number): boolean {
    if (next <= this.first) return false;
    const { payloads } = this;
    this.most = Math.max(this.most, this.next - this.first);
    let freed = 0;
    for (let number = this.first; number < next; number += 1) freed += (payloads.take(number) as Uint8Array).length;
    this.first = next;
    if (next === this.next) {
      payloads.emptied(this.most);
      this.most = 0;
    }
    this.bytes -= freed;
    this.budget?.give(freed);
    return true;
  }

  /** A new socket: what the other side has not received is written again. Gives how many of them were written before. */
  rewind(peerNext: number): number {
    this.cursor = peerNext;
    return this.sentNext - peerNext;
  }

  /** What is kept from `from` on, below `to`. */
  kept(from: number, to: number): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (let number = from; number < to; number += 1) payloads.push(this.payloads.get(number) as Uint8Array);
    return payloads;
  }

  /** Begins where a store has it: all of it may have been written, since nobody knows. */
  restore(first: number, payloads: readonly Uint8Array[]): void {
    this.first = first;
    this.next = first;
    for (const payload of payloads) this.push(payload);
    this.cursor = first;
    this.sentNext = this.next;
    this.storedNext = this.next;
  }

  /** How far the messages came, as far as this side knows. */
  standing(): { handledUpTo: number; unknown: NumberRange | undefined; notSent: NumberRange | undefined } {
    const { first, sentNext, next } = this;
    return {
      handledUpTo: first - 1,
      unknown: sentNext > first ? { from: first, to: sentNext - 1 } : undefined,
      notSent: next > sentNext ? { from: sentNext, to: next - 1 } : undefined,
    };
  }

  /** Bytes of what is kept, from one number to another. */
  bytesOf(from: number, to: number): number {
    let bytes = 0;
    for (let number = from; number <= to; number += 1) bytes += (this.payloads.get(number) as Uint8Array).length;
    return bytes;
  }

  /** Nothing happens for now: memory for what may come is given back. */
  rest(): void {
    this.payloads.fit(this.first, this.next);
  }

  /** The session is over: forgets everything. */
  clear(): void {
    this.budget?.give(this.bytes);
    this.bytes = 0;
    this.first = this.next;
    this.payloads.reset();
  }
}
