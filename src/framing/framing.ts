/** How messages lie in a byte stream. Pure: bytes in, bytes out; no I/O, no clock. */
export interface Framing {
  /** For people: `lengthPrefixed(4, big)`. */
  readonly name: string;
  /** Bytes that a frame is longer than its message. */
  readonly headerLength: number;
  /** The longest message that the header can announce, bytes. */
  readonly maxLength: number;
  /**
   * Writes the header of a message of `length` bytes into `target` from `offset` on. The caller has seen to it that
   * `headerLength` bytes have room there and that `length` is at most `maxLength`.
   */
  writeHeader(target: Uint8Array, offset: number, length: number): void;
  /** A decoder for one socket. A fresh socket gets a fresh decoder: nothing of a dead one can reach it. */
  decoder(limits: DecoderLimits): Decoder;
}

export interface DecoderLimits {
  /** The longest message that is believed, bytes. */
  readonly maxFrameLength: number;
}

/**
 * Takes chunks cut anywhere and gives whole messages, in order.
 *
 * ```text
 * chunks    00 00 00 02 68 | 69 00 00 | 00 01 21
 * messages                   "hi"             "!"
 * ```
 */
export interface Decoder {
  /**
   * Decodes one chunk and calls `receive` for each message that it completes. A message that lies inside the chunk
   * is a view of it, not a copy.
   *
   * @param receive must not throw: what follows in the chunk would be lost
   * @throws NinjaTcpError `NINJA_FRAME_TOO_LARGE` or `NINJA_FRAME_INVALID`, after the messages before the bad header
   *   were given. Every later call throws it again, since the next frame cannot be found.
   */
  push(chunk: Uint8Array, receive: (message: Buffer) => void): void;
  /** True in the middle of a frame: an end of the stream here cuts it off. */
  readonly unfinished: boolean;
  /** How far the unfinished frame has come, for people: `3 of 4 header bytes`, `100 of 5000 bytes`. */
  readonly progress: string;
  /** Bytes of memory held for the unfinished frame; less or more than what has come of it. */
  readonly heldBytes: number;
}

/** Where a message lies: `length` bytes of `source` from `start` on; and `source.buffer`, which is slow to ask for. */
export type ReceiveSpan = (source: Uint8Array, start: number, length: number, memory: ArrayBufferLike) => void;

/**
 * Takes frames by itself that lie whole in `chunk` from `at` on, as many as it likes, each behind the 4 bytes of its length,
 * big-endian; `memory` is `chunk.buffer`.
 *
 * @returns where the first frame begins that it did not take
 */
export type TakeRun = (chunk: Uint8Array, at: number, end: number, memory: ArrayBufferLike) => number;

/** A decoder for protocols that look at the head of a message first, and then make one view, of the rest. */
export interface SpanDecoder extends Decoder {
  /**
   * The same as `push`; without a view of the message.
   *
   * @param run is asked first at the beginning of each frame, where the framing is the default one. What it takes is not
   *   looked at: the limit of lengths is its own business
   */
  spans(chunk: Uint8Array, receive: ReceiveSpan, run?: TakeRun): void;
}
