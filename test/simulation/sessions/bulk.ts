import { Dice } from '../dice.js';
import { HEAD } from './payload.js';
import { type ClientPlan, drawPlan, type Plan, type TrafficPlan, type Window } from './plan.js';

/** Messages each way of all clients together, at most. */
const MOST = 200_000;

/** Readers fall further behind than anybody is patient for, ms: nothing is taken for that long, and all is well. */
const PATIENT = { writeStallTimeout: 600_000 };

/** Windows through which many pass. */
function widen({ bytes, messages }: Window): Window {
  return {
    ...(bytes !== undefined && { bytes: 16 * bytes }),
    ...(messages !== undefined && { messages: 32 + 16 * messages }),
  };
}

function widenSession<T>(session: T): T {
  const { window, ...others } = session as { readonly window: Window };
  return { ...others, window: widen(window) } as T;
}

function more(traffic: TrafficPlan, dice: Dice, chaosMs: number, share: number): TrafficPlan {
  const budget = Math.floor(dice.scale(MOST / 10, MOST) / share);
  const burst = dice.weighted([
    [2, dice.int(5, 50)],
    [3, dice.scale(50, budget / 50)],
    [2, Math.floor(budget / dice.int(10, 50))],
  ]);
  return {
    ...traffic,
    budget,
    burst,
    every: Math.max(1, (chaosMs * (burst + 1)) / 2 / budget),
    largest: dice.scale(HEAD + 4, dice.chance(0.8) ? 60 : 400),
    huge: traffic.huge / 100,
    // Each of these looks through all that is held.
    mortal: traffic.mortal / 50,
    aborted: traffic.aborted / 50,
  };
}

/**
 * The same seed with many more messages over the same breaks: for numbers that could not be had otherwise. Networks and
 * windows that would not let them through are wider, all else is as the seed has it.
 */
export function drawBulkPlan(seed: number): Plan {
  const plan = drawPlan(seed);
  const dice = new Dice(seed, 'bulk');
  const { network, clients, server, chaosMs } = plan;
  const share = clients.length;
  return {
    ...plan,
    network: {
      ...network,
      windowBytes: 262_144,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      chunkSize: 65_536,
      ...(network.cut === 'bytes' && { cut: 'random' as const }),
    },
    clients: clients.map(
      (client): ClientPlan => ({
        ...client,
        options: { ...client.options, ...PATIENT, session: widenSession(client.options.session) },
        traffic: more(client.traffic, dice, chaosMs, share),
      }),
    ),
    server: {
      ...server,
      options: { ...server.options, ...PATIENT, session: widenSession(server.options.session) },
      traffic: more(server.traffic, dice, chaosMs, share),
    },
  };
}
