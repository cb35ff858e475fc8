import type { Transport } from '../environment.js';
import type { NinjaTcpError } from '../errors.js';
import type { Framing } from '../framing/framing.js';
import type { BareLink } from '../line/session-link.js';

/** Answers a handshake on a transport that has no peer yet. */
export class HandshakeLink implements BareLink {
  constructor(
    private readonly transport: Transport,
    private readonly framing: Framing,
    /** It was refused: it closes when the answer is read, or thrown away. */
    private readonly refused: (error: NinjaTcpError | undefined) => void,
  ) {}

  control(frame: Uint8Array): void {
    const { headerLength } = this.framing;
    const bytes = Buffer.alloc(headerLength + frame.length);
    this.framing.writeHeader(bytes, 0, frame.length);
    bytes.set(frame, headerLength);
    this.transport.write(bytes, () => {});
  }

  end(): void {
    this.transport.end(() => {});
    this.refused(undefined);
  }

  drop(error: NinjaTcpError | undefined): void {
    this.transport.destroy();
    this.refused(error);
  }
}
