/** Plain mode: a frame is a message. An empty frame is a heartbeat, unless `emptyFrames` is `'message'`. */
import { NinjaTcpError, show } from '../errors.js';

/** The payload of a heartbeat: `00 00 00 00` on the wire. */
export const HEARTBEAT = Buffer.alloc(0);

export interface PlainLimits {
  readonly maxFrameLength: number;
  readonly emptyFrames: 'heartbeat' | 'message';
}

/**
 * The bytes of what a program wants to send: a Uint8Array (a Buffer is one) as it is, a string as UTF-8.
 *
 * @throws NinjaTcpError `NINJA_INVALID_MESSAGE`, naming the rule and the value
 */
export function payloadOf(message: Uint8Array | string, limits: PlainLimits): Uint8Array {
  const payload = typeof message === 'string' ? Buffer.from(message) : message;
  if (!(payload instanceof Uint8Array)) {
    throw new NinjaTcpError(
      'NINJA_INVALID_MESSAGE',
      `a message must be a Uint8Array or a string, got ${show(message)}`,
    );
  }
  if (payload.length > limits.maxFrameLength) {
    throw new NinjaTcpError(
      'NINJA_INVALID_MESSAGE',
      `a message must have at most maxFrameLength, ${limits.maxFrameLength} bytes, got ${payload.length}`,
    );
  }
  if (payload.length === 0 && limits.emptyFrames === 'heartbeat') {
    throw new NinjaTcpError(
      'NINJA_INVALID_MESSAGE',
      "a message must not be empty while emptyFrames is 'heartbeat', since an empty frame is a heartbeat, got 0 bytes",
    );
  }
  return payload;
}
