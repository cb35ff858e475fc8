import { createRandom } from '../../../src/testing/random.js';
import type { Pause, Policy } from './candidates.js';
import { Listener } from './listener.js';
import { Tally } from './tally.js';
import { Timeline } from './timeline.js';
import type { Kind, World } from './world.js';

/** What is longer than this does not heal. */
const HOPELESS = 3_600_000;
/** A kernel that gets no ACK for its first bytes sends them again so much later, then twice as much, and so on. */
const DATA_AGAIN = 200;

interface Client {
  readonly pause: Pause;
  readonly chance: () => number;
  readonly roundTrip: number;
  failures: number;
  /** The number of the attempt: what belongs to an older one comes to nothing. */
  epoch: number;
  dialledAt: number;
  /** The epoch that the server's process has taken. */
  servedEpoch: number;
  /** When the first byte of this epoch came. */
  liveAt: number | undefined;
  healedAt: number;
}

interface Socket {
  readonly client: Client;
  readonly epoch: number;
}

/**
 * Many clients lose one server, and find it again. What a client does while nobody is served concerns no other one, so it
 * is reckoned in a loop; only what meets a server that is up goes through the timeline.
 */
class Storm {
  private readonly timeline = new Timeline();
  private readonly listener: Listener<Socket>;
  private readonly clients: readonly Client[];
  readonly tally: Tally;

  constructor(
    private readonly world: World,
    policy: Policy,
    seed: number,
  ) {
    for (const { kind, lasts } of world.outages) {
      // The line may live on then, and heal without a dial, when TCP sends again: that is another question.
      if (kind === 'silent' && lasts < world.staleAfter) throw new RangeError('silent for less than staleAfter');
    }
    const { timeline } = this;
    this.tally = new Tally(world);
    this.listener = new Listener(timeline, world.backlog, world.perSecond, (socket) => this.served(socket));
    const [from, to] = world.roundTrip;
    this.clients = Array.from({ length: world.clients }, (_, index) => {
      const chance = createRandom(seed, `network ${index}`);
      return {
        pause: policy.pause(createRandom(seed, `backoff ${index}`)),
        chance,
        roundTrip: inMicroseconds(from + chance() * (to - from)),
        failures: 0,
        epoch: 1,
        dialledAt: Number.NEGATIVE_INFINITY,
        servedEpoch: 1,
        liveAt: Number.NEGATIVE_INFINITY,
        healedAt: Number.NaN,
      };
    });
    for (const outage of world.outages) timeline.at(outage.at, () => this.begin(outage.kind));
    timeline.run(HOPELESS);
    if (this.clients.some(({ liveAt }) => liveAt === undefined)) {
      throw new Error(`${policy.name}: not healed after ${HOPELESS} ms`);
    }
    this.tally.healed(this.clients.map(({ healedAt }) => healedAt));
  }

  /** What a packet meets that arrives at this time. */
  private kindAt(time: number): Kind | 'up' {
    for (const { at, lasts, kind } of this.world.outages) {
      if (time >= at && time < at + lasts) return kind;
    }
    return 'up';
  }

  /** An outage begins. All that the server had ends by it; where it knows of a handshake only, its next packet does. */
  private begin(kind: Kind): void {
    const { now } = this.timeline;
    const served = this.clients.filter(({ epoch, servedEpoch }) => epoch === servedEpoch);
    if (kind === 'silent') {
      for (const client of served) this.silence(client);
      return;
    }
    const open = this.listener.die();
    for (const client of served) open.push({ client, epoch: client.epoch });
    for (const { client, epoch } of open) this.timeline.at(now + client.roundTrip / 2, () => this.lost(client, epoch));
  }

  /** What a client heard last, it heard at some time between two heartbeats. One that is not live is timed already. */
  private silence(client: Client): void {
    const { epoch, liveAt } = client;
    if (liveAt === undefined) return;
    const ago = inMicroseconds(client.chance() * this.world.heartbeatInterval);
    const heardAt = Math.max(liveAt, this.timeline.now - ago);
    this.timeline.at(heardAt + this.world.staleAfter, () => this.lost(client, epoch, heardAt));
  }

  /** The attempt or the line of this epoch is lost now. */
  private lost(client: Client, epoch: number, heardAt = this.timeline.now): void {
    if (client.epoch !== epoch) return;
    const { liveAt } = client;
    if (liveAt !== undefined && heardAt - liveAt >= this.world.stableAfter) client.failures = 0;
    this.dial(client, this.timeline.now);
  }

  /** One attempt after the other, from a failure on, until one meets a server that is up. */
  private dial(client: Client, failedAt: number): void {
    let at: number | undefined = failedAt;
    while (at !== undefined && at < HOPELESS) {
      client.failures += 1;
      at += inMicroseconds(client.pause(client.failures, at - client.dialledAt));
      this.tally.dial(at);
      client.epoch += 1;
      client.dialledAt = at;
      client.liveAt = undefined;
      at = this.sendSyn(client, 0);
    }
  }

  /**
   * The SYN is sent, and again and again by the kernel where no answer comes.
   *
   * @param first how often it was sent before
   * @returns when the attempt fails; nothing, where a SYN meets a server that is up
   */
  private sendSyn(client: Client, first: number): number | undefined {
    const { world } = this;
    const { dialledAt, epoch, roundTrip } = client;
    const deadline = dialledAt + world.connectTimeout;
    for (let sent = first; sent <= world.again.length; sent += 1) {
      const sentAt = dialledAt + (sent === 0 ? 0 : (world.again[sent - 1] as number));
      if (sentAt >= deadline) break;
      // It, or the answer: for the client that is the same.
      if (this.isLost(client)) continue;
      const arrivesAt = sentAt + roundTrip / 2;
      const meets = this.kindAt(arrivesAt);
      if (meets === 'refused') return Math.min(sentAt + roundTrip, deadline);
      if (meets === 'dropped') return Math.min(sentAt + 2 * roundTrip, deadline);
      if (meets === 'silent') continue;
      this.timeline.at(arrivesAt, () => this.synCame({ client, epoch }, sent));
      return undefined;
    }
    return deadline;
  }

  /** A server that is up answers, unless what its process has not taken yet fills the backlog: then it is deaf. */
  private synCame(socket: Socket, sent: number): void {
    const { client, epoch } = socket;
    const { now } = this.timeline;
    const deadline = client.dialledAt + this.world.connectTimeout;
    const opensAt = now + client.roundTrip / 2;
    if (this.listener.full) {
      this.tally.overflowed += 1;
      const failsAt = this.sendSyn(client, sent + 1);
      if (failsAt !== undefined) this.timeline.at(failsAt, () => this.lost(client, epoch));
    } else if (opensAt >= deadline) {
      this.timeline.at(deadline, () => this.lost(client, epoch));
    } else {
      this.timeline.at(now + client.roundTrip, () => this.ackCame(socket, DATA_AGAIN));
      // TCP is open for the client now, whatever becomes of its ACK: from here on it is the silence that counts.
      this.timeline.at(opensAt + this.world.staleAfter, () => {
        if (client.liveAt === undefined) this.lost(client, epoch);
      });
    }
  }

  /** The last ACK of the handshake. Where it is lost, the client's first bytes bring it again: its opening heartbeat. */
  private ackCame(socket: Socket, again: number): void {
    const { client, epoch } = socket;
    if (client.epoch !== epoch) return;
    const { now } = this.timeline;
    const meets = this.kindAt(now);
    if (meets === 'refused' || meets === 'dropped') {
      this.timeline.at(now + client.roundTrip / 2, () => this.lost(client, epoch));
    } else if (meets === 'silent' || this.listener.full || this.isLost(client)) {
      if (meets === 'up' && this.listener.full) this.tally.overflowed += 1;
      this.timeline.at(now + again, () => this.ackCame(socket, 2 * again));
    } else {
      this.listener.push(socket);
    }
  }

  /** The server's process has taken the socket, and says its first byte. */
  private served({ client, epoch }: Socket): void {
    if (client.epoch !== epoch) return;
    client.servedEpoch = epoch;
    this.timeline.at(this.timeline.now + client.roundTrip / 2, () => {
      if (client.epoch !== epoch || this.kindAt(this.timeline.now) === 'silent') return;
      client.liveAt = this.timeline.now;
      client.healedAt = this.timeline.now;
    });
  }

  private isLost(client: Client): boolean {
    return this.world.loss > 0 && client.chance() < this.world.loss;
  }
}

/** So that the last bit of a power, which may differ from one engine to the next, changes nothing. */
const inMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** What the clients of this world go through with this policy. The same seed gives the same storm. */
export function storm(world: World, policy: Policy, seed: number): Tally {
  return new Storm(world, policy, seed).tally;
}
