/** A client without ninja-tcp that sends whatever it likes, and knows what of it was a message. */
import type { Transport } from '../../src/index.js';

export const rawSteps = [
  ...(['dial', 'message', 'message', 'large', 'empty', 'partial', 'partial', 'rest'] as const),
  ...(['garbage', 'oversized', 'dribble', 'pause', 'resume', 'fin', 'reset', 'destroy'] as const),
];
export type RawStep = (typeof rawSteps)[number];

function frame(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(4 + length, fill);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** The messages of a stream, up to the first header that is not believed. Empty frames are heartbeats. */
function messagesOf(stream: Buffer, limit: number): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const length = stream.readUInt32BE(at);
    if (length > limit || at + 4 + length > stream.length) break;
    if (length > 0) messages.push(stream.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

export class RawClient {
  private readonly sent: Buffer[] = [];
  private readonly heard: Buffer[] = [];
  private count = 0;
  private over = false;

  constructor(
    readonly index: number,
    readonly transport: Transport,
  ) {
    transport.attach({
      opened: () => {},
      chunk: (bytes) => void this.heard.push(bytes),
      ended: () => {},
      failed: () => {},
      closed: () => {
        this.over = true;
      },
    });
  }

  take(does: RawStep, size: number): void {
    this.count += 1;
    for (const bytes of this.bytesOf(does, size)) this.write(bytes);
    if (does === 'pause' || does === 'resume') this.transport[does]();
    if (does !== 'fin' && does !== 'reset' && does !== 'destroy') return;
    if (does !== 'fin') this.transport[does]();
    else if (!this.over) this.transport.end(() => {});
    this.over = true;
  }

  private bytesOf(does: RawStep, size: number): Buffer[] {
    const small = 1 + (size % 60);
    switch (does) {
      case 'message':
        return [frame(small, this.count)];
      case 'large':
        return [frame(size, this.count)];
      case 'empty':
        return [frame(0, 0)];
      case 'partial':
        return [frame(size, this.count).subarray(0, 1 + (size % 1000))];
      case 'rest':
        return [Buffer.alloc(size, this.count)];
      case 'garbage':
        return [Buffer.from([size, size >>> 3, size >>> 6, 200, size]).subarray(size % 5)];
      case 'oversized':
        return [Buffer.from([0xff, 0xff, size & 0xff, 0xff])];
      case 'dribble':
        return [...frame(small, this.count)].map((byte) => Buffer.of(byte));
      default:
        return [];
    }
  }

  private write(bytes: Buffer): void {
    if (this.over) return;
    this.sent.push(bytes);
    this.transport.write(bytes, () => {});
  }

  sentMessages(limit: number): Buffer[] {
    return messagesOf(Buffer.concat(this.sent), limit);
  }

  heardMessages(): Buffer[] {
    return messagesOf(Buffer.concat(this.heard), Number.POSITIVE_INFINITY);
  }
}
