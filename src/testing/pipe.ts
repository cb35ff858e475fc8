import type { EventLoop } from './loop.js';

/** How packets travel from one host to another. */
export interface Link {
  /** One way, milliseconds. */
  readonly latencyMs: number;
  /** At most so much is added to the latency of a packet, by chance, milliseconds. */
  readonly jitterMs: number;
  /** Per connection and direction. */
  readonly bytesPerSecond: number;
}

/** What a pipe asks of the network. */
export interface Wiring {
  readonly loop: EventLoop;
  readonly link: Link;
  isCut(from: string, to: string): boolean;
  /** Something waits in this pipe for the way to be healed. */
  waits(pipe: Pipe): void;
}

interface Packet {
  at: number;
  readonly deliver: () => void;
}

/**
 * One direction of one connection: packets arrive in the order in which they were sent (one that could be there earlier
 * waits for those before it), or not at all. While the way is
 * cut they wait at its end (TCP would send them again): what they bring is late, never lost or out of order.
 */
export class Pipe {
  private readonly packets: Packet[] = [];
  private armed = false;
  private lineFreeAt = 0;

  constructor(
    private readonly wiring: Wiring,
    readonly from: string,
    readonly to: string,
    private readonly random: () => number,
  ) {}

  get isCut(): boolean {
    return this.wiring.isCut(this.from, this.to);
  }

  /** Sends a packet of so many bytes; `deliver` is called when it arrives. */
  send(bytes: number, deliver: () => void): void {
    const { loop, link } = this.wiring;
    this.lineFreeAt = Math.max(this.lineFreeAt, loop.now) + (bytes * 1000) / link.bytesPerSecond;
    const jitter = link.jitterMs > 0 ? this.random() * link.jitterMs : 0;
    this.packets.push({ at: this.lineFreeAt + link.latencyMs + jitter, deliver });
    this.arm();
  }

  /** Nothing of what is under way will arrive. */
  purge(): void {
    this.packets.length = 0;
  }

  /** The way was cut and is not any more: what waited is sent anew. */
  healed(): void {
    const earliest = this.wiring.loop.now + this.wiring.link.latencyMs;
    for (const packet of this.packets) packet.at = Math.max(packet.at, earliest);
    this.arm();
  }

  private arm(): void {
    const [head] = this.packets;
    if (this.armed || head === undefined) return;
    if (this.isCut) {
      this.wiring.waits(this);
      return;
    }
    this.armed = true;
    this.wiring.loop.atInstant(head.at, () => {
      this.armed = false;
      this.arrive();
    });
  }

  private arrive(): void {
    const { now } = this.wiring.loop;
    for (let head = this.packets[0]; head !== undefined && head.at <= now && !this.isCut; head = this.packets[0]) {
      this.packets.shift();
      head.deliver();
    }
    this.arm();
  }
}
