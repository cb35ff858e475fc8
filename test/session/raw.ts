/** Clients without ninja-tcp, from the frames of the core: some of them are thieves. */
import type { Environment, Transport } from '../../src/environment.js';
import { decode, encode } from '../../src/protocol/session/frames.js';
import { type Keys, type SessionCrypto, seal, sessionCrypto } from '../../src/protocol/session/keys.js';
import { DATA, type Frame, type FrameOf, layouts, refusalName } from '../../src/protocol/session/layouts.js';
import { PORT, type Stage } from '../connection/stage.js';
import { TLS_FACTS, Wire } from '../simulation/sessions/wire.js';

/** The same bytes each time are good enough here. */
const crypto: SessionCrypto = sessionCrypto((length) => Buffer.alloc(length, 7));

/** What a network that lets others read along shows of one side. */
export class Wiretap {
  readonly heard: Frame[] = [];
  readonly said: Buffer[] = [];
  /** The client's transports, the latest last. */
  readonly transports: Transport[] = [];

  get keys(): Keys {
    return this.heard.find(({ name }) => name === 'WELCOME') as FrameOf<'WELCOME'>;
  }

  /** The last RESUME that went over it, as it stands on the wire, without its length. */
  get resume(): Buffer {
    return this.said.findLast((frame) => frame[0] === layouts.RESUME.type) as Buffer;
  }
}

/** Cuts a stream into frames; all of these tests have lengths of 4 bytes. */
class Cutter {
  private rest = Buffer.alloc(0);

  push(bytes: Buffer): Buffer[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const frames: Buffer[] = [];
    while (this.rest.length >= 4 && this.rest.length >= 4 + this.rest.readUInt32BE()) {
      const end = 4 + this.rest.readUInt32BE();
      if (end > 4) frames.push(Buffer.from(this.rest.subarray(4, end)));
      this.rest = this.rest.subarray(end);
    }
    return frames;
  }
}

export function framed(frame: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(frame.length);
  return Buffer.concat([header, frame]);
}

/** One end of a socket that is tapped. */
class TappedWire extends Wire {
  private readonly outgoing = new Cutter();
  private readonly incoming = new Cutter();

  constructor(
    private readonly tap: Wiretap,
    ...wire: ConstructorParameters<typeof Wire>
  ) {
    super(...wire);
    tap.transports.push(this);
  }

  override write(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.tap.said.push(...this.outgoing.push(Buffer.from(bytes)));
    super.write(bytes, written);
  }

  override chunk(bytes: Buffer): void {
    for (const frame of this.incoming.push(bytes)) if (frame[0] !== DATA) this.tap.heard.push(decode(frame));
    super.chunk(bytes);
  }
}

/** The environment, with a wiretap on what it dials; `secure` says on both sides that nobody can read along. */
export function tapped(environment: Environment, secure: boolean, tap = new Wiretap()): Environment {
  const { clock } = environment;
  const facts = secure ? TLS_FACTS : undefined;
  return {
    ...environment,
    dial: (target) => new TappedWire(tap, environment.dial(target), clock, facts),
    listen: (target, handlers) =>
      environment.listen(target, {
        ...handlers,
        accepted: (transport) => handlers.accepted(new Wire(transport, clock, facts)),
      }),
  };
}

/** One socket of somebody who speaks in frames. */
export class RawClient {
  readonly heard: Frame[] = [];
  /** `opened`, `ended`, `closed`, … */
  readonly life: string[] = [];
  private readonly cutter = new Cutter();

  constructor(readonly transport: Transport) {
    transport.attach({
      opened: () => this.life.push('opened'),
      chunk: (bytes) => {
        for (const frame of this.cutter.push(bytes)) if (frame[0] !== DATA) this.heard.push(decode(frame));
      },
      ended: () => {
        this.life.push('ended');
        transport.end(() => {});
      },
      failed: () => this.life.push('failed'),
      closed: () => this.life.push('closed'),
    });
  }

  bytes(bytes: Uint8Array): void {
    this.transport.write(bytes, () => {});
  }

  say(frame: Uint8Array): void {
    this.bytes(framed(frame));
  }

  /** The answer in a word: `WELCOME`, `REFUSED LIMIT`; undefined where there was none. */
  get answer(): string | undefined {
    const first = this.heard[0];
    return first?.name === 'REFUSED' ? `REFUSED ${refusalName(first.code)}` : first?.name;
  }
}

/** Dials, and waits until it is open. */
export async function dialFrames(at: Stage, host: string): Promise<RawClient> {
  const client = new RawClient(at.network.environment(host).dial({ host: 'server', port: PORT, noDelay: true }));
  await at.clock.runUntil(() => client.life.length > 0);
  return client;
}

export function hello(instance: number | Uint8Array, more: Partial<FrameOf<'HELLO'>> = {}): Buffer {
  const clientInstance = typeof instance === 'number' ? Buffer.alloc(16) : instance;
  if (typeof instance === 'number') (clientInstance as Buffer).writeUInt32BE(instance, 12);
  return encode('HELLO', {
    verMin: 1,
    verMax: 1,
    maxFrame: 2 ** 20,
    windowBytes: 2 ** 20,
    windowMessages: 1000,
    heartbeatMs: 1000,
    resumeMs: 120_000,
    clientInstance,
    tlvs: [],
    ...more,
  });
}

/** Asks for a session that somebody has, with what is known of it. */
export function resume(keys: Keys, more: Partial<FrameOf<'RESUME'>> = {}): Buffer {
  const nonce = more.nonce ?? Buffer.alloc(16, 9);
  const bytes = encode('RESUME', {
    version: 1,
    sessionId: keys.sessionId,
    epoch: 2,
    rxNext: 1,
    txFirst: 1,
    txNext: 1,
    nonce,
    tlvs: [],
    ...more,
  });
  return seal(crypto, 'RESUME', keys, nonce, bytes);
}
