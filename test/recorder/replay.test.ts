import { fc, test as fuzz } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { assign } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import { connectionSetup } from '../../machines/connection.setup.js';
import type { FlightDump } from '../../src/index.js';
import { DumpError, parseDump, replay } from '../../src/testing/index.js';
import { echo, stage } from '../connection/stage.js';

/** Up, stale, up again, closed: every delay but two, and most actions. */
async function story(entries = 500): Promise<FlightDump> {
  const at = stage();
  const server = await at.serve(echo);
  const connection = at.dial({ flightRecorder: { entries, payloads: 8 } });
  await at.clock.runUntil(connection.connected({ proven: true }));
  connection.send('hello');
  at.server.freeze();
  await at.clock.runUntil(() => connection.substate === 'waiting');
  at.server.thaw();
  await at.clock.runUntil(connection.connected({ proven: true }));
  await at.clock.runUntil(connection.close());
  await at.clock.runUntil(server.dispose());
  return connection.flightRecorder?.dump() as FlightDump;
}

/** The same with a session, and both sides of it: the line is lost while it is up, and while it is being closed. */
async function session(entries = 500): Promise<{ connection: FlightDump; peer: FlightDump }> {
  const at = stage();
  const flightRecorder = { entries };
  const server = await at.serve(echo, { session: 'require', flightRecorder });
  const connection = at.dial({ session: true, flightRecorder });
  connection.on('message', () => {});
  await at.clock.runUntil(connection.connected());
  const [peer] = server.peers;
  for (const closes of [false, true]) {
    connection.send('hello');
    at.network.cut();
    if (closes) void connection.close();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    at.network.heal();
    await at.clock.runUntil(() => connection.state === 'connected');
  }
  await at.clock.runUntil(connection.closed());
  await at.clock.runUntil(() => peer?.state === 'disposed');
  await at.clock.runUntil(server.dispose());
  return {
    connection: connection.flightRecorder?.dump() as FlightDump,
    peer: peer?.flightRecorder?.dump() as FlightDump,
  };
}

const whole = await story();
const tail = await story(4);
const sessions = await session();
const sessionTails = await session(3);
const copy = (dump: FlightDump): FlightDump => JSON.parse(JSON.stringify(dump));

interface Node {
  [key: string]: Node;
}

/** The real plan, changed in one place. */
function planted(change: (config: Node) => void) {
  const clone = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clone);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clone(one)]));
  };
  const config = clone(connectionMachine.config) as Node;
  change(config);
  return connectionSetup.createMachine(config as never);
}

const at = (config: Node, ...path: string[]): Node =>
  path.reduce((node, key) => (node.states ? node.states[key] : node[key]) as Node, config);
const put = (node: Node, key: string, value: unknown): void => {
  node[key] = value as Node;
};

describe('a replay', () => {
  test('tells each step, with its time, and what was under way at the end', () => {
    const { steps, difference, left } = replay(tail);
    expect(difference).toBeUndefined();
    expect(left).toEqual([]);
    expect(steps.map(({ words, state }) => [words, state])).toEqual([
      ['socket.opened', 'connected.unproven'],
      ['socket.heard', 'connected.live'],
      ['close', 'connected.draining'],
      ['socket.closed', 'disposed'],
    ]);
    const upToStale = {
      ...whole,
      steps: whole.steps.slice(0, whole.steps.findIndex(({ state }) => state === 'stale') + 1),
    };
    expect(replay(upToStale).left).toEqual([{ name: 'discardTimeout', inMs: 1000 }]);
  });

  test.each([
    ['of all of it', sessions],
    ['of its end', sessionTails],
  ])('of both sides of a session, which outlives its lines: %s', (_, { connection, peer }) => {
    for (const dump of [connection, peer]) {
      expect(dump.settings.session).toBe(true);
      expect(replay(copy(dump)).difference).toBeUndefined();
    }
    expect(connection.steps.at(-1)).toMatchObject({ answers: { owesSession: [false] }, state: 'disposed' });
    expect(connection.steps.at(-1)?.changed.reason).toMatchObject({ code: 'NINJA_DISPOSED' });
    expect(peer.steps.map(({ event }) => event.type)).toContain('session.ended');
    expect(peer.steps.at(-1)).toMatchObject({ changed: { reason: { epoch: 3 } }, state: 'disposed' });
  });

  test.each([
    ['connection', ['fresh', 'establishing']],
    ['peer', ['fresh']],
  ] as const)('tells the states of the session of a %s, beside its steps', (kind, before) => {
    const dump = sessions[kind];
    const lives = ['attached', 'detached', 'attached', 'detached', 'attached', 'ended.closed'];
    expect(dump.session?.map(({ to }) => to)).toEqual([...before, ...lives]);
    expect(dump.session?.at(-2)).toMatchObject({ epoch: 3, cause: 'session.attached' });
    const lost = dump.steps.find(({ entered }) => entered.some(({ to }) => /detached|waiting/.test(to)));
    expect(dump.session?.find(({ to }) => to === 'detached')?.at).toBeCloseTo(lost?.at ?? 0, 0);
    expect(whole.session).toBeUndefined();
  });

  test('tells what the session was asked, and what belongs to it', () => {
    const { connection, peer } = sessions;
    expect(connection.steps.flatMap(({ answers }) => answers.owesSession ?? [])).toEqual([true, false]);
    expect(connection.steps.find(({ event }) => event.type === 'close')?.event).toEqual({
      type: 'close',
      held: 2,
      owed: 2,
    });
    const told = peer.steps.filter(({ event }) => event.type.startsWith('session.'));
    expect(told.map(({ event, state }) => [event, state])).toEqual([
      [{ type: 'session.attached', epoch: 2 }, 'connected.unproven'],
      [{ type: 'session.attached', epoch: 3 }, 'connected.unproven'],
      [{ type: 'session.ended' }, 'connected.draining'],
    ]);
  });

  test('fires delayed transitions as late as they were', () => {
    const late = copy(whole);
    const place = late.steps.findIndex(({ event }) => event.type.includes('.backoff.'));
    for (const step of late.steps.slice(place)) (step as { at: number }).at += 40;
    const { steps, difference } = replay(late);
    expect(difference).toBeUndefined();
    expect(steps[place]).toMatchObject({ words: 'after backoff', lateMs: 40 });
  });

  test.each<[string, (dump: FlightDump) => void, string, string]>([
    [
      'a transition that leads elsewhere',
      ({ steps }) => put(steps[2]?.entered[0] as never, 'to', 'stale'),
      'entered',
      'the states entered: recorded',
    ],
    [
      'another answer about a session',
      (dump) => {
        Object.assign(dump, copy(sessions.connection));
        for (const { answers } of dump.steps) if (answers.owesSession) put(answers as never, 'owesSession', [false]);
      },
      'entered',
      'recorded [{"to":"disconnected.waiting"',
    ],
    ['another answer', ({ steps }) => put(steps[4]?.answers as never, 'heardInTime', [false]), 'entered', 'replayed'],
    ['an answer that is missing', ({ steps }) => put(steps[4] as never, 'answers', {}), 'entered', 'recorded'],
    [
      'a delay that is over too soon',
      ({ steps }) => {
        for (const step of steps) if (step.event.type.includes('.silence.')) put(step as never, 'at', 1010);
        for (const step of steps)
          if (step.at < 1010 || step.at > 1010) put(step as never, 'at', Math.max(1010, step.at));
      },
      'event',
      'silence is over in the recording, and the statechart lets it run for',
    ],
    [
      'a delay that nobody set',
      ({ steps }) => put(steps[1]?.event as never, 'type', 'xstate.after.backoff.connection.disconnected.waiting'),
      'event',
      'backoff is over in the recording, and the statechart has not set it',
    ],
    [
      'an event behind the end',
      (dump) => (dump.steps as unknown[]).push({ ...dump.steps.at(-1), event: { type: 'connect' } }),
      'event',
      'connect was taken, and now the statechart has ended',
    ],
    [
      'a beginning that is none',
      (dump) => (dump.steps as unknown[]).shift(),
      'event',
      'the recording begins with connect, not with xstate.init',
    ],
  ])('sees %s', (_name, change, field, words) => {
    const dump = copy(whole);
    change(dump);
    const { difference, steps } = replay(dump);
    expect(difference?.field).toBe(field);
    expect(difference?.message).toContain(words);
    expect(steps.length).toBeLessThan(dump.steps.length + 1);
  });

  const changes: [string, (config: Node) => void, string][] = [
    [
      'another target',
      (config) => put(at(config, 'disconnected', 'waiting', 'after', 'backoff'), 'target', 'idle'),
      'entered',
    ],
    ['an action less', (config) => put(at(config, 'connected'), 'entry', ['openGate']), 'did'],
    ['a delay less', (config) => put(at(config, 'disconnected', 'waiting'), 'after', {}), 'did'],
    ['a state that is not told of', (config) => put(at(config, 'connecting', 'greeting'), 'entry', []), 'entered'],
  ];
  test.each(changes)('sees a plan with %s', (_name, change, field) => {
    const { difference } = replay(whole, { machine: planted(change) });
    expect(difference?.field).toBe(field);
  });

  test.each([
    ['a delay of another length', { delays: { connectTimeout: 1 } }, 'did', 'set connectTimeout 1 ms'],
    ['a count that is wrong', { actions: { forgetFailures: assign({ failures: 7 }) } }, 'changed', '"failures":7'],
    ['a guard that always holds', { guards: { closing: () => true } }, 'entered', 'connected.draining'],
    ['a guard that throws', { guards: { fromThisEpoch: () => JSON.parse('{') } }, 'event', 'the statechart broke'],
  ] as const)('sees a statechart with %s', (_name, implementations, field, words) => {
    const { difference } = replay(whole, { machine: connectionMachine.provide(implementations as never) });
    expect(difference?.field).toBe(field);
    expect(difference?.message).toContain(words);
  });

  test('of a statechart that broke shows where, and demands nothing of it', async () => {
    const stageOf = stage();
    const connection = stageOf.dial({ flightRecorder: true });
    await stageOf.clock.advance(1);
    const { ports } = connection.actor.getSnapshot().context;
    // A bug of ours, or of what is put in: a hand that throws.
    (ports as { shutGate: () => void }).shutGate = () => {
      throw new Error('the hand is broken');
    };
    connection.on('error', () => {});
    connection.disconnect();
    const dump = connection.flightRecorder?.dump() as FlightDump;
    expect(dump.steps.at(-1)).toMatchObject({ event: { type: 'disconnect' }, broke: 'the hand is broken' });
    expect(replay(copy(dump)).difference).toBeUndefined();
  });
});

describe('what is no dump', () => {
  const wrongs: [string, (dump: FlightDump) => unknown, string][] = [
    ['nothing', () => undefined, 'a dump must be an object, got undefined'],
    ['a list', () => [], 'a dump must be an object, got an array'],
    ['another format', (dump: object) => ({ ...dump, format: 2 }), 'format must be 1, got 2'],
    [
      'another kind',
      (dump: object) => ({ ...dump, kind: 'server' }),
      "kind must be 'connection' or 'peer', got 'server'",
    ],
    ['a field more', (dump: object) => ({ ...dump, secret: 1 }), "a dump: there is no field 'secret'"],
    ['a field less', ({ steps, ...dump }: FlightDump) => dump, 'steps must be a list of at most 100000, got undefined'],
    [
      'a state that there is not',
      (dump: FlightDump) => ({ ...dump, steps: [{ ...dump.steps[0], state: 'asleep' }] }),
      "steps[0].state must be 'disconnected.idle' or",
    ],
    [
      'a time that is none',
      (dump: FlightDump) => ({ ...dump, steps: [{ ...dump.steps[0], at: 'now' }] }),
      "steps[0].at must be a number, got 'now'",
    ],
    [
      'time that runs back',
      (dump: FlightDump) => ({ ...dump, steps: [...dump.steps].reverse() }),
      'steps[1].at must be at least',
    ],
    [
      'an overflow without its beginning',
      (dump: FlightDump) => ({ ...dump, fallen: { steps: 1, traffic: 0, messages: 0 } }),
      'start.chart must be there, since steps fell out, got undefined',
    ],
    [
      'settings that a chart cannot run on',
      (dump: FlightDump) => ({ ...dump, settings: { ...dump.settings, drainTimeout: -1 } }),
      'settings.drainTimeout must be a number from 0, got -1',
    ],
    [
      'one that does not say whether there was a session',
      (dump: FlightDump) => ({ ...dump, settings: { ...dump.settings, session: undefined } }),
      'settings.session must be ',
    ],
    [
      'a peer that does not know whether it has a session',
      () => {
        const peer = copy(sessionTails.peer);
        delete (peer.start.chart as { context: { resumable?: unknown } }).context.resumable;
        return peer;
      },
      'start.chart.context.resumable must be true or false, got undefined',
    ],
  ];
  test.each(wrongs)('%s is refused', (_name, change, words) => {
    let told: unknown;
    try {
      replay(change(copy(whole)));
    } catch (error) {
      told = error;
    }
    expect(told).toBeInstanceOf(DumpError);
    expect((told as Error).message.startsWith(words)).toBe(true);
  });

  test('text that is no JSON is refused', () => {
    expect(() => parseDump('{')).toThrow(DumpError);
    expect(() => parseDump('{')).toThrow(/^a dump must be JSON: /);
  });
});

/** A replay comes to an end, or tells in one sentence what is wrong. */
function demandSober(given: unknown): void {
  try {
    const { steps, dump } = replay(given);
    expect(steps.length).toBeLessThanOrEqual(dump.steps.length);
  } catch (error) {
    if (!(error instanceof DumpError)) throw error;
    expect(error.message).toMatch(/must be |there is no field /);
  }
}

/** Every place of a value, as the way to it. */
function places(value: unknown, way: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([key, one]) => places(one, [...way, key]))];
}

const odd = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'stale',
    -1,
    0,
    1e308,
    5e-324,
    2 ** 53,
    true,
    [],
    {},
    'Infinity',
    '__proto__',
    'xstate.stop',
  ),
  fc.double(),
  fc.string(),
  fc.jsonValue(),
  fc.constantFrom(...new Set(whole.steps.map(({ event }) => event.type))),
);

describe('hostile dumps', () => {
  fuzz.prop([fc.anything()])('anything at all is refused, or replayed', (given) => demandSober(given));

  fuzz.prop([fc.jsonValue()])('any JSON is refused, or replayed', (given) => demandSober(given));

  const ofSessions = { session: sessions.connection, peer: sessions.peer, 'tail of a peer': sessionTails.peer };
  for (const [name, dump] of Object.entries({ whole, tail, ...ofSessions })) {
    const ways = places(dump);
    fuzz.prop([fc.array(fc.tuple(fc.constantFrom(...ways), odd, fc.boolean()), { minLength: 1, maxLength: 4 })], {
      numRuns: 500,
    })(`a real one (${name}) with other values is refused, or replayed`, (changes) => {
      const given = copy(dump);
      for (const [way, value, remove] of changes) {
        const key = way.at(-1);
        const owner = way.slice(0, -1).reduce<unknown>((node, step) => (node as Node | undefined)?.[step], given);
        if (key === undefined || typeof owner !== 'object' || owner === null) continue;
        if (remove) delete (owner as Record<string, unknown>)[key];
        else (owner as Record<string, unknown>)[key] = value;
      }
      demandSober(given);
    });

    fuzz.prop([fc.shuffledSubarray(dump.steps.map((_, place) => place))])(
      `a real one (${name}) with steps in another order, or without some, is refused, or replayed`,
      (order) => {
        const given = copy(dump);
        const times = given.steps.map(({ at: time }) => time);
        const steps = order.map((place, turn) => ({ ...given.steps[place], at: times[turn] }));
        demandSober({ ...given, steps });
      },
    );
  }
});
