// A framing of one's own: the length in 3 bytes, big-endian, as in MySQL's packets but without their number.
import { connect, type Decoder, type Framing, listen, NinjaTcpError } from 'ninja-tcp';

class ThreeByteDecoder implements Decoder {
  private rest = Buffer.alloc(0);
  private readonly longest: number;

  constructor(longest: number) {
    this.longest = longest;
  }

  push(chunk: Uint8Array, receive: (message: Buffer) => void): void {
    // Simple, and slow for messages of many chunks: see src/framing/length-prefixed.ts for linear time.
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 3) {
      const length = this.rest.readUIntBE(0, 3);
      if (length > this.longest) throw new NinjaTcpError('NINJA_FRAME_TOO_LARGE', `a header announced ${length} bytes`);
      if (this.rest.length < 3 + length) return;
      receive(this.rest.subarray(3, 3 + length));
      this.rest = this.rest.subarray(3 + length);
    }
  }

  get unfinished(): boolean {
    return this.rest.length > 0;
  }

  get progress(): string {
    return `${this.rest.length} bytes`;
  }

  get heldBytes(): number {
    return this.rest.length;
  }
}

const threeBytes: Framing = {
  name: 'three bytes',
  headerLength: 3,
  maxLength: 2 ** 24 - 1,
  writeHeader(target, offset, length) {
    target[offset] = length >>> 16;
    target[offset + 1] = length >>> 8;
    target[offset + 2] = length;
  },
  decoder: ({ maxFrameLength }) => new ThreeByteDecoder(maxFrameLength),
};

const server = await listen({ host: '127.0.0.1', port: 0, framing: threeBytes }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, framing: threeBytes });
connection.send('hello');
for await (const message of connection) {
  console.log(message.toString()); // → hello
  break;
}
await connection.close();
await server.close();
