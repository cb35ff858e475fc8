import { describe, expect, it, vi } from 'vitest';
import {
  type AnyTransitionDefinition,
  createActor,
  fromCallback,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import type { SocketFact, SocketInput, SocketOrder } from '../../machines/line.setup.js';
import { type PeerAnnouncement, type PeerEvent, peerMachine } from '../../machines/peer.machine.js';
import { socketActor } from '../../src/socket/actor.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { FakeLine, WINDOW } from './hands.js';
import { nameOf, transitionsOf } from './plan.js';
import { type Claim, causeIn, check, known, rows } from './sentence.js';
import { stateName } from './state-name.js';

const machine = peerMachine.provide({ actors: { socket: socketActor } });
const TIMES = { discardTimeout: 100, drainTimeout: 700 };

class PeerBench {
  readonly clock = createVirtualClock();
  readonly ports = new FakeLine(this.clock);
  readonly announced: PeerAnnouncement[] = [];
  readonly taken = new Set<AnyTransitionDefinition>();
  readonly actor;
  closedAt: number | undefined;

  constructor(times: Partial<typeof TIMES> = {}) {
    this.actor = createActor(machine, {
      clock: this.clock,
      input: { ports: this.ports, times: { ...TIMES, ...times } },
      inspect: (step) => {
        if (step.type === '@xstate.microstep') for (const one of step._transitions) this.taken.add(one);
      },
    });
    this.actor.on('*', (one) => {
      this.announced.push(one);
      this.ports.log.push(`announce ${one.type}`);
    });
    this.actor.start();
  }

  get state(): string {
    return stateName(this.actor.getSnapshot().value);
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  get log(): string[] {
    return this.ports.log;
  }

  send(event: PeerEvent): this {
    if (event.type === 'close') this.closedAt ??= this.clock.now();
    this.actor.send(event);
    return this;
  }
}

const fact = (name: 'opened' | 'heard' | 'closed' | 'failed'): SocketFact => {
  const type = `socket.${name}` as const;
  if (type === 'socket.opened' || type === 'socket.heard') return { type, epoch: 1 };
  return { type, epoch: 1, code: type === 'socket.closed' ? 'NINJA_DISPOSED' : 'NINJA_RESET', message: 'gone' };
};

const peerRows = rows(`
connected.unproven, socket.heard → connected.live, proven, announces live
connected.unproven, close → connected.draining, closing, drains, announces nothing
connected.unproven, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.unproven, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.unproven, after silence heard → connected.unproven, listens anew, announces nothing
connected.unproven, after silence unheard → stale, reason STALE, announces stale, discarded
connected.unproven, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.live, close → connected.draining, closing, drains, announces nothing
connected.live, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.live, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.live, after silence heard → connected.live, listens anew, announces nothing
connected.live, after silence unheard → stale, reason STALE, announces stale, discarded
connected.live, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.draining, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.draining, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.draining, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed, outbox settled
connected.draining with time, after silence heard → connected.draining, listens anew, announces nothing
connected.draining with time, after silence unheard → stale, reason STALE, closing, announces stale, discarded
connected.draining, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

stale, socket.closed → disposed, reason STALE, announces disposed, outbox settled
stale, socket.failed → disposed, reason STALE, announces disposed, outbox settled
stale, after discardTimeout → disposed, reason STALE, announces disposed, outbox settled
stale, dispose → disposed, reason DISPOSED, announces disposed, outbox settled
`);

const fresh = async (times?: Partial<typeof TIMES>) => {
  const bench = new PeerBench(times);
  // What is due at once has nothing to do with what is tested here.
  await bench.clock.advance(0);
  return bench;
};

const situations: Readonly<Record<string, () => Promise<PeerBench>>> = {
  'connected.unproven': () => fresh(),
  'connected.live': async () => (await fresh()).send(fact('heard')),
  'connected.draining': async () => (await fresh()).send({ type: 'close' }),
  'connected.draining with time': async () => (await fresh({ drainTimeout: 60_000 })).send({ type: 'close' }),
  stale: async () => {
    const bench = await fresh();
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW);
    return bench;
  },
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

const events: Readonly<Record<string, (bench: PeerBench) => unknown>> = {
  close: (bench) => bench.send({ type: 'close' }),
  dispose: (bench) => bench.send({ type: 'dispose' }),
  'socket.heard': (bench) => bench.send(fact('heard')),
  'socket.closed': (bench) => bench.send(fact('closed')),
  'socket.failed': (bench) => bench.send(fact('failed')),
  'after silence heard': after(WINDOW),
  'after silence unheard': after(WINDOW, false),
  'after drainTimeout': after(TIMES.drainTimeout),
  'after discardTimeout': after(TIMES.discardTimeout),
};

const claims: readonly Claim<PeerBench>[] = [
  [
    /^reason ([A-Z_]+)$/,
    ({ context, announced }, code) => {
      expect(context.reason).toMatchObject({ code: `NINJA_${code}`, epoch: 1 });
      for (const one of announced) if ('reason' in one) expect(one.reason).toEqual(context.reason);
    },
  ],
  [/^announces nothing$/, ({ announced }) => expect(announced).toEqual([])],
  [/^announces (.+)$/, ({ announced }, word) => expect(announced.map(({ type }) => type)).toEqual([word])],
  [/^discarded$/, ({ log }) => expect(log).toContain('socket 1 discarded')],
  [/^outbox settled$/, ({ log }) => expect(log).toContain('settleHeld NINJA_DISPOSED')],
  [/^drains$/, ({ log }) => expect(log.filter((line) => line === 'drain')).toHaveLength(1)],
  [/^listens anew$/, ({ log }) => expect(log).toEqual(['armSilence'])],
  [/^proven$/, ({ context }) => expect(context.proven).toBe(true)],
  [/^closing$/, ({ context, closedAt }) => expect(context).toMatchObject({ closing: true, closingAt: closedAt })],
];

async function reach(from: string): Promise<PeerBench> {
  const bench = await known(situations, from)();
  expect(bench.state).toBe(from.split(' ')[0]);
  bench.log.length = 0;
  bench.announced.length = 0;
  bench.taken.clear();
  return bench;
}

describe('the transition table of a peer', () => {
  const taken = new Set<string>();

  it.each(peerRows.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const bench = await reach(row.from);
    await known(events, row.event)(bench);
    expect(bench.state).toBe(row.to);
    for (const claim of row.claims) check(claims, bench, claim);
    const { log, ports, actor } = bench;
    const over = row.to === 'disposed';
    expect([...ports.alive]).toEqual(over ? [] : [1]);
    expect(Object.keys(actor.getSnapshot().children)).toEqual(over ? [] : ['socket-1']);
    expect(actor.getSnapshot().status).toBe(over ? 'done' : 'active');
    if (row.to !== row.fromState) expect(log).toContain(`entered ${row.to} by ${causeIn(row.event)}`);
    if (over) {
      expect(log.indexOf('socket 1 stopped')).toBeGreaterThan(log.indexOf('shutGate'));
      expect(log.indexOf('announce disposed')).toBeGreaterThan(log.indexOf('socket 1 stopped'));
    }
    for (const one of bench.taken) taken.add(nameOf(one));
  });

  it('uses every event and every situation, and takes every transition of the plan', () => {
    expect(new Set(peerRows.map((row) => row.event))).toEqual(new Set(Object.keys(events)));
    expect(new Set(peerRows.map((row) => row.from))).toEqual(new Set(Object.keys(situations)));
    expect(new Set(peerRows.map((row) => `${row.from}, ${row.event}`)).size).toBe(peerRows.length);
    expect([...taken].sort()).toEqual(transitionsOf(peerMachine).map(nameOf).sort());
    expect(taken.size).toBe(12);
  });
});

describe('a peer', () => {
  it('begins with its socket, an open gate and a silence window', () => {
    const { log } = new PeerBench();
    expect(log).toEqual(['socket 1 spawned', 'openGate', 'entered connected.unproven by start', 'armSilence']);
  });

  it('has a first window as long as any other', async () => {
    const bench = new PeerBench();
    expect(bench.clock.timers()).toEqual([WINDOW]);
    await bench.clock.advance(WINDOW - 1);
    expect(bench.ports.armed).toBe(1);
  });

  it('re-enters the watch, and nothing else', async () => {
    const bench = await reach('connected.live');
    const { armed } = bench.ports;
    await bench.clock.advance(10 * WINDOW);
    expect(bench.ports.armed).toBe(armed + 10);
    expect(new Set(bench.log)).toEqual(new Set(['armSilence']));
  });

  it('leaves no timer behind', async () => {
    for (const from of Object.keys(situations)) {
      const bench = (await reach(from)).send({ type: 'dispose' });
      expect(bench.clock.pending).toBe(0);
    }
  });
});

describe('what a peer tells', () => {
  const rows: readonly [from: string, event: string, message: string][] = [
    ['connected.live', 'dispose', 'the program called dispose()'],
    ['connected.draining', 'after drainTimeout', `not drained within ${TIMES.drainTimeout} ms`],
    ['connected.live', 'after silence unheard', `no byte for ${WINDOW} ms`],
    ['connected.live', 'socket.failed', 'gone'],
  ];
  it.each(rows)('%s, %s → the reason %s', async (from, event, message) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.context.reason).toMatchObject({ message, at: bench.clock.wallNow(), epoch: 1 });
  });

  it('stale: how long it was silent, and when the last byte came', async () => {
    const bench = await reach('connected.live');
    await bench.clock.advance(300);
    const lastHeardAt = bench.clock.wallNow();
    bench.ports.heard = false;
    await bench.clock.advance(WINDOW - 300);
    expect(bench.announced).toEqual([{ type: 'stale', silentForMs: WINDOW - 300, lastHeardAt }]);
  });
});

describe("the socket's actor of a peer", () => {
  const startWith = (chart: typeof peerMachine) => {
    const clock = createVirtualClock();
    const ports = new FakeLine(clock);
    return { clock, ports, actor: createActor(chart, { clock, input: { ports, times: TIMES } }).start() };
  };

  it('is told to discard, once, when the line is stale', async () => {
    const orders: SocketOrder[] = [];
    const socket = fromCallback<SocketOrder, SocketInput>(({ receive }) => receive((order) => orders.push(order)));
    const { clock, ports } = startWith(peerMachine.provide({ actors: { socket } }));
    ports.heard = false;
    await clock.advance(WINDOW);
    expect(orders).toEqual([{ type: 'discard' }]);
  });

  it('is inert until listen() puts a real one in: a chart alone can be walked', () => {
    const { ports, actor } = startWith(peerMachine);
    expect(Object.keys(actor.getSnapshot().children)).toEqual(['socket-1']);
    actor.send({ type: 'dispose' });
    expect(ports.log.filter((line) => line.startsWith('socket'))).toEqual([]);
  });
});

describe('every state × event of a peer', () => {
  type Snapshot = SnapshotFrom<typeof machine>;
  const delays = [...new Set(transitionsOf(machine).map(({ eventType }) => eventType))].flatMap((type) => {
    const name = /^xstate\.after\.([a-zA-Z]+)\./.exec(type)?.[1];
    if (!name) return [];
    if (name !== 'silence') return [{ type, says: `after ${name}` }];
    return [true, false].map((heard) => ({ type, heard, says: `after silence ${heard ? 'heard' : 'unheard'}` }));
  });
  const facts = (['opened', 'heard', 'closed', 'failed'] as const).map((name) => ({
    ...fact(name),
    says: `socket.${name}`,
  }));
  const steps = [{ type: 'close', says: 'close' }, { type: 'dispose', says: 'dispose' }, ...facts, ...delays];
  const ports = new FakeLine(createVirtualClock());
  // The event itself says whether a byte came in time.
  const walked = machine.provide({
    guards: { heardInTime: ({ event }) => (event as { readonly heard?: boolean }).heard === true },
  });
  const step = (from: Snapshot, event: object) => transition(walked, from, event as never);
  const nodes = new Map<string, Snapshot>();
  const visit = (snapshot: Snapshot): void => {
    const { closing, proven } = snapshot.context;
    const name = `${stateName(snapshot.value)} ${closing ? 'closing' : ''} ${proven ? 'proven' : ''}`.trim();
    if (nodes.has(name) || snapshot.status !== 'active') return;
    nodes.set(name, snapshot);
    for (const one of steps) visit(step(snapshot, one)[0]);
  };
  visit(initialTransition(walked, { ports, times: TIMES })[0]);
  const cells = [...nodes].flatMap(([name, from]) => {
    const state = stateName(from.value);
    return steps.map((event) => {
      const row = peerRows.find((one) => one.fromState === state && one.event === event.says);
      return { says: `${name}, ${event.says}`, from, event, row };
    });
  });
  const filled = cells.filter(({ row }) => row);
  const empty = cells.filter(({ row }) => !row);

  it('has so many cells, and none is left out', () => {
    expect([...new Set([...nodes.values()].map(({ value }) => stateName(value)))].sort()).toEqual([
      'connected.draining',
      'connected.live',
      'connected.unproven',
      'stale',
    ]);
    expect({ nodes: nodes.size, steps: steps.length, filled: filled.length, empty: empty.length }).toEqual({
      nodes: 8,
      steps: 10,
      filled: 41,
      empty: 39,
    });
  });

  it('where the table has a row, the plan goes there', () => {
    for (const { says, from, event, row } of filled) {
      const [to] = step(from, event);
      expect(`${says} → ${stateName(to.value)}`).toBe(`${says} → ${row?.to}`);
      expect(Object.keys(to.children), says).toEqual(row?.to === 'disposed' ? [] : ['socket-1']);
    }
  });

  it('where it has none, nothing happens: state, context and children stay, and nothing is done', () => {
    for (const { says, from, event } of empty) {
      const [to, effects] = step(from, event);
      expect(to.value, says).toEqual(from.value);
      expect(to.context, says).toEqual(from.context);
      expect(Object.keys(to.children), says).toEqual(Object.keys(from.children));
      expect(effects, says).toEqual([]);
    }
  });

  it('after the end nothing moves it', async () => {
    // XState's development build tells of every event that comes too late.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const bench = (await reach('connected.live')).send({ type: 'dispose' });
    const before = bench.actor.getSnapshot();
    bench.log.length = 0;
    for (const event of steps) bench.actor.send(event as never);
    expect(bench.actor.getSnapshot()).toBe(before);
    expect([bench.log, bench.clock.pending]).toEqual([[], 0]);
    warn.mockRestore();
  });
});
