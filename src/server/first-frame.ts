import type { Transport } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import type { Decoder } from '../framing/framing.js';
import { LONGEST_HANDSHAKE } from '../options.js';
import { opensSession } from '../protocol/session/index.js';
import type { ServerSettings } from '../settings.js';
import { NOTHING, ReadAhead } from '../socket/read-ahead.js';

/** What may come behind a handshake before it is answered, bytes: a client that knows the protocol sends nothing. */
const MOST_BEHIND = 64 * 1024;

export type Opening =
  /** HELLO or RESUME. */
  | { readonly kind: 'session'; readonly frame: Buffer }
  /** Anything else: all that came goes to a plain peer. */
  | { readonly kind: 'plain'; readonly first: Buffer | undefined }
  | { readonly kind: 'failed'; readonly error: NinjaTcpError };

/** Reads the first frame that is not empty: it tells a session from a plain peer. */
export class FirstFrame extends ReadAhead {
  private decoder: Decoder | undefined;
  /** All that came, while it is not known what it is. */
  private chunks: Buffer[] = [];
  private bytes = 0;
  /** Of these, up to the end of the first frame. */
  private taken = 0;
  private first: Buffer | undefined;
  private over = false;
  /** It was answered with a refusal: what it still says or does is of no interest. */
  refused = false;

  /** @param done is told once, from the event loop */
  constructor(
    transport: Transport,
    private readonly settings: Pick<ServerSettings, 'framing' | 'frameLimit' | 'handshakeTimeout'>,
    private readonly done: (opening: Opening) => void,
  ) {
    super();
    this.decoder = settings.framing.decoder({ maxFrameLength: settings.frameLimit });
    transport.attach(this);
  }

  get decided(): boolean {
    return this.over;
  }

  /** Nobody waits for it any longer: whoever speaks only when spoken to is plain. */
  giveUp(): void {
    const { decoder } = this;
    this.decide({ kind: 'plain', first: undefined });
    this.decoder = decoder;
  }

  override chunk(bytes: Buffer): void {
    if (this.owner && this.decoder && this.asksTooLate(bytes)) {
      const { handshakeTimeout } = this.settings;
      const rule = `handshakeTimeout, ${handshakeTimeout} ms, was over when the client asked for a session`;
      this.owner.failed(new NinjaTcpError('NINJA_HANDSHAKE_TIMEOUT', rule));
    } else {
      super.chunk(bytes);
    }
  }

  /** Whether who was taken for a plain peer is none: no program is to be given a handshake as a message. */
  private asksTooLate(bytes: Buffer): boolean {
    this.decode(bytes);
    const { first } = this;
    if (first || this.isLongerThanHandshakes) this.forget();
    return first !== undefined && opensSession(first);
  }

  protected read(bytes: Buffer): void {
    if (this.over) {
      this.keep(bytes);
      return;
    }
    this.chunks.push(bytes);
    this.decode(bytes);
    const { first } = this;
    if (first && opensSession(first)) {
      // A copy: the handshake may be looked at when the chunk is long gone.
      this.decide({ kind: 'session', frame: Buffer.from(first) });
    } else if (first || this.isLongerThanHandshakes) {
      this.decide({ kind: 'plain', first: first ?? bytes });
    }
  }

  private get isLongerThanHandshakes(): boolean {
    return this.bytes > LONGEST_HANDSHAKE + this.settings.framing.headerLength;
  }

  private decode(bytes: Buffer): void {
    this.bytes += bytes.length;
    try {
      this.decoder?.push(bytes, (frame) => this.receive(frame));
    } catch {
      // What is wrong with it, the decoder of whoever it goes to will say.
      this.first ??= bytes;
    }
  }

  private receive(frame: Buffer): void {
    if (this.first) return;
    this.taken += this.settings.framing.headerLength + frame.length;
    if (frame.length > 0) this.first = frame;
  }

  private decide(opening: Opening): void {
    if (this.over) return;
    this.over = true;
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    // A view, also an empty one, would keep the whole chunk; the rest of this lives as long as its socket.
    this.rest = opening.kind === 'plain' ? all : this.taken === all.length ? NOTHING : all.subarray(this.taken);
    this.chunks = [];
    this.forget();
    this.done(opening);
  }

  private forget(): void {
    this.first = undefined;
    this.decoder = undefined;
  }

  private keep(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    if (this.rest.length > MOST_BEHIND) {
      this.rest = NOTHING;
      const rule = `at most ${MOST_BEHIND} bytes may follow a handshake before it is answered`;
      this.done({ kind: 'failed', error: new NinjaTcpError('NINJA_PROTOCOL', rule) });
    }
  }

  protected cut(): void {
    const error = new NinjaTcpError('NINJA_CLOSED_BY_PEER', 'it closed before its session was opened');
    this.over = true;
    this.done({ kind: 'failed', error });
  }
}
