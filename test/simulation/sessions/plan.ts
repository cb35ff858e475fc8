import { type ConnectOptions, type ListenOptions, lengthPrefixed } from '../../../src/index.js';
import type { AcknowledgeMode } from '../../../src/options.js';
import type { NetworkOptions } from '../../../src/testing/index.js';
import { Dice } from '../dice.js';
import { HEAD } from './payload.js';

export type ReaderKind = 'iterate' | 'batches' | 'listen' | 'slow' | 'late' | 'poll';

export interface TrafficPlan {
  /** So many messages within the chaos, about. */
  readonly budget: number;
  /** Messages of a burst, at most; a flood fills windows and outboxes. */
  readonly burst: number;
  /** Milliseconds from burst to burst, on average. */
  readonly every: number;
  readonly largest: number;
  readonly huge: number;
  readonly hugeSize: number;
  /** Waits when told to. */
  readonly obeys: boolean;
  /** How often a message goes by `deliver()`, of 1; how often that one has a `ttl`, or a signal that fires. */
  readonly delivers: number;
  readonly mortal: number;
  readonly aborted: number;
  /** How often a burst ends with `flush()`, of 1. */
  readonly flushes: number;
}

export interface Order {
  readonly at: number;
  readonly what: 'disconnect' | 'connect' | 'reconnectNow' | 'close' | 'dispose';
}

export interface ClientPlan {
  readonly name: string;
  readonly options: Partial<ConnectOptions>;
  readonly acknowledge: AcknowledgeMode;
  readonly reader: ReaderKind;
  readonly traffic: TrafficPlan;
  readonly orders: readonly Order[];
  /** Milliseconds until the credentials are there; 0 for at once, undefined for none. */
  readonly credentialsAfter: number | undefined;
}

export interface BreaksPlan {
  /** Milliseconds from break to break of one client, on average. */
  readonly every: number;
  /** How often a fresh socket breaks in or soon after its handshake, of 1. */
  readonly early: number;
  /** How long half a break lasts that takes time, at most, milliseconds. */
  readonly longest: number;
  readonly crashes: number;
}

export interface Plan {
  readonly seed: number;
  readonly network: Partial<NetworkOptions>;
  readonly roundTrip: number;
  readonly clients: readonly ClientPlan[];
  readonly server: {
    readonly options: Partial<ListenOptions>;
    readonly acknowledge: AcknowledgeMode;
    readonly reader: ReaderKind;
    readonly traffic: TrafficPlan;
    /** Milliseconds until `authenticate` has answered; 0 for at once, undefined for none. */
    readonly authenticatesAfter: number | undefined;
    /** Its program ends peers now and then: so many in the whole chaos, on average. */
    readonly ends: number;
  };
  readonly secure: boolean;
  /** Fewer sessions than clients. */
  readonly crowded: boolean;
  readonly breaks: BreaksPlan;
  readonly chaosMs: number;
  readonly endsWith: 'clients' | 'server' | 'both';
  /** The network is not healed before the end. */
  readonly endsInChaos: boolean;
}

export interface Window {
  readonly bytes?: number;
  readonly messages?: number;
}

/** How many messages of a length pass at once, where both sides have a window. */
function atOnce(windows: readonly Window[], length: number): number {
  return Math.min(
    ...windows.map(({ bytes = 8e6, messages = 65_536 }) => Math.min(messages, Math.max(1, bytes / length))),
  );
}

function drawWindow(dice: Dice): Window {
  return dice.weighted<Window>([
    [3, {}],
    [2, { messages: dice.scale(1, 300) }],
    [1, { bytes: dice.scale(50, 300_000) }],
  ]);
}

function drawTraffic(dice: Dice, chaosMs: number, most: number, largest: number, rate: number): TrafficPlan {
  const budget = dice.chance(0.1) ? dice.int(0, 20) : dice.scale(Math.min(500, most), most);
  const burst = dice.weighted([
    [3, dice.int(1, 6)],
    [3, dice.scale(5, Math.max(5, budget / 8))],
    [2, Math.max(1, Math.floor(budget / dice.int(2, 5)))],
  ]);
  return {
    budget,
    burst,
    every: Math.max(1, (chaosMs * (burst + 1)) / 2 / Math.max(1, budget)),
    largest: Math.max(HEAD, Math.min(largest, Math.floor((rate * chaosMs) / 4000 / Math.max(1, budget)))),
    huge: dice.chance(0.15) ? 0.003 : 0,
    hugeSize: Math.min(200_000, Math.max(HEAD, Math.floor(rate * 2))),
    obeys: dice.chance(0.75),
    delivers: dice.pick([0, 0.02, 0.02, 0.2, 1]),
    mortal: dice.pick([0, 0.1, 0.5]),
    aborted: dice.pick([0, 0.05, 0.2]),
    flushes: dice.pick([0, 0, 0.2]),
  };
}

/** How many messages, at most, are meant for a reader. */
const SLOW: Readonly<Record<ReaderKind, number>> = {
  iterate: 60_000,
  batches: 60_000,
  listen: 60_000,
  late: 60_000,
  poll: 60_000,
  slow: 2000,
};

function drawReader(dice: Dice): ReaderKind {
  return dice.weighted([
    [4, 'iterate'],
    [2, 'batches'],
    [4, 'listen'],
    [2, 'late'],
    [1, 'slow'],
    [1, 'poll'],
  ] as const);
}

const drawMode = (dice: Dice): AcknowledgeMode =>
  dice.weighted([
    [5, 'handled'],
    [2, 'received'],
    [3, 'manual'],
  ] as const);

function drawOrders(dice: Dice, chaosMs: number): Order[] {
  const orders: Order[] = [];
  for (let left = dice.chance(0.4) ? dice.int(1, 10) : 0; left > 0; left -= 1) {
    const what = dice.weighted([
      [4, 'reconnectNow'],
      [1, 'disconnect'],
    ] as const);
    const at = dice.int(0, chaosMs);
    orders.push({ at, what });
    if (what === 'disconnect') orders.push({ at: at + dice.scale(1, 3000), what: 'connect' });
  }
  if (dice.chance(0.1)) orders.push({ at: dice.int(0, chaosMs), what: dice.chance(0.8) ? 'close' : 'dispose' });
  return orders;
}

function drawSide(dice: Dice, staleAfter: number, trip: number): Partial<ConnectOptions & ListenOptions> {
  const beat = Math.max(5, Math.floor(staleAfter / dice.pick([2, 3, 4]) - trip / 4));
  return {
    staleAfter,
    heartbeatInterval: beat,
    ...(dice.chance(0.25) && { highWaterMark: dice.scale(200, 200_000) }),
    ...(dice.chance(0.2) && { outboxMessages: dice.scale(4, 5000) }),
    ...(dice.chance(0.2) && { inboxMessages: dice.scale(1, 50) }),
    ...(dice.chance(0.1) && { inboxBytes: dice.scale(100, 100_000) }),
    ...(dice.chance(0.2) && { unprovenBytes: dice.scale(1, 100_000) }),
    ...(dice.chance(0.1) && { ttl: dice.scale(50, 5000) }),
    ...(dice.chance(0.15) && { copy: true }),
    ...(dice.chance(0.2) && { finTimeout: dice.scale(50, 2000) }),
  };
}

/** Everything that one seed decides before anything happens. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed, 'session plan');
  const chaosMs = dice.int(12_000, 36_000);
  const staleAfter = dice.scale(200, 1200);
  const names = ['client-a', 'client-b', 'client-c'].slice(
    0,
    dice.weighted([
      [6, 1],
      [3, 2],
      [1, 3],
    ]),
  );
  const cut = dice.weighted([
    [12, 'asWritten'],
    [6, 'random'],
    [1, 'bytes'],
  ] as const);
  const latencyMs = dice.scale(1, 12);
  const jitterMs = dice.chance(0.6) ? 0 : dice.int(1, 10);
  const trip = latencyMs + jitterMs;
  const bytesPerSecond = dice.chance(0.7) ? Number.POSITIVE_INFINITY : dice.scale(50_000, 5_000_000);
  const windowBytes = dice.chance(0.5) ? 262_144 : dice.scale(4096, 262_144);
  const rate = Math.min(bytesPerSecond, (windowBytes * 1000) / (2 * trip + 1)) / 2;
  const chunkSize = Math.max(256, Math.min(65_536, Math.floor((bytesPerSecond * staleAfter) / 8000)));
  const most = cut === 'bytes' ? 150 : cut === 'random' ? 6000 : dice.scale(5000, 60_000);
  const largest =
    cut === 'bytes'
      ? 40
      : dice.weighted([
          [5, dice.scale(HEAD, 200)],
          [1, dice.scale(HEAD, 8000)],
        ]);
  const framing = dice.chance(0.2) && { framing: lengthPrefixed({ includesHeader: true }) };
  const roundTrip = 2 * trip + (2 * chunkSize * 1000) / bytesPerSecond;
  const serverWindow = drawWindow(dice);
  const retainedBytes = dice.chance(0.1) ? dice.scale(4000, 1_000_000) : undefined;
  // A quarter of it is for one client.
  const windows = [serverWindow, ...(retainedBytes ? [{ bytes: retainedBytes / 4 }] : [])];
  const mostIn = (window: Window): number =>
    Math.floor(Math.min(most, (atOnce([...windows, window], largest) * chaosMs) / (2 * roundTrip)));
  const expiring = dice.chance(0.15);
  const serverReader = drawReader(dice);
  const crashes = dice.chance(0.12) ? dice.int(1, 4) : 0;
  const crowded = names.length > 1 && dice.chance(0.3);
  const authenticates = dice.chance(0.4);
  let leastMost = most;
  const clients = names.map((name): ClientPlan => {
    const acknowledge = drawMode(dice);
    const window = drawWindow(dice);
    const reader = drawReader(dice);
    leastMost = Math.min(leastMost, mostIn(window), SLOW[reader]);
    return {
      name,
      acknowledge,
      options: {
        ...framing,
        ...drawSide(dice, staleAfter, trip),
        ...(dice.chance(0.1) && { whenDisconnected: 'fail' as const }),
        ...(dice.chance(0.1) && { maxAttempts: dice.int(2, 8) }),
        ...(dice.chance(0.7) && { backoff: (failures: number) => Math.min(500, failures * 20) }),
        connectTimeout: 12 * trip + dice.scale(200, 3000),
        session: {
          acknowledge,
          onSessionLost: dice.chance(0.7) ? 'new' : 'fail',
          window,
          ...(expiring && dice.chance(0.5) && { resumeWindow: dice.scale(100, 3000) }),
        },
      },
      reader,
      traffic: drawTraffic(dice, chaosMs, Math.min(mostIn(window), SLOW[serverReader]), largest, rate),
      orders: drawOrders(dice, chaosMs),
      credentialsAfter: authenticates ? (dice.chance(0.5) ? 0 : dice.scale(1, 100)) : undefined,
    };
  });
  const acknowledge = drawMode(dice);
  return {
    seed,
    network: { latencyMs, jitterMs, windowBytes, bytesPerSecond, chunkSize, cut },
    roundTrip,
    clients,
    server: {
      acknowledge,
      options: {
        ...framing,
        ...drawSide(dice, staleAfter, trip),
        ...(dice.chance(0.2) && { handshakeTimeout: 12 * trip + dice.scale(100, 3000) }),
        session: {
          mode: dice.chance(0.7) ? 'require' : 'accept',
          acknowledge,
          window: serverWindow,
          resumeWindow: expiring ? dice.scale(100, 5000) : 30_000,
          ...(crowded && { maxSessions: dice.int(1, names.length - 1) }),
          ...(retainedBytes && { retainedBytes }),
        },
      },
      reader: serverReader,
      traffic: drawTraffic(dice, chaosMs, leastMost, largest, rate),
      authenticatesAfter: authenticates ? (dice.chance(0.5) ? 0 : dice.scale(1, 100)) : undefined,
      ends: dice.chance(0.12) ? dice.int(1, 5) : 0,
    },
    secure: dice.chance(0.3),
    crowded,
    breaks: {
      every: dice.chance(0.05) ? 100_000 : dice.scale(40, 800),
      early: dice.pick([0, 0.1, 0.3, 0.6]),
      longest: dice.scale(20, 3 * staleAfter),
      crashes,
    },
    chaosMs,
    endsWith: dice.weighted([
      [5, 'clients'],
      [2, 'server'],
      [1, 'both'],
    ] as const),
    endsInChaos: dice.chance(0.2),
  };
}
