import { describe, expect, it, vi } from 'vitest';
import {
  type AnyTransitionDefinition,
  createActor,
  fromCallback,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import {
  type AcceptorFact,
  type ServerAnnouncement,
  type ServerEvent,
  type ServerPorts,
  serverMachine,
} from '../../machines/server.machine.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { nameOf, transitionsOf } from './plan.js';
import { type Claim, causeIn, check, known, rows } from './sentence.js';
import { stateName } from './state-name.js';

const DRAIN = 700;
const PAUSE = 500;

const acceptor = fromCallback<{ type: 'close' }, { readonly ports: ServerPorts }>(({ input, sendBack }) => {
  const port = input.ports.openAcceptor(sendBack);
  return () => port.close();
});
const machine = serverMachine.provide({ actors: { acceptor } });

class ServerBench {
  readonly clock = createVirtualClock();
  readonly log: string[] = [];
  readonly announced: ServerAnnouncement[] = [];
  readonly taken = new Set<AnyTransitionDefinition>();
  /** Whether the process has descriptors enough to listen again. */
  enough = true;
  readonly ports: ServerPorts = {
    wallNow: () => this.clock.wallNow(),
    openAcceptor: () => {
      this.log.push('port opened');
      return { close: () => void this.log.push('port closed') };
    },
    enoughDescriptors: () => this.enough,
    entered: (state, cause) => void this.log.push(`entered ${state} by ${cause}`),
    toJSON: () => undefined,
  };
  readonly actor = createActor(machine, {
    clock: this.clock,
    input: { ports: this.ports, drainTimeout: DRAIN },
    inspect: (step) => {
      if (step.type === '@xstate.microstep') for (const one of step._transitions) this.taken.add(one);
    },
  });

  constructor() {
    this.actor.on('*', (one) => {
      this.announced.push(one);
      this.log.push(`announce ${one.type}`);
    });
    this.actor.start();
  }

  get state(): string {
    return stateName(this.actor.getSnapshot().value);
  }

  send(...events: ServerEvent[]): this {
    for (const event of events) this.actor.send(event);
    return this;
  }
}

const failed: AcceptorFact = { type: 'acceptor.failed', code: 'NINJA_LISTEN_FAILED', message: 'in use' };
const starved: AcceptorFact = { type: 'acceptor.starved', code: 'NINJA_FEW_DESCRIPTORS', message: 'few' };
const plain: readonly ServerEvent[] = [
  { type: 'listen' },
  { type: 'close' },
  { type: 'dispose' },
  { type: 'acceptor.listening' },
  failed,
  starved,
  { type: 'peers.gone' },
];

const serverRows = rows(`
closed, listen → binding, port opened, announces nothing
closed, close → disposed, reason DISPOSED, announces disposed
closed, dispose → disposed, reason DISPOSED, announces disposed

binding, acceptor.listening → listening, announces listening
binding, acceptor.failed → disposed, reason LISTEN_FAILED, announces disposed, port closed
binding, close → disposed, reason DISPOSED, announces disposed, port closed
binding, dispose → disposed, reason DISPOSED, announces disposed, port closed

listening, acceptor.failed → disposed, reason LISTEN_FAILED, announces disposed, port closed
listening, acceptor.starved → paused.waiting, reason FEW_DESCRIPTORS, announces paused, port closed
listening, close → draining, reason DISPOSED, announces draining, port closed
listening, dispose → disposed, reason DISPOSED, announces disposed, port closed

paused.waiting, after pause → paused.rebinding, reason FEW_DESCRIPTORS, announces nothing, port opened
paused.waiting, after pause with few → paused.waiting, reason FEW_DESCRIPTORS, announces nothing, looks again
paused.waiting, close → draining, reason DISPOSED, announces draining
paused.waiting, dispose → disposed, reason DISPOSED, announces disposed

paused.rebinding, acceptor.listening → listening, no reason, announces listening
paused.rebinding, acceptor.failed → paused.waiting, reason FEW_DESCRIPTORS, announces nothing, port closed, looks again
paused.rebinding, close → draining, reason DISPOSED, announces draining, port closed
paused.rebinding, dispose → disposed, reason DISPOSED, announces disposed, port closed

draining, peers.gone → disposed, reason DISPOSED, announces disposed
draining, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed
draining, dispose → disposed, reason DISPOSED, announces disposed
`);

/** `'pause'`: it has been paused for as long as it takes. */
const situations: Readonly<Record<string, readonly (ServerEvent | 'pause')[]>> = {
  closed: [],
  binding: [{ type: 'listen' }],
  listening: [{ type: 'listen' }, { type: 'acceptor.listening' }],
  'paused.waiting': [{ type: 'listen' }, { type: 'acceptor.listening' }, starved],
  'paused.rebinding': [{ type: 'listen' }, { type: 'acceptor.listening' }, starved, 'pause'],
  draining: [{ type: 'listen' }, { type: 'acceptor.listening' }, { type: 'close' }],
};

const events: Readonly<Record<string, (bench: ServerBench) => unknown>> = {
  ...Object.fromEntries(plain.map((event) => [event.type, (bench: ServerBench) => bench.send(event)])),
  'after drainTimeout': async (bench) => {
    await bench.clock.advance(DRAIN - 1);
    expect(bench.log).toEqual([]);
    await bench.clock.advance(1);
  },
  'after pause': paused,
  'after pause with few': async (bench) => {
    bench.enough = false;
    await paused(bench);
  },
};

async function paused({ clock, log }: ServerBench): Promise<void> {
  await clock.advance(PAUSE - 1);
  expect(log).toEqual([]);
  await clock.advance(1);
}

const claims: readonly Claim<ServerBench>[] = [
  [
    /^reason ([A-Z_]+)$/,
    ({ actor, announced }, code) => {
      const { reason } = actor.getSnapshot().context;
      expect(reason).toMatchObject({ code: `NINJA_${code}`, epoch: 0 });
      for (const one of announced) if (one.type === 'disposed') expect(one.reason).toBe(reason);
    },
  ],
  [/^no reason$/, ({ actor }) => expect(actor.getSnapshot().context.reason).toBeUndefined()],
  [/^looks again$/, ({ clock }) => expect(clock.pending).toBe(1)],
  [/^announces nothing$/, ({ announced }) => expect(announced).toEqual([])],
  [/^announces (.+)$/, ({ announced }, word) => expect(announced.map(({ type }) => type)).toEqual([word])],
  [/^port \w+$/, ({ log }) => void log],
];

async function reach(from: string): Promise<ServerBench> {
  const bench = new ServerBench();
  for (const step of known(situations, from)) {
    if (step === 'pause') await bench.clock.advance(PAUSE);
    else bench.send(step);
  }
  expect(bench.state).toBe(from);
  bench.log.length = 0;
  bench.announced.length = 0;
  bench.taken.clear();
  return bench;
}

describe('the transition table of a server', () => {
  const taken = new Set<string>();

  it.each(serverRows.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const bench = await reach(row.from);
    await known(events, row.event)(bench);
    expect(bench.state).toBe(row.to);
    for (const claim of row.claims) check(claims, bench, claim);
    // What was done to the port is what the row says, and no more.
    const said = row.claims.filter((claim) => /^port /.test(claim));
    expect(bench.log.filter((line) => /^port /.test(line)).sort()).toEqual([...said].sort());
    // A pause is one step in the history, however often it looks and tries.
    const [, top] = /^(\w+)/.exec(row.to) as unknown as [string, string];
    const within = row.from.startsWith('paused.') && row.to.startsWith('paused.');
    expect(bench.log.filter((line) => line.startsWith('entered'))).toEqual(
      within ? [] : [`entered ${top} by ${causeIn(row.event)}`],
    );
    const { status, children } = bench.actor.getSnapshot();
    expect(status).toBe(row.to === 'disposed' ? 'done' : 'active');
    const withPort = ['binding', 'listening', 'paused.rebinding'];
    expect(Object.keys(children)).toEqual(withPort.includes(row.to) ? ['acceptor'] : []);
    const told = bench.log.findIndex((line) => line.startsWith('announce'));
    if (said.includes('port closed') && told >= 0) expect(told).toBeGreaterThan(bench.log.indexOf('port closed'));
    for (const one of bench.taken) taken.add(nameOf(one));
  });

  it('uses every event and every situation, and takes every transition of the plan', () => {
    expect(new Set(serverRows.map((row) => row.event))).toEqual(new Set(Object.keys(events)));
    expect(new Set(serverRows.map((row) => row.from))).toEqual(new Set(Object.keys(situations)));
    expect([...taken].sort()).toEqual(transitionsOf(serverMachine).map(nameOf).sort());
    expect(taken.size).toBe(16);
  });

  it('leaves no timer behind', async () => {
    expect((await reach('draining')).clock.pending).toBe(1);
    for (const from of Object.keys(situations)) {
      expect((await reach(from)).send({ type: 'dispose' }).clock.pending).toBe(0);
    }
  });
});

describe('what a server tells', () => {
  const rows: readonly [from: string, event: string, message: string][] = [
    ['listening', 'close', 'the program called close()'],
    ['listening', 'dispose', 'the program called dispose()'],
    ['draining', 'after drainTimeout', `peers were not drained within ${DRAIN} ms`],
    ['binding', 'acceptor.failed', 'in use'],
    ['listening', 'acceptor.starved', 'few'],
  ];
  it.each(rows)('%s, %s → the reason %s', async (from, event, message) => {
    const bench = await reach(from);
    await known(events, event)(bench);
    expect(bench.actor.getSnapshot().context.reason).toMatchObject({ message, at: bench.clock.wallNow() });
  });

  it('where it began', () => {
    expect(new ServerBench().log).toEqual(['entered closed by start']);
  });

  it('nothing of a port, until listen() puts a real one in: a chart alone can be walked', () => {
    const { ports, log, clock } = new ServerBench();
    log.length = 0;
    const actor = createActor(serverMachine, { clock, input: { ports, drainTimeout: DRAIN } }).start();
    actor.send({ type: 'listen' });
    actor.send({ type: 'acceptor.listening' });
    expect(Object.keys(actor.getSnapshot().children)).toEqual(['acceptor']);
    actor.send({ type: 'dispose' });
    expect(log.filter((line) => line.startsWith('port'))).toEqual([]);
  });
});

describe('every state × event of a server', () => {
  type Snapshot = SnapshotFrom<typeof machine>;
  const drained = { type: 'xstate.after.drainTimeout.server.draining' };
  const over = { type: 'xstate.after.pause.server.paused.waiting' };
  const delayed = new Map<{ readonly type: string }, string>([
    [drained, 'after drainTimeout'],
    [over, 'after pause'],
  ]);
  const all = [...plain, ...delayed.keys()];
  const step = (from: Snapshot, event: object) => transition(machine, from, event as never);
  const nodes = new Map<string, Snapshot>();
  const visit = (snapshot: Snapshot): void => {
    const name = stateName(snapshot.value);
    if (nodes.has(name) || snapshot.status !== 'active') return;
    nodes.set(name, snapshot);
    for (const event of all) visit(step(snapshot, event)[0]);
  };
  visit(initialTransition(machine, { ports: new ServerBench().ports, drainTimeout: DRAIN })[0]);

  it('goes where the table has a row; where it has none, nothing happens', () => {
    let [filled, empty] = [0, 0];
    for (const [name, from] of nodes) {
      for (const event of all) {
        const says = delayed.get(event) ?? event.type;
        const cell = `${name}, ${says}`;
        const [to, effects] = step(from, event);
        const row = serverRows.find((one) => one.fromState === name && one.event === says);
        if (row) {
          filled += 1;
          expect(`${cell} → ${stateName(to.value)}`).toBe(`${cell} → ${row.to}`);
          continue;
        }
        empty += 1;
        expect(to.value, cell).toEqual(from.value);
        expect(to.context, cell).toEqual(from.context);
        expect(Object.keys(to.children), cell).toEqual(Object.keys(from.children));
        expect(effects, cell).toEqual([]);
      }
    }
    expect({ nodes: nodes.size, filled, empty }).toEqual({ nodes: 6, filled: 21, empty: 33 });
    // With few descriptors it looks again: a cell of two rows.
    expect(serverRows).toHaveLength(filled + 1);
    // That the delays are really called so.
    const types = transitionsOf(machine).map(({ eventType }) => eventType);
    for (const { type } of [drained, over]) expect(types).toContain(type);
  });

  it('after the end nothing moves it', async () => {
    // XState's development build tells of every event that comes too late.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const bench = (await reach('listening')).send({ type: 'dispose' });
    const before = bench.actor.getSnapshot();
    bench.log.length = 0;
    for (const event of all) bench.actor.send(event as never);
    expect(bench.actor.getSnapshot()).toBe(before);
    expect(bench.log).toEqual([]);
    warn.mockRestore();
  });
});
