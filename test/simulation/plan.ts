import { type ConnectOptions, type ListenOptions, lengthPrefixed } from '../../src/index.js';
import type { NetworkOptions } from '../../src/testing/index.js';
import { Dice } from './dice.js';
import { drawFaults, type FaultPlan } from './faults.js';

export type ReaderKind = 'iterate' | 'listen' | 'slow' | 'poll';

export interface TrafficPlan {
  /** Milliseconds from burst to burst, on average. */
  readonly every: number;
  /** Messages of a burst, at most. */
  readonly burst: number;
  readonly largest: number;
  /** How often a message is huge, of 1. */
  readonly huge: number;
  readonly hugeSize: number;
  /** Waits when told to. */
  readonly obeys: boolean;
  /** How often a message has a `ttl` of its own, of 1. */
  readonly mortal: number;
}

export interface Order {
  readonly at: number;
  readonly what:
    | 'disconnect'
    | 'connect'
    | 'reconnectNow'
    | 'close'
    | 'dispose'
    | 'wait'
    | 'waitProven'
    | 'waitAborted';
}

type Shared = Partial<ConnectOptions & ListenOptions>;

export interface ClientPlan {
  readonly name: string;
  readonly options: Shared;
  readonly reader: ReaderKind;
  readonly traffic: TrafficPlan;
  readonly orders: readonly Order[];
  readonly greets: boolean;
  readonly endsWith: 'close' | 'dispose';
}

export interface Plan {
  readonly seed: number;
  readonly network: Partial<NetworkOptions>;
  readonly clients: readonly ClientPlan[];
  readonly server: { readonly options: Shared; readonly readers: readonly ReaderKind[]; readonly traffic: TrafficPlan };
  readonly faults: readonly FaultPlan[];
  /** How long the chaos lasts, milliseconds. */
  readonly chaosMs: number;
  readonly endsWith: 'clients' | 'server';
  readonly serverEndsWith: 'close' | 'dispose';
}

interface Wire {
  readonly packetMs: number;
  readonly latency: number;
  readonly jitter: number;
}

/** What both sides have to agree on. */
function drawCommon(dice: Dice, rate: number, byteWise: boolean): { shared: Shared; largest: number; huge: number } {
  const bytes = dice.weighted([
    [3, 4],
    [1, 2],
  ] as const);
  const framing = lengthPrefixed({
    bytes,
    includesHeader: dice.chance(0.3),
    endian: dice.chance(0.2) ? 'little' : 'big',
  });
  const cap = Math.min(framing.maxLength, Math.max(64, Math.floor(rate * 4)));
  const largest = Math.min(cap, byteWise ? dice.scale(4, 60) : dice.scale(16, 12_000));
  const huge = byteWise ? largest : Math.min(cap, 200_000);
  const most = Math.max(largest, huge);
  return {
    largest,
    huge,
    shared: {
      ...(dice.chance(0.85) && { framing }),
      ...(dice.chance(0.5) && {
        maxFrameLength: Math.min(framing.maxLength, Math.max(TELLING_ROOM, most + dice.int(0, 100))),
      }),
    },
  };
}

/** The first message of every peer has at least so many bytes. */
const TELLING_ROOM = 64;

function drawSide(dice: Dice, common: Shared, most: number, staleAfter: number, beat: number): Shared {
  const small = dice.chance(0.4);
  const maxFrameLength = common.maxFrameLength ?? common.framing?.maxLength;
  const highWaterMark = small ? dice.scale(100, 20_000) : undefined;
  const bounded = small && maxFrameLength !== undefined && maxFrameLength < 500_000;
  return {
    ...common,
    ...(staleAfter !== 3000 && { staleAfter }),
    ...((beat !== 1000 || staleAfter < 3000) && { heartbeatInterval: beat }),
    ...(highWaterMark !== undefined && { highWaterMark }),
    ...(bounded && { outboxBytes: maxFrameLength + (highWaterMark as number) + dice.scale(1, 100_000) }),
    ...(dice.chance(0.2) && { outboxMessages: dice.scale(4, 2000) }),
    ...(dice.chance(0.25) && { inboxMessages: dice.scale(1, 50) }),
    ...(dice.chance(0.2) && { inboxBytes: dice.scale(1, most) }),
    ...(dice.chance(0.2) && { unprovenBytes: dice.scale(1, 200_000) }),
    ...(dice.chance(0.15) && { ttl: dice.scale(50, 20_000) }),
    ...(dice.chance(0.1) && { frameTimeout: dice.chance(0.3) ? 0 : dice.scale(10_000, 60_000) }),
    ...(dice.chance(0.2) && { drainTimeout: dice.scale(1000, 30_000) }),
    ...(dice.chance(0.2) && { finTimeout: dice.scale(100, 5000) }),
    ...(dice.chance(0.2) && { copy: true }),
    ...(dice.chance(0.04) && { discardIncoming: true }),
  };
}

function drawTraffic(dice: Dice, largest: number, hugeSize: number, budget: number): TrafficPlan {
  const burst = dice.chance(0.2) ? dice.scale(20, 200) : dice.int(1, 8);
  return {
    burst,
    // So many messages in five minutes, on average.
    every: (300_000 * (burst + 1)) / 2 / dice.scale(20, budget),
    largest,
    huge: dice.chance(0.2) ? 0.01 : 0,
    hugeSize,
    obeys: dice.chance(0.6),
    mortal: dice.chance(0.2) ? 0.2 : 0,
  };
}

function drawOrders(dice: Dice, chaosMs: number): Order[] {
  const orders: Order[] = [];
  const at = () => dice.int(0, chaosMs);
  for (let left = dice.chance(0.6) ? dice.int(1, 8) : 0; left > 0; left -= 1) {
    const what = dice.weighted([
      [2, 'disconnect'],
      [2, 'connect'],
      [3, 'reconnectNow'],
      [2, 'wait'],
      [2, 'waitProven'],
      [2, 'waitAborted'],
    ] as const);
    const from = at();
    orders.push({ at: from, what });
    if (what === 'disconnect') orders.push({ at: from + dice.scale(1, 20_000), what: 'connect' });
  }
  if (dice.chance(0.12)) orders.push({ at: at(), what: dice.chance(0.7) ? 'close' : 'dispose' });
  return orders;
}

/** Everything that one seed decides before anything happens. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed, 'plan');
  const chaosMs = dice.int(270_000, 290_000);
  const staleAfter = dice.weighted([
    [4, 3000],
    [4, dice.scale(800, 8000)],
    [1, dice.scale(250, 800)],
  ]);
  // A short rule means many heartbeats in five minutes.
  const howMany =
    staleAfter < 1000
      ? 1
      : dice.weighted([
          [5, 1],
          [3, 2],
          [2, 3],
        ]);
  const names = ['client-a', 'client-b', 'client-c'].slice(0, howMany);
  const cut = dice.weighted([
    [4, 'asWritten'],
    [4, 'random'],
    [1, 'bytes'],
  ] as const);
  const latencyMs = dice.chance(0.3) ? 1 : dice.scale(1, Math.max(2, staleAfter / 8));
  const jitterMs = dice.chance(0.5) ? 0 : dice.scale(1, Math.max(2, staleAfter / 8));
  const windowBytes = dice.chance(0.5) ? 262_144 : dice.scale(4096, 262_144);
  const bytesPerSecond = dice.chance(0.6) ? Number.POSITIVE_INFINITY : dice.scale(20_000, 10_000_000);
  // A packet must not take longer than a small part of the silence that is allowed.
  const chunkSize = Math.max(
    64,
    Math.min(dice.chance(0.7) ? 65_536 : dice.scale(512, 65_536), Math.floor((bytesPerSecond * staleAfter) / 8000)),
  );
  const rate = Math.min(bytesPerSecond, (windowBytes * 1000) / (2 * (latencyMs + jitterMs) + 1));
  const { shared, largest, huge } = drawCommon(dice, rate, cut === 'bytes');
  const most = Math.max(largest, huge);
  const wire: Wire = { packetMs: (chunkSize * 1000) / bytesPerSecond, latency: latencyMs, jitter: jitterMs };
  const beat = (): number =>
    staleAfter === 3000 && dice.chance(0.7)
      ? 1000
      : Math.max(10, Math.floor(staleAfter / dice.pick([2, 3, 4]) - (wire.jitter + wire.packetMs) / 4));
  const rule = (): number => (dice.chance(0.06) ? 0 : staleAfter);
  const budget = cut === 'bytes' ? 120 : Math.min(400, Math.max(30, Math.floor((rate * 100) / largest)));
  const clients = names.map((name): ClientPlan => {
    const attempts = dice.chance(0.15) ? dice.int(1, 8) : undefined;
    const side = drawSide(dice, shared, most, rule(), beat());
    return {
      name,
      options: {
        ...side,
        ...(dice.chance(0.15) && { whenDisconnected: 'fail' as const }),
        ...(attempts !== undefined && { maxAttempts: attempts }),
        ...(dice.chance(0.2) && { stableAfter: dice.scale(1, 10_000) }),
        ...(dice.chance(0.2) && { connectTimeout: Math.max(6 * (latencyMs + jitterMs), dice.scale(500, 8000)) }),
        ...(dice.chance(0.2) && { backoff: (failures: number) => Math.min(5000, failures * 100) }),
      },
      reader: drawReader(dice),
      traffic: drawTraffic(dice, largest, huge, budget),
      orders: drawOrders(dice, chaosMs),
      greets: dice.chance(0.15),
      endsWith: dice.chance(0.7) ? 'close' : 'dispose',
    };
  });
  return {
    seed,
    network: { latencyMs, jitterMs, windowBytes, bytesPerSecond, chunkSize, cut },
    clients,
    server: {
      options: drawSide(dice, shared, most, rule(), beat()),
      readers: [drawReader(dice), drawReader(dice)],
      traffic: drawTraffic(dice, largest, huge, budget),
    },
    faults: drawFaults(new Dice(seed, 'faults'), names, chaosMs, staleAfter),
    chaosMs,
    endsWith: dice.chance(0.7) ? 'clients' : 'server',
    serverEndsWith: dice.chance(0.7) ? 'close' : 'dispose',
  };
}

function drawReader(dice: Dice): ReaderKind {
  return dice.weighted([
    [4, 'iterate'],
    [4, 'listen'],
    [2, 'slow'],
    [1, 'poll'],
  ] as const);
}
