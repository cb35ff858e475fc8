import { describe, expect, it, vi } from 'vitest';
import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { TestModel } from 'xstate/graph';
import { connectionMachine } from '../../machines/connection.machine.js';
import type { ConnectionEvent } from '../../machines/connection.setup.js';
import { createVirtualClock } from '../../src/testing/clock.js';
import { ConnectionBench, TIMES } from './connection.bench.js';
import { connectionRows } from './connection.rows.js';
import { FakeConnection } from './hands.js';
import { transitionsOf } from './plan.js';
import { stateName } from './state-name.js';

/** An event of the walk: what is sent, and what the sentences of the table call it. */
interface Step {
  readonly type: string;
  readonly says: string;
  readonly heard?: boolean;
}
type Snapshot = SnapshotFrom<typeof connectionMachine>;
/** One square of the table: this state, this event, and what came of it. */
interface Cell {
  readonly from: Snapshot;
  readonly event: Step;
  readonly to: Snapshot;
}

// Only the guard that asks the ports is overridden: the event itself says whether a byte came in time.
const machine = connectionMachine.provide({
  guards: { heardInTime: ({ event }) => (event as Partial<Step>).heard === true },
});

const step = (says: string, event: ConnectionEvent): Step => ({ ...event, says });
const epochs: readonly [string, number][] = [
  ['this epoch', 0],
  ['an older epoch', -1],
  ['an epoch to come', 1],
];
const facts = (epoch: number, which: string): Step[] => [
  step(`socket.opened of ${which}`, { type: 'socket.opened', epoch }),
  step(`socket.heard of ${which}`, { type: 'socket.heard', epoch }),
  step(`socket.closed of ${which}`, { type: 'socket.closed', epoch, code: 'NINJA_RESET', message: 'gone' }),
  step(`socket.failed of ${which}`, { type: 'socket.failed', epoch, code: 'NINJA_RESET', message: 'gone' }),
  step(which === 'this epoch' ? 'socket.failed for good' : `socket.failed of ${which}`, {
    type: 'socket.failed',
    epoch,
    code: 'NINJA_CERTIFICATE',
    message: 'expired',
    fatal: true,
  }),
  step(`greeting.passed of ${which}`, { type: 'greeting.passed', epoch }),
  ...[false, true].map((fatal) =>
    step(fatal && which === 'this epoch' ? 'greeting.failed for good' : `greeting.failed of ${which}`, {
      type: 'greeting.failed',
      epoch,
      reason: { code: 'NINJA_NOT_A_PEER', message: 'no' },
      fatal,
    }),
  ),
];
const orders: readonly Step[] = [
  step('connect', { type: 'connect' }),
  step('disconnect', { type: 'disconnect' }),
  step('reconnectNow', { type: 'reconnectNow' }),
  step('close with nothing held', { type: 'close', held: 0 }),
  step('close with 3 held', { type: 'close', held: 3 }),
  step('close with 3 owed', { type: 'close', held: 3, owed: 3 }),
  step('dispose', { type: 'dispose' }),
];
/** The delays of the plan itself; that of the silence rule with either answer. */
const delays: readonly Step[] = [...new Set(transitionsOf(machine).map(({ eventType }) => eventType))].flatMap(
  (type) => {
    const name = /^xstate\.after\.([a-zA-Z]+)\./.exec(type)?.[1];
    if (!name) return [];
    if (name !== 'silence') return [{ type, says: `after ${name}` }];
    return [true, false].map((heard) => ({ type, heard, says: `after silence ${heard ? 'heard' : 'unheard'}` }));
  },
);

function stepsFrom({ context }: Snapshot): Step[] {
  return [...orders, ...delays, ...epochs.flatMap(([which, by]) => facts(context.epoch + by, which))];
}

/** The same for all that the plan does not tell apart; without it a counter would make nodes without end. */
function nodeOf({ value, context }: Snapshot): string {
  return JSON.stringify({ value, closing: context.closing, failures: Math.min(context.failures, 2) });
}

/**
 * What the circumstances of the table mean. Those that are not here do not matter to where a step leads; those that
 * have to do with giving up are reckoned below, since they hold in every state.
 */
const circumstances: readonly [string, (context: Snapshot['context']) => boolean][] = [
  ['while closing', ({ closing }) => closing],
  ['with a greeting', ({ greets }) => greets],
  ['once heard', ({ proven }) => proven],
  ['owing', ({ ports }) => ports.owesSession?.() === true],
  ['of the last attempt', () => false],
  ['without backoff', () => false],
];

/** Where the table says that this step leads: the row that says most of what holds; undefined where the cell is empty. */
function tableSays({ value, context }: Snapshot, says: string): string | undefined {
  const state = stateName(value);
  let best: { target: string; holding: number } | undefined;
  for (const { fromState, from, event, to } of connectionRows) {
    if (fromState !== state || event !== says) continue;
    const named = circumstances.filter(([words]) => from.includes(words));
    if (!named.every(([, holds]) => holds(context))) continue;
    if (!best || named.length > best.holding) best = { target: to, holding: named.length };
  }
  const isLast = context.failures + 1 >= context.times.maxAttempts;
  const fails = best?.target === 'disconnected.waiting' && state !== 'disconnected.waiting' && isLast;
  return fails ? (context.closing ? 'disposed' : 'disconnected.failed') : best?.target;
}

function partsOf({ value, status, context, children }: Snapshot) {
  return { value, status, context, children: Object.keys(children) };
}

describe.each([
  { greets: true, owes: false, nodes: 40, cells: 1258, filled: 329, refused: 272, empty: 657 },
  { greets: false, owes: false, nodes: 34, cells: 1036, filled: 251, refused: 224, empty: 561 },
  // A session is owed: a wait while closing, after one failure or after two.
  { greets: true, owes: true, nodes: 42, cells: 1332, filled: 345, refused: 288, empty: 699 },
])('every state × event of a connection, greets: $greets, owes: $owes', ({ greets, owes, ...counts }) => {
  const ports = new FakeConnection(createVirtualClock());
  ports.owes = owes;
  const input = { ports, times: { ...TIMES, maxAttempts: 3 }, greets };
  const model = new TestModel<Snapshot, Step, typeof input>(
    {
      transition: (snapshot, event) => transition(machine, snapshot, event as never)[0],
      getInitialSnapshot: () => initialTransition(machine, input)[0],
      getPersistedSnapshot: (snapshot) => snapshot,
    },
    {
      // What comes after the end never arrives: that is XState's part, and tested below.
      events: (snapshot) => (snapshot.status === 'active' ? stepsFrom(snapshot) : []),
      serializeState: nodeOf,
      stateMatcher: (snapshot, key) => stateName(snapshot.value) === key,
      limit: 100_000,
    },
  );
  const nodes = Object.values(model.getAdjacencyMap());
  const cells: Cell[] = nodes.flatMap(({ state, transitions }) =>
    Object.values<{ event: Step; state: Snapshot }>(transitions).map((cell) => ({
      from: state,
      event: cell.event,
      to: cell.state,
    })),
  );
  const isOld = ({ event }: Cell) => event.says.endsWith('an older epoch');
  const refused = cells.filter(isOld);
  const filled = cells.filter((cell) => !isOld(cell) && tableSays(cell.from, cell.event.says) !== undefined);
  const empty = cells.filter((cell) => !isOld(cell) && tableSays(cell.from, cell.event.says) === undefined);

  it('reaches every state, with closing and failures of every kind', () => {
    const leaves = connectionRows.map((row) => row.to).filter((state) => greets || state !== 'connecting.greeting');
    expect(new Set(nodes.map(({ state }) => stateName(state.value)))).toEqual(new Set(leaves));
  });

  it('has so many cells, and none is left out', () => {
    const sizes = { nodes, cells, filled, refused, empty };
    expect(Object.fromEntries(Object.entries(sizes).map(([name, list]) => [name, list.length]))).toEqual(counts);
    expect(filled.length + refused.length + empty.length).toBe(cells.length);
    const active = nodes.filter(({ state }) => state.status === 'active');
    expect(cells.length).toBe(active.length * (orders.length + delays.length + 3 * facts(1, '').length));
  });

  it('where the table has a row, the plan goes there', () => {
    for (const { from, event, to } of filled) {
      const cell = `${nodeOf(from)}, ${event.says}`;
      expect(`${cell} → ${stateName(to.value)}`).toBe(`${cell} → ${tableSays(from, event.says)}`);
      const sockets = /^dis/.test(stateName(to.value)) ? [] : [`socket-${to.context.epoch}`];
      expect(Object.keys(to.children), cell).toEqual(sockets);
    }
  });

  it('what comes from older epochs is counted, and changes nothing else', () => {
    for (const { from, event, to } of refused) {
      const before = partsOf(from);
      const context = { ...from.context, refused: from.context.refused + 1 };
      expect(partsOf(to), `${nodeOf(from)}, ${event.says}`).toEqual({ ...before, context });
    }
  });

  it('every empty cell is inert: state, context and children stay, and nothing is done', () => {
    for (const { from, event, to } of empty) {
      const cell = `${nodeOf(from)}, ${event.says}`;
      expect(partsOf(to), cell).toEqual(partsOf(from));
      expect(transition(machine, from, event as never)[1], cell).toEqual([]);
    }
  });
});

describe('after the end', () => {
  it('nothing moves a disposed connection', () => {
    // XState's development build tells of every event that comes too late.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const bench = new ConnectionBench();
    bench.fail().send({ type: 'dispose' });
    const before = partsOf(bench.actor.getSnapshot());
    bench.log.length = 0;
    const steps = stepsFrom(bench.actor.getSnapshot());
    expect(steps).toHaveLength(37);
    for (const one of steps) bench.actor.send(one as never);
    expect(partsOf(bench.actor.getSnapshot())).toEqual(before);
    expect(bench.log).toEqual([]);
    warn.mockRestore();
  });
});
