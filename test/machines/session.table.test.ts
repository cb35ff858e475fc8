import { describe, expect, it, vi } from 'vitest';
import { type AnyTransitionDefinition, createActor, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { sessionMachine } from '../../machines/session.machine.js';
import {
  freshSession,
  type SessionAnnouncement,
  type SessionEvent,
  type SessionPorts,
  type SessionSide,
  type SessionStanding,
  windowLeft,
} from '../../machines/session.setup.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { nameOf, transitionsOf } from './plan.js';
import { type Claim, causeIn, check, known, rows } from './sentence.js';
import { stateName } from './state-name.js';

/** The resume window, milliseconds. */
const WINDOW = 120_000;
const LOST = { how: 'lost', code: 'EXPIRED', handledUpTo: 4, unknown: { from: 5, to: 6 }, notSent: undefined } as const;

class SessionBench {
  readonly clock = createVirtualClock();
  readonly log: string[] = [];
  readonly announced: SessionAnnouncement[] = [];
  readonly taken = new Set<AnyTransitionDefinition>();
  readonly ports: SessionPorts = {
    now: () => this.clock.now(),
    resumeWindow: () => WINDOW,
    expire: () => void this.log.push('expire'),
    abandon: () => void this.log.push('abandon'),
    finish: () => void this.log.push('finish'),
    entered: (state, cause) => void this.log.push(`entered ${state} by ${cause}`),
    toJSON: () => undefined,
  };
  readonly actor;

  constructor(side: SessionSide = 'client', standing?: SessionStanding) {
    this.actor = createActor(sessionMachine, {
      clock: this.clock,
      input: { ports: this.ports, side, ...(standing && { standing }) },
      inspect: (step) => {
        if (step.type === '@xstate.microstep') for (const one of step._transitions) this.taken.add(one);
      },
    });
    this.actor.on('*', (one) => {
      this.announced.push(one);
      this.log.push(`announce ${one.type}`);
    });
    this.actor.start();
  }

  get state(): string {
    return stateName(this.actor.getSnapshot().value);
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  send(...events: (SessionEvent | keyof typeof facts)[]): this {
    for (const event of events)
      this.actor.send(typeof event === 'string' ? known(facts, event)(this.clock.now()) : event);
    return this;
  }
}

/** What may come, at a time. */
const facts: Readonly<Record<string, (at: number) => SessionEvent>> = {
  abandon: () => ({ type: 'abandon' }),
  finish: () => ({ type: 'finish' }),
  'session.opening': (at) => ({ type: 'session.opening', at }),
  'session.attached': (at) => attached(at, false, 1),
  'session.attached resumed': (at) => attached(at, true, 2),
  'session.detached': (at) => ({ type: 'session.detached', at }),
  'session.refused': (at) => ({ type: 'session.refused', at, code: 'BUSY', anew: false }),
  'session.refused anew': (at) => ({ type: 'session.refused', at, code: 'UNKNOWN', anew: true }),
  'session.ended closed': (at) => ({ type: 'session.ended', at, end: { how: 'closed' } }),
  'session.ended lost': (at) => ({ type: 'session.ended', at, end: LOST }),
};

function attached(at: number, resumed: boolean, epoch: number): SessionEvent {
  return { type: 'session.attached', at, resumed, epoch, replayed: resumed ? 3 : 0, deduplicated: resumed ? 1 : 0 };
}

const ALWAYS = `
  abandon → same, abandons
  finish → same, leaving
  session.ended closed → ended.closed, closed
  session.ended lost → ended.lost, lost`;

const sessionRows = rows(`
fresh, session.opening → establishing
fresh, session.attached → attached, epoch 1
fresh, session.attached resumed → attached, epoch 2, resumed 1 time after 0 ms
establishing, session.attached → attached, epoch 1
establishing, session.attached resumed → attached, epoch 2
establishing, session.detached → fresh
establishing, session.refused → fresh, reason BUSY
establishing, session.refused anew → fresh, reason UNKNOWN
attached, session.detached → detached
attached, session.attached → attached, epoch 1
attached, session.attached resumed → attached, epoch 2, resumed 1 time after 0 ms
attached for the third time, session.attached resumed → attached, epoch 2, resumed 3 time after 0 ms
detached, session.attached → attached, epoch 1
detached, session.attached resumed → attached, epoch 2, resumed 1 time after 100 ms
detached, session.refused → detached, reason BUSY, stays
detached, session.refused anew → fresh, reason UNKNOWN
detached on a client, after resumeWindow → detached, stays
detached on a server, after resumeWindow → detached, expires
${['fresh', 'establishing', 'attached', 'detached']
  .flatMap((from) =>
    ALWAYS.trim()
      .split('\n')
      .map((line) => `${from}, ${line.trim().replace('same', from)}`),
  )
  .join('\n')}
# Once it has ended nothing happens, visibly.
${['ended.closed', 'ended.lost']
  .flatMap((from) =>
    ['abandon', 'finish', 'session.ended closed', 'session.ended lost'].map(
      (event) => `${from}, ${event} → ${from}, stays`,
    ),
  )
  .join('\n')}
`);

const situations: Readonly<Record<string, () => SessionBench>> = {
  fresh: () => new SessionBench(),
  establishing: () => new SessionBench().send('session.opening'),
  attached: () => new SessionBench().send('session.opening', 'session.attached'),
  'attached for the third time': () =>
    new SessionBench().send(
      'session.attached',
      ...(['session.detached', 'session.attached resumed', 'session.detached', 'session.attached resumed'] as const),
    ),
  detached: () => new SessionBench().send('session.attached', 'session.detached'),
  'detached on a client': () => new SessionBench('client').send('session.attached', 'session.detached'),
  'detached on a server': () => new SessionBench('server').send('session.attached', 'session.detached'),
  'ended.closed': () => new SessionBench().send('session.ended closed'),
  'ended.lost': () => new SessionBench().send('session.ended lost'),
};

/** 100 ms later; a delay as long as it takes. */
const events: Readonly<Record<string, (bench: SessionBench) => unknown>> = {
  ...Object.fromEntries(
    Object.keys(facts).map((name) => [
      name,
      async (bench: SessionBench) => {
        await bench.clock.advance(100);
        bench.send(name);
      },
    ]),
  ),
  'after resumeWindow': async ({ clock, log, context: { side } }) => {
    const wait = side === 'server' ? WINDOW : 2 ** 31 - 1;
    await clock.advance(wait - 1);
    expect([log, clock.pending]).toEqual([[], 1]);
    await clock.advance(1);
    expect(clock.pending).toBe(0);
  },
};

const claims: readonly Claim<SessionBench>[] = [
  [/^epoch (\d)$/, ({ context }, epoch) => expect(context.epoch).toBe(Number(epoch))],
  [
    /^resumed (\d) time after (\d+) ms$/,
    ({ context, announced }, times, afterMs) => {
      expect(context).toMatchObject({ resumes: Number(times), replayed: 3, deduplicated: 1 });
      expect(announced).toEqual([{ type: 'resumed', replayed: 3, deduplicated: 1, afterMs: Number(afterMs) }]);
    },
  ],
  [/^reason (\w+)$/, ({ context }, code) => expect(context.lastReason).toBe(code)],
  [/^stays$/, ({ log }) => expect(log).toEqual([])],
  [/^expires$/, ({ log }) => expect(log).toEqual(['expire'])],
  [/^abandons$/, ({ log, context }) => expect([log, context.leaving]).toEqual([['abandon'], false])],
  [/^leaving$/, ({ log, context }) => expect([log, context.leaving]).toEqual([['finish'], true])],
  [/^closed$/, ({ context }) => expect(context).toMatchObject({ end: { how: 'closed' }, lastReason: undefined })],
  [
    /^lost$/,
    ({ context, announced }) => {
      const { how: _, ...lost } = LOST;
      expect(context).toMatchObject({ end: LOST, lastReason: 'EXPIRED' });
      expect(announced).toEqual([{ type: 'sessionLost', ...lost }]);
    },
  ],
];

function reach(from: string): SessionBench {
  const bench = known(situations, from)();
  expect(bench.state).toBe(from.split(' ')[0]);
  bench.log.length = 0;
  bench.announced.length = 0;
  bench.taken.clear();
  return bench;
}

describe('the transition table of a session', () => {
  const taken = new Set<string>();

  it.each(sessionRows.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const bench = reach(row.from);
    await known(events, row.event)(bench);
    expect(bench.state).toBe(row.to);
    for (const claim of row.claims) check(claims, bench, claim);
    const told = row.claims.filter((claim) => /^(resumed|lost)/.test(claim)).length;
    expect(bench.announced).toHaveLength(told);
    const { log, context, clock } = bench;
    const moved = row.to !== row.fromState || row.event.startsWith('session.attached');
    if (moved) {
      expect(log.filter((line) => line.startsWith('entered'))).toEqual([`entered ${row.to} by ${causeIn(row.event)}`]);
      expect(context.since).toBe(clock.now());
      // It is in the history before anybody is told of it.
      expect(log[0]).toContain('entered');
    }
    expect(context.awaySince).toBe(row.to === 'detached' ? context.since : undefined);
    for (const one of bench.taken) taken.add(nameOf(one));
  });

  it('uses every event and every situation, and takes every transition of the plan', () => {
    expect(new Set(sessionRows.map((row) => row.event))).toEqual(new Set(Object.keys(events)));
    expect(new Set(sessionRows.map((row) => row.from))).toEqual(new Set(Object.keys(situations)));
    expect(new Set(sessionRows.map((row) => `${row.from}, ${row.event}`)).size).toBe(sessionRows.length);
    expect([...taken].sort()).toEqual(transitionsOf(sessionMachine).map(nameOf).sort());
    expect(taken.size).toBe(22);
  });

  it('leaves no timer behind', () => {
    expect(reach('detached on a server').clock.pending).toBe(1);
    for (const from of Object.keys(situations)) {
      expect([from, reach(from).send('session.ended lost').clock.pending]).toEqual([from, 0]);
    }
  });
});

describe('a session', () => {
  it('begins fresh, and with nothing', () => {
    const { log, context, clock } = new SessionBench('server');
    expect([log, clock.pending]).toEqual([['entered fresh by start'], 0]);
    const { ports: _, ...rest } = context;
    expect(rest).toEqual({ ...freshSession, side: 'server', awaySince: undefined });
  });

  it('is given how it stands where its chart is made late', () => {
    const standing = { ...freshSession, since: 7, epoch: 3, resumes: 2, leaving: true };
    expect(new SessionBench('client', standing).context).toMatchObject(standing);
  });

  it('has a resume window from the loss of its socket on, whenever it is told of it', async () => {
    const bench = new SessionBench('server').send('session.attached');
    await bench.clock.advance(500);
    bench.send({ type: 'session.detached', at: 200 });
    expect(bench.clock.timers()).toEqual([WINDOW + 200]);
  });

  it.each([
    ['what is left of it', 1000, WINDOW, WINDOW - 1000],
    ['nothing, where it is over', WINDOW + 5, WINDOW, 0],
    ['no more than a timer can wait', 0, 2 ** 32, 2 ** 31 - 1],
    ['no more than a timer can wait, where there is none', 0, Number.POSITIVE_INFINITY, 2 ** 31 - 1],
  ])('waits for %s', (_, now, window, left) => {
    expect(windowLeft({ now: () => now, resumeWindow: () => window }, 0)).toBe(left);
  });

  it('shows plain values, and nothing of its hands', () => {
    const { actor } = reach('ended.lost');
    const { ports: _, ...shown } = JSON.parse(JSON.stringify(actor.getSnapshot())).context;
    expect(_).toBeUndefined();
    expect(shown).toMatchObject({ side: 'client', lastReason: 'EXPIRED', end: { code: 'EXPIRED', handledUpTo: 4 } });
  });
});

describe('every state × event of a session', () => {
  type Snapshot = SnapshotFrom<typeof sessionMachine>;
  const over = { type: 'xstate.after.resumeWindow.session.detached' };
  const steps = [
    ...Object.entries(facts).map(([says, fact]) => ({ says, event: fact(100) as { readonly type: string } })),
    { says: 'after resumeWindow', event: over },
  ];
  const step = (from: Snapshot, event: object) => transition(sessionMachine, from, event as never);

  it.each(['client', 'server'] as const)(
    'goes where the table has a row; where it has none, nothing happens: a %s',
    (side) => {
      const nodes = new Map<string, Snapshot>();
      const visit = (snapshot: Snapshot): void => {
        const name = stateName(snapshot.value);
        if (nodes.has(name)) return;
        nodes.set(name, snapshot);
        for (const { event } of steps) visit(step(snapshot, event)[0]);
      };
      visit(initialTransition(sessionMachine, { ports: new SessionBench().ports, side })[0]);
      let [filled, empty] = [0, 0];
      for (const [name, from] of nodes) {
        for (const { says, event } of steps) {
          const cell = `${name}, ${says}`;
          const [to, effects] = step(from, event);
          const row = sessionRows.find(
            (one) =>
              one.fromState === name &&
              one.event === says &&
              (one.from === name || one.from === `${name} on a ${side}`),
          );
          if (row && !row.claims.includes('stays')) {
            filled += 1;
            expect(`${cell} → ${stateName(to.value)}`).toBe(`${cell} → ${row.to}`);
            continue;
          }
          empty += 1;
          expect(to.value, cell).toEqual(from.value);
          // A refusal for now is noted, and nothing else.
          const noted = says === 'session.refused' && name === 'detached' ? { lastReason: 'BUSY' } : {};
          expect(to.context, cell).toEqual({ ...from.context, ...noted });
          expect(effects, cell).toEqual([]);
        }
      }
      expect({ nodes: nodes.size, filled, empty }).toEqual({
        nodes: 6,
        filled: side === 'server' ? 31 : 30,
        empty: side === 'server' ? 35 : 36,
      });
      // That the delay is really called so.
      expect(transitionsOf(sessionMachine).map(({ eventType }) => eventType)).toContain(over.type);
    },
  );

  it('after the end nothing moves it', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const from of ['ended.closed', 'ended.lost']) {
      const bench = reach(from);
      const { value, context } = bench.actor.getSnapshot();
      for (const { event } of steps) bench.actor.send(event as never);
      expect(bench.actor.getSnapshot()).toMatchObject({ value, context });
      expect([bench.log, bench.clock.pending]).toEqual([[], 0]);
    }
    warn.mockRestore();
  });
});
