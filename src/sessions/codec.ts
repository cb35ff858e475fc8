/** A session's record as bytes, and back; its secrets sealed where the store has a key. */
import { createHash } from 'node:crypto';
import { messageOf, NinjaTcpError } from '../errors.js';
import type { SessionHead, SessionRecord } from '../protocol/session/ports.js';
import type { Block, StoredSession } from '../store/contract.js';
import type { RandomBytes, Sealer } from '../store/sealing.js';

const VERSION = 1;
const LENGTH = 4;

const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 32);
};

/** Under which a store has a session: its id is a secret where there is no TLS, and never stands there. */
export const idOf = (sessionId: Uint8Array): string => `s${hashOf('session', sessionId)}`;

/** Under which a store finds the session of a client that asks by HELLO. */
export const aliasOf = (principal: string, clientInstance: Uint8Array): string =>
  `a${hashOf('client', clientInstance, principal)}`;

export class Codec {
  constructor(
    private readonly sealer: Sealer | undefined,
    private readonly random: RandomBytes,
  ) {}

  head(id: string, head: SessionHead): Uint8Array {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
    const plain = {
      version: VERSION,
      ...head,
      sessionId: text(head.sessionId),
      secret: text(head.secret),
      clientInstance: text(head.clientInstance),
    };
    return this.seal(Buffer.from(JSON.stringify(plain)), `${id} head`);
  }

  /** @throws NinjaTcpError `NINJA_STORE_CORRUPT` */
  readHead(id: string, bytes: Uint8Array): SessionHead {
    const plain = Buffer.from(this.open(bytes, `${id} head`));
    try {
      const { version, sessionId, secret, clientInstance, ...rest } = JSON.parse(plain.toString());
      if (version !== VERSION) throw new Error(`it has version ${version}, and ${VERSION} is known`);
      const of = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
      return { ...rest, sessionId: of(sessionId), secret: of(secret), clientInstance: of(clientInstance) };
    } catch (error) {
      // JSON's own error shows what it could not read, and that may be a secret.
      const why = error instanceof SyntaxError ? 'it is cut or changed' : messageOf(error);
      throw new NinjaTcpError(
        'NINJA_STORE_CORRUPT',
        `the session store cannot be believed: the head of a session: ${why}`,
      );
    }
  }

  /** Each message behind its length, 4 bytes. */
  block(id: string, from: number, payloads: readonly Uint8Array[]): Block {
    const plain = Buffer.allocUnsafe(payloads.reduce((sum, { length }) => sum + LENGTH + length, 0));
    let at = 0;
    for (const payload of payloads) {
      plain.writeUInt32BE(payload.length, at);
      plain.set(payload, at + LENGTH);
      at += LENGTH + payload.length;
    }
    return { from, next: from + payloads.length, bytes: this.seal(plain, `${id} ${from}`) };
  }

  /**
   * All of a session.
   *
   * @throws NinjaTcpError `NINJA_STORE_CORRUPT` where anything is missing, cut or changed
   */
  record(id: string, { head, epoch, handled, first, blocks }: StoredSession): SessionRecord {
    const payloads: Uint8Array[] = [];
    let expected = blocks[0]?.from ?? first;
    for (const block of blocks) {
      const messages = this.readBlock(id, block);
      if (block.from !== expected || messages.length !== block.next - block.from) this.broken();
      messages.forEach((message, index) => {
        if (block.from + index >= first) payloads.push(message);
      });
      expected = block.next;
    }
    if ((blocks[0]?.from ?? first) > first) this.broken();
    return { head: this.readHead(id, head), epoch, handled, first, payloads };
  }

  private readBlock(id: string, { from, bytes }: Block): Uint8Array[] {
    const plain = Buffer.from(this.open(bytes, `${id} ${from}`));
    const messages: Uint8Array[] = [];
    for (let at = 0; at < plain.length; ) {
      const end = at + LENGTH <= plain.length ? at + LENGTH + plain.readUInt32BE(at) : Number.POSITIVE_INFINITY;
      if (end > plain.length) this.broken();
      messages.push(plain.subarray(at + LENGTH, end));
      at = end;
    }
    return messages;
  }

  private broken(): never {
    throw new NinjaTcpError(
      'NINJA_STORE_CORRUPT',
      'the session store cannot be believed: messages of a session are missing',
    );
  }

  private seal(plain: Uint8Array, place: string): Uint8Array {
    return this.sealer ? this.sealer.seal(plain, place, this.random) : plain;
  }

  private open(bytes: Uint8Array, place: string): Uint8Array {
    return this.sealer ? this.sealer.open(bytes, place) : bytes;
  }
}
