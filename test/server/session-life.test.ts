import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test, vi } from 'vitest';
import type { SessionAnnouncement, SessionSide } from '../../machines/session.setup.js';
import { SessionLife } from '../../src/session-life.js';
import type { SessionLifeOwner } from '../../src/session-sleep.js';
import { createVirtualClock } from '../../src/testing/index.js';

const WINDOW = 1000;
const LOST = {
  how: 'lost',
  code: 'ABANDONED',
  handledUpTo: 2,
  unknown: undefined,
  notSent: { from: 3, to: 4 },
} as const;

/** What a program does when it hears something: orders that come into the middle of a step. */
type Habit = (life: SessionLife, told: string) => void;
const habits: Readonly<Record<string, Habit>> = {
  nothing: () => {},
  'finish when it is resumed': (life, told) => told === 'hear resumed' && life.order('finish'),
  'abandon when it is resumed, and finish': (life, told) => {
    if (told !== 'hear resumed') return;
    life.order('abandon');
    life.order('finish');
  },
  'lose the new socket at once': (life, told) => told === 'entered attached' && life.detached(),
  'come back at once, and finish in answer': (life, told) => {
    if (told === 'entered detached') life.attached({ resumed: true, replayed: 1, deduplicated: 0 }, 9);
    if (told === 'hear resumed') life.order('finish');
    if (told === 'finish') life.opening();
  },
};

/** A session with nobody behind it; everything is written down. */
class World implements SessionLifeOwner {
  readonly clock = createVirtualClock();
  readonly timers = this.clock;
  readonly log: string[] = [];
  readonly life: SessionLife;
  /** A hand that breaks at this. */
  breaksAt = '';

  constructor(
    readonly side: SessionSide,
    private readonly habit: Habit,
  ) {
    this.life = new SessionLife(this);
    this.life.start();
  }

  now(): number {
    return this.clock.now();
  }
  resumeWindow(): number {
    return WINDOW;
  }
  expire(): void {
    this.note('expire');
    this.life.ended({ ...LOST, code: 'EXPIRED' });
  }
  abandon(): void {
    this.note('abandon');
    this.life.ended(LOST);
  }
  finish(): void {
    this.note('finish');
  }
  entered(state: string, cause: string, standing: object): void {
    this.note(`entered ${state}`, { cause, ...standing });
  }
  hear(announcement: SessionAnnouncement): void {
    this.note(`hear ${announcement.type}`, announcement);
  }
  wreck(error: unknown): void {
    this.log.push(`wreck ${error}`);
  }

  private note(what: string, more: object = {}): void {
    this.log.push(`${this.now()} ${what} ${JSON.stringify(more)}`);
    if (what === this.breaksAt) throw new Error(`broken at ${what}`);
    this.habit(this.life, what);
  }

  /** How it stands, without waking it. */
  look(): void {
    const { state, since, epoch, resumes, lastReason, end } = this.life;
    this.log.push(JSON.stringify({ state, since, epoch, resumes, lastReason, end, timers: this.clock.timers() }));
  }

  /** The chart, as it stands: this wakes it. */
  shown(): object {
    const { value, context } = this.life.actor.getSnapshot();
    return { value, context: { ...context, ports: undefined } };
  }
}

const steps: Readonly<Record<string, (world: World) => unknown>> = {
  opening: ({ life }) => life.opening(),
  attached: ({ life }) => life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1),
  resumed: ({ life }) => life.attached({ resumed: true, replayed: 2, deduplicated: 1 }, life.epoch + 1),
  detached: ({ life }) => life.detached(),
  'detached a while ago': ({ life, clock }) => life.detached(Math.max(0, clock.now() - 7)),
  refused: ({ life }) => life.refused('BUSY'),
  'refused anew': ({ life }) => life.refused('UNKNOWN', true),
  closed: ({ life }) => life.ended({ how: 'closed' }),
  finish: ({ life }) => life.order('finish'),
  abandon: ({ life }) => life.order('abandon'),
  'a while': ({ clock }) => clock.advance(10),
  'the resume window': ({ clock }) => clock.advance(WINDOW),
};
type Step = keyof typeof steps;
const names = Object.keys(steps);

/** Lives through the steps; its chart is asked for before step `wakeAt`. */
async function live(side: SessionSide, habit: Habit, way: readonly Step[], wakeAt: number): Promise<World> {
  const world = new World(side, habit);
  for (const [at, step] of way.entries()) {
    if (at === wakeAt) void world.life.actor;
    await steps[step]?.(world);
    world.look();
  }
  return world;
}

/** Whether asleep or woken at any step, all that can be seen is the same; and so is the chart, whenever it is made. */
async function compare(side: SessionSide, habit: Habit, way: readonly Step[]): Promise<void> {
  const asleep = await live(side, habit, way, -1);
  const shown = asleep.shown();
  for (let wakeAt = 0; wakeAt < way.length; wakeAt += 1) {
    const awake = await live(side, habit, way, wakeAt);
    expect(awake.log, `${side}: ${way.join(', ')}; woken before step ${wakeAt}`).toEqual(asleep.log);
    expect(awake.shown(), `${side}: ${way.join(', ')}; woken before step ${wakeAt}`).toEqual(shown);
  }
}

const sides = ['client', 'server'] as const;
const lives = sides.flatMap((side) => Object.entries(habits).map(([name, habit]) => [side, name, habit] as const));

describe("a session's sleeping statechart", () => {
  test.each(lives)(
    'lives as a woken one, on all ways of up to 2 steps behind a resume: a %s, %s',
    async (side, _, habit) => {
      for (const first of names) {
        await compare(side, habit, [first]);
        for (const second of names) {
          await compare(side, habit, [first, second]);
          await compare(side, habit, ['attached', 'detached', 'resumed', first, second]);
        }
      }
    },
  );

  property.prop(
    [
      fc.constantFrom(...sides),
      fc.constantFrom(...Object.values(habits)),
      fc.array(fc.constantFrom(...names), { minLength: 4, maxLength: 12 }),
    ],
    { numRuns: 150 },
  )('lives as a woken one, on long ways', compare);

  test('is made once, and only when it is asked for', () => {
    const { life } = new World('server', () => {});
    life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1);
    expect(life).toMatchObject({ awake: undefined, state: 'attached', epoch: 1 });
    expect(life.actor).toBe(life.actor);
    expect(life.actor.getSnapshot().value).toBe('attached');
  });

  test('keeps nothing in its history a second time when it wakes', () => {
    const world = new World('server', () => {});
    world.life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1);
    world.life.detached();
    const { length } = world.log;
    expect(world.life.actor.getSnapshot().value).toBe('detached');
    expect(world.log).toHaveLength(length);
  });

  test('takes over the timer that runs, and sets none of its own', async () => {
    const world = new World('server', () => {});
    world.life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1);
    world.life.detached();
    await world.clock.advance(WINDOW - 1);
    const set = vi.spyOn(world.timers, 'setTimeout');
    expect(world.life.actor.getSnapshot().value).toBe('detached');
    expect(set).not.toHaveBeenCalled();
    await world.clock.advance(1);
    expect([world.life.state, world.clock.pending]).toEqual(['ended', 0]);
  });

  test("a client's has no timer at all", () => {
    const world = new World('client', () => {});
    world.life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1);
    for (const awake of [false, true]) {
      world.life.detached();
      if (awake) void world.life.actor;
      expect(world.clock.pending).toBe(0);
    }
  });

  test('takes what is ordered in the middle of a step behind it, and in order', () => {
    for (const awake of [false, true]) {
      const world = new World('server', (life, told) => {
        if (told === 'hear resumed') for (const type of ['finish', 'abandon', 'finish'] as const) life.order(type);
      });
      if (awake) void world.life.actor;
      world.log.length = 0;
      world.life.attached({ resumed: true, replayed: 1, deduplicated: 1 }, 4);
      const words = world.log.map((line) => line.replace(/^\S+ (.+) \{.*$/, '$1'));
      const orders = ['finish', 'abandon', 'finish'];
      expect(words).toEqual(['entered attached', 'hear resumed', ...orders, 'entered ended.lost', 'hear sessionLost']);
    }
  });

  test('ignores what comes after the end, without a word', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const world = new World('server', () => {});
    world.life.ended({ how: 'closed' });
    for (const awake of [false, true]) {
      if (awake) void world.life.actor;
      const { length } = world.log;
      world.life.order('abandon');
      world.life.attached({ resumed: true, replayed: 1, deduplicated: 1 }, 4);
      expect([world.log.length, world.life.state, world.life.epoch]).toEqual([length, 'ended', 0]);
    }
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

describe('a hand that throws breaks the chart, and nothing else:', () => {
  test.each(
    ['entered detached', 'finish', 'expire'].flatMap((breaksAt) =>
      [false, true].map((awake) => [breaksAt, awake] as const),
    ),
  )('at %s, awake: %s', async (breaksAt, awake) => {
    const world = new World('server', () => {});
    world.breaksAt = breaksAt;
    const { life, clock, log } = world;
    life.attached({ resumed: false, replayed: 0, deduplicated: 0 }, 1);
    if (awake) void life.actor;
    if (breaksAt === 'finish') life.order('finish');
    else {
      life.detached();
      await clock.advance(WINDOW);
    }
    expect(log.filter((line) => line.startsWith('wreck'))).toEqual([`wreck Error: broken at ${breaksAt}`]);
    const { length } = log;
    const { state } = life;
    // It takes no further step, and leaves no timer; whoever asks is shown where it stood.
    life.order('abandon');
    life.attached({ resumed: true, replayed: 1, deduplicated: 1 }, 4);
    await clock.advance(2 * WINDOW);
    expect([log.length, life.state, clock.pending]).toEqual([length, state, 0]);
    expect(life.actor.getSnapshot().value).toBe(state);
    expect([life.state, clock.pending]).toEqual([state, 0]);
  });
});
