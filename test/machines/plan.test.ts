import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { connectionModel } from '../../machines/connection.model.js';
import { connectionMachine, peerMachine, serverMachine, sessionMachine } from '../../machines/index.js';
import { statesOf, transitionsOf } from './plan.js';

/** What a plan refers to: each by name, so that a chart on paper tells the whole story. */
interface Names {
  readonly actions: string[];
  readonly guards: string[];
  readonly delays: string[];
}

/** Walks a machine's config as it was written; functions and other things without a name land in `inline`. */
function namesIn(config: unknown): Names & { readonly inline: string[] } {
  const found = { actions: [] as string[], guards: [] as string[], delays: [] as string[], inline: [] as string[] };
  const name = (kind: keyof Names, one: unknown, path: string) => {
    const type = typeof one === 'object' && one !== null ? (one as { type?: unknown }).type : one;
    if (typeof type === 'string') found[kind].push(type);
    else found.inline.push(path);
  };
  const walk = (value: unknown, path: string, key: string) => {
    // The first context is made from the input: the one function that has no name to go by.
    if (path === '.context') return;
    if (typeof value === 'function') found.inline.push(path);
    if (typeof value !== 'object' || value === null) return;
    if (key === 'after') {
      for (const delay of Object.keys(value))
        name('delays', /^\d+$/.test(delay) ? undefined : delay, `${path}.${delay}`);
    }
    for (const [inner, one] of Object.entries(value)) {
      if (inner === 'guard') name('guards', one, `${path}.guard`);
      else if (['entry', 'exit', 'actions'].includes(inner) && one !== undefined) {
        for (const action of [one].flat()) name('actions', action, `${path}.${inner}`);
      } else walk(one, `${path}.${inner}`, inner);
    }
  };
  walk(config, '', '');
  return found;
}

const machines: readonly [string, AnyStateMachine, readonly string[], { states: number; transitions: number }][] = [
  [
    'connection',
    connectionMachine,
    ['disconnected', 'connecting', 'connected', 'stale', 'disposed'],
    // The root counts as a state.
    { states: 18, transitions: 50 },
  ],
  ['peer', peerMachine, ['connected', 'stale', 'detached', 'disposed'], { states: 13, transitions: 30 }],
  [
    'server',
    serverMachine,
    ['closed', 'binding', 'listening', 'paused', 'draining', 'disposed'],
    { states: 9, transitions: 16 },
  ],
  [
    'session',
    sessionMachine,
    ['fresh', 'establishing', 'attached', 'detached', 'ended'],
    { states: 9, transitions: 22 },
  ],
  [
    "connection's model",
    connectionModel,
    'absent idle dialing leaving greeting trying deaf live silent draining failed disposed'.split(' '),
    { states: 13, transitions: 110 },
  ],
];

describe.each(machines)('the plan of a %s', (_, machine, topLevel, size) => {
  const implementations = machine.implementations as Record<keyof Names | 'actors', Record<string, unknown>>;
  const names = namesIn(machine.config);

  it(`has exactly these states at the top: ${topLevel.join(', ')}`, () => {
    expect(Object.keys(machine.root.states)).toEqual(topLevel);
  });

  it('has nothing inline: every action, guard and delay goes by its name', () => {
    expect(names.inline).toEqual([]);
  });

  it.each(['actions', 'guards', 'delays'] as const)(
    'has all its %s in the vocabulary, and none there that it does not use',
    (kind) => {
      expect([...new Set(names[kind])].sort()).toEqual(Object.keys(implementations[kind]).sort());
    },
  );

  it('describes itself and every state', () => {
    const silent = statesOf(machine).filter((node) => !node.description);
    expect(silent.map((node) => node.id)).toEqual([]);
  });

  it('has no event that is only a wildcard, and no transition without a name', () => {
    const events = transitionsOf(machine).map(({ eventType }) => eventType);
    expect(events.filter((event) => event === '*')).toEqual([]);
    for (const node of statesOf(machine)) expect(node.key).toMatch(/^[a-z][a-zA-Z]*$/);
  });

  it('can be drawn: it survives JSON', () => {
    const { config } = machine;
    expect(JSON.parse(JSON.stringify(config)).states).toEqual(config.states);
  });

  it('is of this size', () => {
    expect({ states: statesOf(machine).length, transitions: transitionsOf(machine).length }).toEqual(size);
  });
});

describe('namesIn', () => {
  it('finds what is inline, wherever it hides', () => {
    const inline = () => {};
    const config = {
      context: inline,
      entry: ['named', inline],
      states: {
        one: {
          after: { 100: 'two' },
          on: { go: { guard: inline, actions: { type: inline } } },
          always: { target: inline },
        },
      },
    };
    expect(namesIn(config).inline).toEqual([
      '.entry',
      '.states.one.after.100',
      '.states.one.on.go.guard',
      '.states.one.on.go.actions',
      '.states.one.always.target',
    ]);
  });
});
