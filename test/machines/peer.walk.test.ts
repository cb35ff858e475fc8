import { describe, expect, it, vi } from 'vitest';
import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { createVirtualClock } from '../../src/testing/clock.js';
import { FakeLine } from './hands.js';
import { endings, fact, machine, TIMES } from './peer.bench.js';
import { hasSocket, reach } from './peer.grammar.js';
import { peerRows } from './peer.rows.js';
import { transitionsOf } from './plan.js';
import { stateName } from './state-name.js';

describe('every state × event of a peer', () => {
  type Snapshot = SnapshotFrom<typeof machine>;
  interface Step {
    readonly type: string;
    readonly says: string;
    readonly heard?: boolean;
  }
  const delays = [...new Set(transitionsOf(machine).map(({ eventType }) => eventType))].flatMap((type): Step[] => {
    const [, name, state] = /^xstate\.after\.([a-zA-Z]+)\.peer\.(.+)$/.exec(type) ?? [];
    if (!name) return type.startsWith('xstate.after') ? [{ type, says: `after ${type.split('.')[2]}` }] : [];
    // Two states have such a delay: it is another event in each.
    if (name === 'drainTimeout') return [{ type, says: `after ${name} of ${state}` }];
    return [true, false].map((heard) => ({ type, heard, says: `after silence ${heard ? 'heard' : 'unheard'}` }));
  });
  const epochs: readonly [string, number][] = [
    ['', 0],
    [' of an older epoch', -1],
    [' of an epoch to come', 1],
  ];
  const stepsFrom = ({ context: { epoch } }: Snapshot): Step[] => [
    { type: 'close', says: 'close' },
    { type: 'dispose', says: 'dispose' },
    ...epochs.flatMap(([which, by]) =>
      (['opened', 'heard', 'closed', 'failed'] as const).map((name) => ({
        ...fact(name, epoch + by),
        says: `socket.${name}${which}`,
      })),
    ),
    { type: 'session.attached', epoch: epoch + 1, says: 'session.attached' } as Step,
    ...Object.entries(endings).map(([says, event]) => ({ ...event, says })),
    ...delays,
  ];
  const ports = new FakeLine(createVirtualClock());
  // The event itself says whether a byte came in time.
  const walked = machine.provide({
    guards: { heardInTime: ({ event }) => (event as { readonly heard?: boolean }).heard === true },
  });
  const step = (from: Snapshot, event: object) => transition(walked, from, event as never);
  const circumstances: readonly [string, (context: Snapshot['context']) => boolean][] = [
    ['with a session', ({ resumable }) => resumable],
    ['that is over', () => false],
    ['while closing', ({ closing }) => closing],
    ['for the second time', ({ epoch }) => epoch > 1],
  ];
  /** The row that says most of what holds; undefined where the cell is empty. */
  const rowOf = ({ value, context }: Snapshot, says: string) => {
    const state = stateName(value);
    // A delay that another state has set cannot run out here.
    const event = says.replace(` of ${state}`, '').replace(` of ${state.replace('.', '.line.')}`, '');
    let best: { row: (typeof peerRows)[number]; holding: number } | undefined;
    for (const row of peerRows) {
      if (row.fromState !== state || row.event !== event) continue;
      const named = circumstances.filter(([words]) => row.from.includes(words));
      if (!named.every(([, holds]) => holds(context))) continue;
      if (!best || named.length > best.holding) best = { row, holding: named.length };
    }
    return best?.row;
  };

  const walk = (resumable: boolean) => {
    const nodes = new Map<string, Snapshot>();
    const visit = (snapshot: Snapshot): void => {
      const { closing, proven, resumable, epoch } = snapshot.context;
      const flags = { closing, proven, resumable, again: epoch > 1 };
      const name = [stateName(snapshot.value), ...Object.entries(flags).flatMap(([flag, on]) => (on ? flag : []))];
      if (nodes.has(name.join(' ')) || snapshot.status !== 'active') return;
      nodes.set(name.join(' '), snapshot);
      for (const one of stepsFrom(snapshot)) visit(step(snapshot, one)[0]);
    };
    visit(initialTransition(walked, { ports, times: TIMES, resumable })[0]);
    const cells = [...nodes].flatMap(([name, from]) =>
      stepsFrom(from).map((event) => ({ says: `${name}, ${event.says}`, from, event, row: rowOf(from, event.says) })),
    );
    const isOld = ({ event }: { event: Step }) => event.says.endsWith('an older epoch');
    return {
      nodes,
      cells,
      refused: cells.filter(isOld),
      filled: cells.filter((cell) => !isOld(cell) && cell.row),
      empty: cells.filter((cell) => !isOld(cell) && !cell.row),
    };
  };

  describe.each([
    {
      session: false,
      states: ['connected.draining', 'connected.live', 'connected.unproven', 'stale'],
      counts: { nodes: 8, cells: 176, filled: 45, refused: 32, empty: 99 },
    },
    {
      session: true,
      states: [
        'connected.draining',
        'connected.live',
        'connected.unproven',
        'detached.draining',
        'detached.waiting',
        'stale',
      ],
      counts: { nodes: 40, cells: 880, filled: 268, refused: 160, empty: 452 },
    },
  ])('with a session: $session', ({ session, states, counts }) => {
    const { nodes, cells, refused, filled, empty } = walk(session);

    it('has so many cells, and none is left out', () => {
      expect([...new Set([...nodes.values()].map(({ value }) => stateName(value)))].sort()).toEqual(states);
      expect({
        nodes: nodes.size,
        cells: cells.length,
        filled: filled.length,
        refused: refused.length,
        empty: empty.length,
      }).toEqual(counts);
      expect(filled.length + refused.length + empty.length).toBe(cells.length);
    });

    it('where the table has a row, the plan goes there', () => {
      for (const { says, from, event, row } of filled) {
        const [to] = step(from, event);
        expect(`${says} → ${stateName(to.value)}`).toBe(`${says} → ${row?.to}`);
        const socket = hasSocket(stateName(to.value)) ? [`socket-${to.context.epoch}`] : [];
        expect(Object.keys(to.children), says).toEqual(socket);
      }
    });

    it('what comes from older epochs is counted, and changes nothing else', () => {
      for (const { says, from, event } of refused) {
        const [to, effects] = step(from, event);
        expect(to.value, says).toEqual(from.value);
        expect(to.context, says).toEqual({ ...from.context, refused: from.context.refused + 1 });
        expect(Object.keys(to.children), says).toEqual(Object.keys(from.children));
        expect(effects, says).toEqual([]);
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
  });

  it.each(['connected.live', 'detached.draining'])('after the end nothing moves it: it was %s', async (from) => {
    // XState's development build tells of every event that comes too late.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const bench = (await reach(from)).send({ type: 'dispose' });
    const before = bench.actor.getSnapshot();
    bench.log.length = 0;
    for (const event of stepsFrom(before as Snapshot)) bench.actor.send(event as never);
    expect(bench.actor.getSnapshot()).toBe(before);
    expect([bench.log, bench.clock.pending]).toEqual([[], 0]);
    warn.mockRestore();
  });
});
