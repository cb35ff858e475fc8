import type { NinjaTcpError } from '../errors.js';
import { framingFault } from '../framing/fault.js';
import type { Decoder, ReceiveSpan, SpanDecoder, TakeRun } from '../framing/framing.js';
import type { LineSettings } from '../settings.js';
import { truncated } from './faults.js';
import type { SocketOwner } from './owner.js';

/** The decoder of one socket, behind a guard: a program's own framing may throw wherever it is asked. */
export class Reading {
  /** As of the last chunk: in the middle of a frame. */
  unfinished = false;
  /** As of the last chunk: bytes of memory held for that frame. */
  heldBytes = 0;
  /** Grows with each frame that came whole, or each few of them. */
  frames = 0;
  /** Nothing more is given. */
  over = false;
  private receiveSpan: ReceiveSpan | undefined;
  private receiveRun: TakeRun | undefined;
  private readonly decoder: Decoder;
  private readonly skipsEmpty: boolean;

  constructor(
    { framing, frameLimit, emptyFrames }: Pick<LineSettings, 'framing' | 'frameLimit' | 'emptyFrames'>,
    private readonly owner: Pick<SocketOwner, 'deliver' | 'side'>,
  ) {
    this.decoder = framing.decoder({ maxFrameLength: frameLimit });
    this.skipsEmpty = emptyFrames === 'heartbeat';
  }

  /** @returns what is wrong, after the messages before it were given; undefined where nothing is */
  push(chunk: Buffer): NinjaTcpError | undefined {
    const { decoder } = this;
    try {
      if (this.owner.side === undefined) decoder.push(chunk, this.receive);
      else this.pushSpans(decoder, chunk);
      this.unfinished = decoder.unfinished;
      this.heldBytes = decoder.heldBytes;
      return undefined;
    } catch (error) {
      return framingFault(error);
    }
  }

  private readonly receive = (message: Buffer): void => {
    this.frames += 1;
    if (this.over) return;
    // A heartbeat.
    if (message.length === 0 && this.skipsEmpty) return;
    this.owner.deliver(message);
  };

  /** In a session. */
  private pushSpans(decoder: Decoder, chunk: Buffer): void {
    this.receiveSpan ??= this.makeReceiveSpan();
    this.receiveRun ??= this.makeReceiveRun();
    const { receiveSpan } = this;
    if ('spans' in decoder) (decoder as SpanDecoder).spans(chunk, receiveSpan, this.receiveRun);
    // A program's own framing.
    else decoder.push(chunk, (frame) => receiveSpan(frame, 0, frame.length, frame.buffer));
  }

  private makeReceiveSpan(): ReceiveSpan {
    return (source, start, length, memory) => {
      this.frames += 1;
      if (!this.over) this.owner.side?.receiveSpan(source, start, length, memory);
    };
  }

  private makeReceiveRun(): TakeRun {
    return (chunk, at, end, memory) => {
      if (this.over) return at;
      const next = this.owner.side?.receiveRun(chunk, at, end, memory) ?? at;
      if (next > at) this.frames += 1;
      return next;
    };
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
