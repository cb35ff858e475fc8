/** What the sentences of the peer's table mean: how a situation is reached, an event made, a claim checked. */
import { expect } from 'vitest';
import { WINDOW } from './hands.js';
import { type BenchOptions, endings, fact, PeerBench, TIMES } from './peer.bench.js';
import { type Claim, check, known, type Sentence } from './sentence.js';

const fresh = async (options?: BenchOptions) => {
  const bench = new PeerBench(options);
  // What is due at once has nothing to do with what is tested here.
  await bench.clock.advance(0);
  return bench;
};

export const CLOSE = { type: 'close' } as const;
const WITH_TIME = { times: { drainTimeout: 60_000 } };
const SESSION = { resumable: true };

async function goStale(options?: BenchOptions): Promise<PeerBench> {
  const bench = (await fresh(options)).say('heard');
  bench.ports.heard = false;
  await bench.clock.advance(WINDOW);
  bench.ports.heard = true;
  return bench;
}

/** Every situation is reached from the beginning, by events only. */
export const situations: Readonly<Record<string, () => Promise<PeerBench>>> = {
  'connected.unproven': () => fresh(),
  'connected.live': async () => (await fresh()).say('heard'),
  'connected.draining': async () => (await fresh()).send(CLOSE),
  'connected.draining with time': async () => (await fresh(WITH_TIME)).send(CLOSE),
  stale: () => goStale(),
  'stale while closing': async () => (await goStale()).send(CLOSE),
  'connected.unproven with a session': () => fresh(SESSION),
  'connected.unproven for the second time': async () => (await fresh(SESSION)).attach(),
  'connected.live with a session': async () => (await fresh(SESSION)).say('heard'),
  'connected.live for the second time': async () => (await fresh(SESSION)).say('failed').attach().say('heard'),
  'connected.draining with a session': async () => (await fresh(SESSION)).send(CLOSE),
  'connected.draining with a session and time': async () => (await fresh({ ...SESSION, ...WITH_TIME })).send(CLOSE),
  'connected.draining with a session that is over': async () =>
    (await fresh(SESSION)).send(CLOSE, endings['session.ended closed']),
  'stale with a session': () => goStale(SESSION),
  'stale with a session that is over': async () => (await goStale(SESSION)).send(endings['session.ended lost']),
  'stale with a session while closing': async () => (await goStale(SESSION)).send(CLOSE),
  'detached.waiting': async () => (await fresh(SESSION)).say('heard').say('failed'),
  'detached.draining': async () => (await fresh(SESSION)).say('heard').send(CLOSE).say('failed'),
};

function after(ms: number, heard = true) {
  return async (bench: PeerBench) => {
    const { state } = bench;
    bench.ports.heard = heard;
    await bench.clock.advance(ms - 1);
    expect(bench.state).toBe(state);
    bench.log.length = 0;
    await bench.clock.advance(1);
  };
}

/** Time goes by before it, so that a time noted anew can be told from the first. */
function later(happen: (bench: PeerBench) => unknown) {
  return async (bench: PeerBench) => {
    await bench.clock.advance(7);
    happen(bench);
  };
}

export const events: Readonly<Record<string, (bench: PeerBench) => unknown>> = {
  close: later((bench) => bench.send(CLOSE)),
  dispose: (bench) => bench.send({ type: 'dispose' }),
  'socket.heard': (bench) => bench.say('heard'),
  'socket.closed': (bench) => bench.say('closed'),
  'socket.failed': (bench) => bench.say('failed'),
  'socket.heard of an older epoch': (bench) => bench.send(fact('heard')),
  'socket.closed of an older epoch': (bench) => bench.send(fact('closed')),
  'session.attached': later((bench) => bench.attach()),
  'session.ended closed': (bench) => bench.send(endings['session.ended closed']),
  'session.ended lost': (bench) => bench.send(endings['session.ended lost']),
  'after silence heard': after(WINDOW),
  'after silence unheard': after(WINDOW, false),
  'after drainTimeout': after(TIMES.drainTimeout),
  'after discardTimeout': after(TIMES.discardTimeout),
};

const claims: readonly Claim<PeerBench>[] = [
  [
    /^reason ([A-Z_]+)$/,
    ({ context, announced, epochBefore }, code) => {
      expect(context.reason).toMatchObject({ code: `NINJA_${code}`, epoch: epochBefore });
      for (const one of announced) if ('reason' in one) expect(one.reason).toEqual(context.reason);
    },
  ],
  [/^epoch (\d)$/, ({ context }, epoch) => expect(context.epoch).toBe(Number(epoch))],
  [/^announces nothing$/, ({ announced }) => expect(announced).toEqual([])],
  [/^announces (.+)$/, ({ announced }, word) => expect(announced.map(({ type }) => type)).toEqual([word])],
  [/^discarded$/, ({ log, context }) => expect(log).toContain(`socket ${context.epoch} discarded`)],
  [/^outbox settled$/, ({ log }) => expect(log).toContain('settleHeld NINJA_DISPOSED')],
  [/^gate open$/, ({ log }) => expect(log.filter((line) => line === 'openGate')).toHaveLength(1)],
  [/^drains$/, ({ log }) => expect(log.filter((line) => line === 'drain')).toHaveLength(1)],
  [/^listens anew$/, ({ log }) => expect(log).toEqual(['armSilence'])],
  [/^proven$/, ({ context }) => expect(context.proven).toBe(true)],
  [/^unproven$/, ({ context }) => expect(context.proven).toBe(false)],
  [/^over$/, ({ context }) => expect(context.resumable).toBe(false)],
  [/^refused$/, ({ context, log }) => expect([context.refused, log]).toEqual([1, []])],
  [/^closing$/, ({ context, closedAt }) => expect(context).toMatchObject({ closing: true, closingAt: closedAt })],
];

/** Brings a bench into a situation, and forgets how it came there. */
export async function reach(from: string): Promise<PeerBench> {
  const bench = await known(situations, from)();
  expect(bench.state).toBe(from.split(' ')[0]);
  bench.log.length = 0;
  bench.announced.length = 0;
  bench.taken.clear();
  bench.epochBefore = bench.context.epoch;
  return bench;
}

export function checkClaims(sentence: Sentence, bench: PeerBench): void {
  for (const claim of sentence.claims) check(claims, bench, claim);
}

/** States in which there is a socket. */
export const hasSocket = (state: string): boolean => state.startsWith('connected') || state === 'stale';
