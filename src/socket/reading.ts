import type { NinjaTcpError } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import type { Decoder } from '../framing/framing.js';
import type { LineSettings } from '../settings.js';
import { truncated } from './faults.js';

/** The decoder of one socket, behind a guard: a program's own framing may throw wherever it is asked. */
export class Reading {
  /** As of the last chunk: in the middle of a frame. */
  unfinished = false;
  /** As of the last chunk: bytes of memory held for that frame. */
  heldBytes = 0;
  private readonly decoder: Decoder;

  constructor(settings: Pick<LineSettings, 'framing' | 'maxFrameLength'>) {
    this.decoder = settings.framing.decoder(settings);
  }

  /** @returns what is wrong, after the messages before it were given; undefined where nothing is */
  push(chunk: Buffer, receive: (message: Buffer) => void): NinjaTcpError | undefined {
    const { decoder } = this;
    try {
      decoder.push(chunk, receive);
      this.unfinished = decoder.unfinished;
      this.heldBytes = decoder.heldBytes;
      return undefined;
    } catch (error) {
      return framingFault(error);
    }
  }

  /** How far the unfinished frame has come, for people. */
  get progress(): string {
    try {
      return this.decoder.progress;
    } catch {
      return 'an unknown part';
    }
  }

  /** What a FIN here means: undefined between two frames. */
  get cutOff(): NinjaTcpError | undefined {
    return this.unfinished ? truncated(this.progress) : undefined;
  }
}
