/** The model's story, told to a world: how each event is brought about, and how each state looks to the user. */
import { expect } from 'vitest';
import type { SnapshotFrom } from 'xstate';
import type { connectionModel, ModelEvent } from '../../machines/connection.model.js';
import { NinjaTcpError } from '../../src/index.js';
import { STALE, type World } from './world.js';

/** So long it takes to see that nothing happens, milliseconds. */
const A_WHILE = 15;

export type Snapshot = SnapshotFrom<typeof connectionModel>;
export type StateName = Snapshot['value'];

/** Who does it, and how. What is heard of it stands in the model. */
const doings: Readonly<Record<ModelEvent['type'], (world: World) => unknown>> = {
  'user.connects': (world) => {
    world.patient = true;
    if (world.connection) world.connection.connect();
    else world.open();
  },
  'user.disconnects': ({ user }) => user.disconnect(),
  'user.reconnectsNow': ({ user }) => user.reconnectNow(),
  'user.closes': (world) => world.part('close'),
  'user.disposes': (world) => world.part('dispose'),
  'user.sends': (world) => world.send(),
  'user.losesPatience': (world) => {
    world.patient = false;
  },
  'server.starts': ({ server }) => server.start(),
  'server.dies': ({ server }) => server.die(),
  'server.stops': ({ server }) => server.stop(),
  'server.continues': ({ server }) => server.continue(),
  'server.hangsUp': ({ server }) => server.hangUp(),
  'names.fallSilent': (world) => {
    world.namesAnswer = false;
  },
  'names.areAnswered': (world) => world.answerNames(),
  'login.isAsked': (world) => {
    world.loginAsked = true;
  },
  'login.passes': (world) => world.answerLogin(),
  'login.fails': (world) => world.answerLogin(new Error('try again')),
  'login.isRefused': (world) => world.answerLogin(new NinjaTcpError('NINJA_NOT_A_PEER', 'go away')),
  // What is to come comes by itself; where nothing is to come, a silence window and a half have to be seen.
  'time.passes': () => {},
};

/** What `state` and `substate` say; where there are several, they take turns. */
const looks: Readonly<Record<Exclude<StateName, 'absent'>, readonly string[]>> = {
  idle: ['disconnected.idle'],
  dialing: ['connecting.dialing'],
  leaving: ['connecting.dialing'],
  greeting: ['connecting.greeting'],
  trying: ['disconnected.waiting', 'connecting.dialing'],
  deaf: ['connected.unproven'],
  live: ['connected.live'],
  silent: ['connected.live'],
  draining: ['connected.draining'],
  failed: ['disconnected.failed'],
  disposed: ['disposed'],
};

/** What a wait for the line comes to that is given up at once. */
const waits: Readonly<Record<Exclude<StateName, 'absent'>, string | undefined>> = {
  idle: 'ABORTED',
  dialing: 'ABORTED',
  leaving: 'ABORTED',
  greeting: 'ABORTED',
  trying: 'ABORTED',
  deaf: undefined,
  live: undefined,
  silent: undefined,
  draining: undefined,
  failed: 'GAVE_UP',
  disposed: 'DISPOSED',
};

/** While nobody listens, this goes on and on. */
const ATTEMPT = 'connecting; disconnected CONNECT_FAILED; ';

/** What may be heard of one step: the model's words, and before or after them attempts that come to nothing. */
function wordsOf({ context, value }: Snapshot, before: StateName): RegExp {
  const words = context.hears.map((word) => `${word.replace(/\S+\|\S+/, '($&)')}; `).join('');
  const earlier = before === 'trying' ? `(${ATTEMPT})*` : '';
  const later = value === 'trying' ? `(${ATTEMPT})*(connecting; )?` : '';
  return new RegExp(`^${earlier}${words}${later}$`);
}

/** One path of the model, told to one world. */
export class Story {
  private expected = /^$/;
  private from = 0;

  constructor(private readonly world: World) {}

  /** Brings an event about, and waits until the user has heard what the model says. */
  async tell(event: ModelEvent['type'], before: StateName, after: Snapshot): Promise<void> {
    const { world } = this;
    if (before === 'trying') await this.restsBetweenAttempts();
    this.hasHeardNoMore();
    this.expected = wordsOf(after, before);
    this.from = world.words.length;
    await doings[event](world);
    await world.until(
      () => `'${after.context.hears.join('; ')}' but heard '${this.heard.slice(0, 300)}'`,
      () => this.expected.test(this.heard),
    );
    // Nothing is to come: look for long enough.
    if (after.context.hears.length === 0) await world.pass(event === 'time.passes' ? 1.5 * STALE : A_WHILE);
    this.hasHeardNoMore();
  }

  /** Looks at the connection as its user can, and compares it with the model. */
  async look({ value, context }: Snapshot): Promise<void> {
    const { world } = this;
    if (value === 'absent') {
      expect(world.connection).toBeUndefined();
      expect(world.words).toEqual([]);
      return;
    }
    const { user, words } = world;
    const look = [user.state, user.substate].filter(Boolean).join('.');
    expect(looks[value]).toContain(look);
    expect(user.history.at(-1)?.to).toBe(look);
    expect(user.explain()).toContain(`${user.name} ${user.state}`);
    expect(user.epoch).toBe(words.filter((word) => word === 'connecting').length);
    expect(user.stats().outbox.messages).toBe(context.message === 'held' ? 1 : 0);
    // close() and dispose() are answered at the end, and not before.
    expect(world.unanswered > 0).toBe(value === 'leaving' || value === 'draining');
    expect(await this.waitForLine()).toBe(waits[value]);
    if (value === 'disposed') expect(await world.outcome('closed()', user.closed())).toEqual(user.reason);
  }

  /** What `connected()` comes to at once: undefined where the line is up, and `ABORTED` where there is hope. */
  private waitForLine(): Promise<unknown> {
    const waiting = new AbortController();
    const connected = this.world.user.connected({ signal: waiting.signal });
    waiting.abort();
    return this.world.outcome('connected()', connected);
  }

  private get heard(): string {
    return this.world.words
      .slice(this.from)
      .map((word) => `${word}; `)
      .join('');
  }

  private hasHeardNoMore(): void {
    expect(this.heard).toMatch(this.expected);
  }

  /** Of the two looks that `trying` has, this one lasts. */
  private async restsBetweenAttempts(): Promise<void> {
    await this.world.until(
      () => 'a wait between attempts',
      () => this.world.user.substate === 'waiting',
    );
  }
}
