/** What the sentences of the connection's table mean: how a situation is reached, an event made, a claim checked. */
import { expect } from 'vitest';
import { type BenchOptions, ConnectionBench, TIMES } from './connection.bench.js';
import { WINDOW } from './hands.js';
import { type Claim, check, known, type Sentence } from './sentence.js';

interface Situation {
  readonly options?: BenchOptions;
  reach(bench: ConnectionBench): unknown;
}

const greets = { greets: true };
const dial = (bench: ConnectionBench) => bench.send({ type: 'connect' });
const greet = (bench: ConnectionBench) => dial(bench).opened();
const close = (bench: ConnectionBench) => bench.send({ type: 'close', held: 3 });
const lose = (bench: ConnectionBench, times: number) => {
  for (let n = 0; n < times; n += 1) bench.fail();
  return bench;
};
/** Long enough to let any other delay run out first. */
const withTime = { drainTimeout: 60_000 };
const owes = { owes: true };
const goStale = (bench: ConnectionBench) => bench.goLive().silence();

/** Every situation is reached from the beginning, by events only. */
export const situations: Readonly<Record<string, Situation>> = {
  'disconnected.idle': { reach: () => {} },
  'disconnected.idle after 2 failures': { reach: (bench) => lose(bench, 2).send({ type: 'disconnect' }) },
  'disconnected.waiting': { reach: (bench) => lose(bench, 1) },
  'disconnected.failed': { reach: (bench) => lose(bench, 5) },
  'connecting.dialing': { reach: dial },
  'connecting.dialing with a greeting': { options: greets, reach: dial },
  'connecting.dialing after 2 failures': { reach: (bench) => dial(lose(bench, 2)) },
  'connecting.dialing of the last attempt': { reach: (bench) => dial(lose(bench, 4)) },
  'connecting.dialing without backoff': { options: { wait: false }, reach: dial },
  'connecting.dialing while closing': { reach: (bench) => close(dial(bench)) },
  'connecting.dialing with a greeting while closing': { options: greets, reach: (bench) => close(dial(bench)) },
  'connecting.greeting': { options: greets, reach: greet },
  'connecting.greeting after 2 failures': { options: greets, reach: (bench) => greet(lose(bench, 2)) },
  'connecting.greeting of the last attempt': { options: greets, reach: (bench) => greet(lose(bench, 4)) },
  'connecting.greeting once heard': { options: greets, reach: (bench) => greet(bench).heard() },
  'connecting.greeting while closing': { options: greets, reach: (bench) => close(greet(bench)) },
  'connected.unproven': { reach: (bench) => dial(bench).opened() },
  'connected.live': { reach: (bench) => bench.goLive() },
  'connected.draining': { reach: (bench) => close(bench.goLive()) },
  'connected.draining with time': { options: { times: withTime }, reach: (bench) => close(bench.goLive()) },
  stale: { reach: goStale },
  'stale of the last attempt': { reach: (bench) => goStale(lose(bench, 4)) },
  'stale while closing': { reach: async (bench) => close(await goStale(bench)) },
  // A session has to be brought to its end, over another line where this one is lost.
  'disconnected.waiting while closing owing': { options: owes, reach: (bench) => close(bench.goLive()).closed() },
  'connecting.dialing while closing owing': { options: owes, reach: (bench) => close(dial(bench)) },
  'connecting.dialing while closing owing with time': {
    options: { ...owes, times: withTime },
    reach: (bench) => close(dial(bench)),
  },
  'connecting.dialing while closing owing of the last attempt': {
    options: owes,
    reach: (bench) => close(dial(lose(bench, 4))),
  },
  'connecting.dialing while closing owing without backoff': {
    options: { ...owes, wait: false },
    reach: (bench) => close(dial(bench)),
  },
  'connecting.greeting while closing owing': { options: { ...greets, ...owes }, reach: (bench) => close(greet(bench)) },
  'connecting.greeting while closing owing with time': {
    options: { ...greets, ...owes, times: withTime },
    reach: (bench) => close(greet(bench)),
  },
  'connected.draining owing': { options: owes, reach: (bench) => close(bench.goLive()) },
  'stale while closing owing': { options: owes, reach: async (bench) => close(await goStale(bench)) },
};

/** A delay runs out, and not a millisecond earlier. */
function after(ms: number, heard = true) {
  return async (bench: ConnectionBench) => {
    const before = bench.log.length;
    bench.ports.heard = heard;
    await bench.clock.advance(ms - 1);
    expect(bench.log.slice(before)).toEqual([]);
    await bench.clock.advance(1);
  };
}

/** Time goes by before it, so that a time noted anew can be told from the first. */
function later(happen: (bench: ConnectionBench) => unknown) {
  return async (bench: ConnectionBench) => {
    await bench.clock.advance(7);
    happen(bench);
  };
}

export const events: Readonly<Record<string, (bench: ConnectionBench) => unknown>> = {
  connect: dial,
  disconnect: (bench) => bench.send({ type: 'disconnect' }),
  reconnectNow: (bench) => bench.send({ type: 'reconnectNow' }),
  dispose: (bench) => bench.send({ type: 'dispose' }),
  'close with nothing held': later((bench) => bench.send({ type: 'close', held: 0 })),
  'close with 3 held': later(close),
  'close with 3 owed': later((bench) => bench.send({ type: 'close', held: 3, owed: 3 })),
  'socket.opened of this epoch': (bench) => bench.opened(),
  'socket.heard of this epoch': (bench) => bench.heard(),
  'socket.closed of this epoch': (bench) => bench.closed(),
  'socket.failed of this epoch': (bench) => bench.failed(),
  'socket.failed for good': (bench) => bench.failedForGood(),
  'socket.failed of an older epoch': (bench) => bench.failed(1),
  'greeting.passed of this epoch': (bench) => bench.send({ type: 'greeting.passed', epoch: bench.context.epoch }),
  'greeting.passed of an older epoch': (bench) => bench.send({ type: 'greeting.passed', epoch: 1 }),
  'greeting.failed of this epoch': (bench) => bench.greetingFailed(false),
  'greeting.failed for good': (bench) => bench.greetingFailed(true),
  'after backoff': after(50),
  'after connectTimeout': after(TIMES.connectTimeout),
  'after drainTimeout': after(TIMES.drainTimeout),
  'after discardTimeout': after(TIMES.discardTimeout),
  'after silence heard': after(WINDOW),
  'after silence unheard': after(WINDOW, false),
};

const announced = (bench: ConnectionBench) => bench.announced.map(({ type }) => type);

const claims: readonly Claim<ConnectionBench>[] = [
  [
    /^reason ([A-Z_]+)$/,
    ({ context, announced, epochBefore }, code) => {
      expect(context.reason).toMatchObject({ code: `NINJA_${code}`, epoch: epochBefore });
      for (const one of announced) if ('reason' in one) expect(one.reason).toEqual(context.reason);
    },
  ],
  [/^epoch (\d+)$/, ({ context }, epoch) => expect(context.epoch).toBe(Number(epoch))],
  [/^attempt (\d+)$/, ({ announced }, n) => expect(announced).toMatchObject([{ attempt: Number(n) }])],
  [/^failures (\d+)$/, ({ context }, failures) => expect(context.failures).toBe(Number(failures))],
  [
    /^retry in (\d+)$/,
    ({ context, announced }, ms) => {
      expect(context.retryInMs).toBe(Number(ms));
      expect(announced[0]).toMatchObject({ failures: context.failures, retryInMs: Number(ms) });
    },
  ],
  [
    /^no retry$/,
    ({ context, announced }) => {
      expect(context.retryInMs).toBeUndefined();
      expect(announced[0]).toHaveProperty('retryInMs', undefined);
    },
  ],
  [/^told to retry in (\d+)$/, ({ announced }, ms) => expect(announced[0]).toMatchObject({ retryInMs: Number(ms) })],
  [/^revives$/, ({ log }) => expect(log.filter((line) => line === 'revive')).toHaveLength(1)],
  [/^announces nothing$/, (bench) => expect(announced(bench)).toEqual([])],
  [/^announces (.+)$/, (bench, words) => expect(announced(bench)).toEqual(words?.split(' then '))],
  [/^socket (\d+) alive$/, ({ ports }, epoch) => expect([...ports.alive]).toEqual([Number(epoch)])],
  [/^socket (\d+) discarded$/, ({ log }, epoch) => expect(log).toContain(`socket ${epoch} discarded`)],
  [/^outbox settled ([A-Z_]+)$/, ({ log }, code) => expect(log).toContain(`settleHeld NINJA_${code}`)],
  [/^gate open$/, ({ log }) => expect(log).toContain('openGate')],
  [/^greets$/, ({ log, context }) => expect(log).toContain(`greet ${context.epoch}`)],
  [/^drains$/, ({ log }) => expect(log.filter((line) => line === 'drain')).toHaveLength(1)],
  [/^listens anew$/, ({ log }) => expect(log).toEqual(['armSilence'])],
  [/^proven$/, ({ context }) => expect(context.proven).toBe(true)],
  [/^refused$/, ({ context }) => expect(context.refused).toBe(1)],
  [
    /^closing$/,
    ({ context, closedAt }) => {
      expect(context).toMatchObject({ closing: true, closingAt: closedAt });
    },
  ],
];

/** Brings a bench into a situation, and forgets how it came there. */
export async function reach(situation: string): Promise<ConnectionBench> {
  const { options, reach } = known(situations, situation);
  const bench = new ConnectionBench(options);
  await reach(bench);
  expect(bench.state).toBe(situation.split(' ')[0]);
  bench.log.length = 0;
  bench.announced.length = 0;
  bench.taken.clear();
  bench.epochBefore = bench.context.epoch;
  return bench;
}

export function checkClaims(sentence: Sentence, bench: ConnectionBench): void {
  for (const claim of sentence.claims) check(claims, bench, claim);
}
