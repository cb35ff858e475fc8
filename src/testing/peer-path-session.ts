import type { Environment, Timer } from '../environment.js';
import {
  ClientSession,
  DATA_HEAD,
  type SessionLink,
  type SessionOwner,
  sessionCrypto,
  writeDataHead,
} from '../protocol/session/index.js';
import { frame } from './bytes.js';
import { type ClientWords, PathClient } from './peer-path-client.js';

type Random = (length: number) => Uint8Array;

const nobody = (): void => {};

/** The client's side of a session, over one line after another. */
export class PathSession implements SessionOwner {
  /** The messages that came, each once. */
  readonly replies: Buffer[] = [];
  readonly core: ClientSession;
  private timer: Timer | undefined;

  constructor(private readonly environment: Environment) {
    const window = { bytes: 2 ** 20, messages: 2 ** 16 };
    const options = {
      maxFrame: 2 ** 20,
      window,
      retain: window,
      heartbeatMs: 1000,
      resumeMs: 2 ** 31 - 1,
      endpoints: 1,
    };
    const crypto = sessionCrypto(environment.randomBytes as Random);
    this.core = new ClientSession({ acknowledge: 'handled', ...options }, crypto, this);
  }

  now(): number {
    return this.environment.clock.now();
  }

  deliver(message: Buffer): boolean {
    this.replies.push(Buffer.from(message));
    return true;
  }

  leaving(): void {
    this.core.finish();
  }

  wake(at: number): void {
    const { clock } = this.environment;
    if (this.timer) clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => this.core.tick(this.now()), Math.max(0, at - this.now()));
  }

  readonly acknowledged = nobody;
  readonly room = nobody;
  readonly attached = nobody;
  readonly detached = nobody;
  readonly draining = nobody;
  readonly refused = nobody;
  readonly ended = nobody;
}

/** One line of a session. It reads and counts what comes, but says nothing about it while it is quiet. */
export class SessionLine extends PathClient implements SessionLink {
  override readonly replies: Buffer[];
  /** It was spoken to by a path, and says what there is to say. */
  private talks = false;
  /** The handshake is said by itself. */
  private greeted = false;
  /** What it will say when it talks again. */
  private unsaid: Buffer[] = [];
  private captured: Buffer | undefined;

  constructor(
    environment: Environment,
    target: { readonly host: string; readonly port: number },
    words: ClientWords,
    private readonly session: PathSession,
  ) {
    super(environment, target, words);
    this.replies = session.replies;
  }

  override get ready(): boolean {
    return this.session.core.state === 'attached';
  }

  // --- as the session's core wants it

  data(number: number, payload: Uint8Array): boolean {
    const message = Buffer.alloc(DATA_HEAD + payload.length);
    writeDataHead(message, 0, number);
    message.set(payload, DATA_HEAD);
    this.tell(frame(message, this.words.framing));
    return true;
  }

  control(message: Buffer): void {
    const whole = frame(message, this.words.framing);
    if (this.greeted) this.tell(whole);
    else this.write(whole);
    this.greeted = true;
  }

  drop(): void {
    this.hangUp();
  }

  // --- as the path wants it

  override speak(everyMs: number): void {
    this.talk();
    super.speak(everyMs);
    this.talks = true;
  }

  override flood(): void {
    for (let count = 0; count < this.words.flood; count += 1) this.say(this.words.message);
  }

  override finishFrame(everyMs: number): void {
    super.finishFrame(everyMs);
    this.talk();
  }

  override quiet(): void {
    super.quiet();
    this.talks = false;
  }

  /** A stopped program reads nothing: so it does not hear that the server leaves. */
  override ignoreEnd(): void {
    super.ignoreEnd();
    this.stopReading();
  }

  override answerEnd(): void {
    this.write(this.rest);
    this.rest = Buffer.alloc(0);
    this.talk();
    super.answerEnd();
  }

  /** Leaves as it should. */
  goodbye(): void {
    this.talk();
    this.session.core.finish();
  }

  /** Has another line, and does not tell the server of it on this one. */
  abandon(): void {
    this.quiet();
    this.session.core.lost(this, this.session.now());
  }

  protected override opens(): void {
    this.session.core.open(this, [], this.session.now());
  }

  protected override goes(): void {
    this.session.core.lost(this, this.session.now());
  }

  protected override take(message: Buffer): void {
    this.session.core.receive(this, message, this.session.now());
  }

  protected override wholeMessage(): Buffer {
    this.captured = Buffer.alloc(0);
    this.say(this.words.message);
    const whole = this.captured;
    this.captured = undefined;
    return whole;
  }

  /** A message, or a sign of life where there is nothing to say. */
  protected override say(message: Uint8Array | string): void {
    const { core } = this.session;
    const payload = Buffer.from(message as string);
    const sign = payload.length === 0 ? core.signOfLife() : undefined;
    if (sign) this.tell(frame(sign, this.words.framing));
    else core.send(payload);
  }

  private talk(): void {
    this.talks = true;
    for (const whole of this.unsaid.splice(0)) this.write(whole);
  }

  /** Not into the middle of a frame. */
  private tell(whole: Buffer): void {
    if (this.captured) this.captured = whole;
    else if (this.talks && this.rest.length === 0) this.write(whole);
    else this.unsaid.push(whole);
  }
}
