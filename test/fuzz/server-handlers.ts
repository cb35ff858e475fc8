/** What programs do with their peers, the right and the wrong; and what passed through their hands. */
import type { Peer } from '../../src/index.js';

export const handlerKinds = [
  ...(['echoes', 'echoes', 'listens', 'takesNothing', 'takesOne', 'floods', 'closes', 'disposes'] as const),
  ...(['throws', 'rejects', 'throwsInListener', 'rejectsInListener', 'throwsInLoop', 'throwsAtEnd'] as const),
];
export type HandlerKind = (typeof handlerKinds)[number];

/** What one peer's handler saw, in copies. */
interface Ledger {
  readonly received: Buffer[];
  readonly sent: Buffer[];
  /** The handler is about to throw. */
  throws(): never;
}

/** What handlers throw. */
export const oops = new TypeError('oops');

export class Handlers {
  /** The codes with which peers ended. */
  readonly ends: string[] = [];
  /** Peers whose handler threw. */
  readonly threw = new Set<number>();
  private readonly ledgers = new Map<number, Ledger>();

  constructor(
    private readonly kinds: readonly HandlerKind[],
    /** Its peers are treated well. */
    private readonly honestAddress: string,
  ) {}

  of(remotePort: number): Ledger | undefined {
    return this.ledgers.get(remotePort);
  }

  readonly handle = (peer: Peer): unknown => {
    const throws = (): never => {
      this.threw.add(peer.id);
      throw oops;
    };
    const ledger: Ledger = { received: [], sent: [], throws };
    peer.on('disposed', ({ reason }) => this.ends.push(reason.code));
    if (peer.remoteAddress === this.honestAddress) return echo(peer, ledger);
    this.ledgers.set(peer.remotePort as number, ledger);
    const kind = this.kinds[peer.id % this.kinds.length] as HandlerKind;
    return handlers[kind](peer, ledger);
  };
}

function take(ledger: Ledger, message: Buffer): Buffer {
  const copy = Buffer.from(message);
  ledger.received.push(copy);
  return copy;
}

/** @returns false when it is time to wait */
function send(peer: Peer, ledger: Ledger, message: Buffer): boolean {
  const room = peer.send(message);
  ledger.sent.push(message);
  return room;
}

async function echo(peer: Peer, ledger: Ledger): Promise<void> {
  for await (const message of peer) {
    if (!send(peer, ledger, take(ledger, message))) await peer.drained();
  }
}

const handlers: Readonly<Record<HandlerKind, (peer: Peer, ledger: Ledger) => unknown>> = {
  echoes: echo,
  // Refused with OUTBOX_FULL where the client does not read: that is a fault of this handler.
  listens: (peer, ledger) => void peer.on('message', (message) => send(peer, ledger, take(ledger, message))),
  takesNothing: () => {},
  takesOne: async (peer, ledger) => {
    for await (const message of peer) {
      take(ledger, message);
      break;
    }
    await peer.closed();
  },
  floods: async (peer, ledger) => {
    for (let i = 0; i < 100; i += 1) {
      if (!send(peer, ledger, Buffer.alloc(90, i))) await peer.drained();
    }
    await echo(peer, ledger);
  },
  closes: (peer) => peer.close(),
  disposes: (peer) => void peer.dispose(),
  throws: (_, { throws }) => throws(),
  rejects: async (_, { throws }) => throws(),
  throwsInListener: (peer, ledger) =>
    void peer.on('message', (message) => {
      take(ledger, message);
      if (ledger.received.length === 2) ledger.throws();
    }),
  rejectsInListener: (peer, ledger) => {
    peer.on('message', async (message) => {
      take(ledger, message);
      if (message.length % 2 === 0) ledger.throws();
    });
  },
  throwsInLoop: async (peer, ledger) => {
    for await (const message of peer) {
      take(ledger, message);
      if (message.length % 2 === 0) ledger.throws();
    }
  },
  throwsAtEnd: async (peer, ledger) => {
    await echo(peer, ledger).catch(() => {});
    ledger.throws();
  },
};
