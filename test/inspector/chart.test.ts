import { describe, expect, it, test } from 'vitest';
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';
import { createActor, createMachine } from 'xstate';
import { connectionMachine, peerMachine, serverMachine, sessionMachine } from '../../machines/index.js';
import { connect, listen } from '../../src/index.js';
import type { Chart, Edge, Node } from '../../src/inspector/chart.js';
import { edgeIdOf, planOf } from '../../src/inspector/chart-plan.js';
import { roundedPath, svgOf } from '../../src/inspector/chart-svg.js';
import { charts } from '../../src/inspector/charts.js';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { statesOf, transitionsOf } from '../machines/plan.js';

const machines: [keyof typeof charts, AnyStateMachine][] = [
  ['connection', connectionMachine],
  ['peer', peerMachine],
  ['server', serverMachine],
  ['session', sessionMachine],
];

const box = ({ x, y, w, h }: Node) => ({ left: x, top: y, right: x + w, bottom: y + h });
const labelBox = ({ lx, ly, lw }: Edge) => ({ left: lx - lw / 2, top: ly - 8, right: lx + lw / 2, bottom: ly + 8 });
type Box = ReturnType<typeof box>;
const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const within = (a: Box, b: Box) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
const pairs = <T>(list: readonly T[]): [T, T][] => list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));

describe.each(machines)('the drawing of a %s', (name, machine) => {
  const chart: Chart = charts[name];
  const nodeOf = (id: string) => chart.nodes.find((node) => node.id === id) as Node;

  it('has what the plan has: else run `npm run docs`', () => {
    const { nodes, edges, ...head } = planOf(machine);
    expect(chart).toMatchObject(head);
    expect(chart.nodes.map(({ x, y, w, h, lines, ...node }) => node)).toEqual(nodes);
    expect(chart.edges.map(({ points, lx, ly, lw, ...edge }) => edge)).toEqual(edges.map(({ moves, ...edge }) => edge));
    expect(edges.map(({ moves }) => moves)).toEqual(chart.edges.map(({ points }) => points.length > 0));
  });

  it('shows every state and every transition once', () => {
    expect(chart.nodes).toHaveLength(statesOf(machine).length);
    expect(chart.edges.map(({ id }) => id).sort()).toEqual(transitionsOf(machine).map(edgeIdOf).sort());
    expect(new Set(chart.edges.map(({ id }) => id)).size).toBe(chart.edges.length);
  });

  it('lays inner states inside outer ones, and no two over each other', () => {
    for (const node of chart.nodes) {
      const outer = node.parent
        ? box(nodeOf(node.parent))
        : { left: 0, top: 0, right: chart.width, bottom: chart.height };
      expect([node.id, within(box(node), outer)]).toEqual([node.id, true]);
    }
    const over = pairs(chart.nodes).filter(([a, b]) => a.parent === b.parent && overlap(box(a), box(b)));
    expect(over).toEqual([]);
  });

  it('lays no label over another, or over a state that it does not belong to', () => {
    const over = pairs(chart.edges).filter(([a, b]) => overlap(labelBox(a), labelBox(b)));
    expect(over.map(([a, b]) => `${a.id} / ${b.id}`)).toEqual([]);
    const leaves = chart.nodes.filter(({ id }) => !chart.nodes.some(({ parent }) => parent === id));
    for (const edge of chart.edges) {
      const hidden = leaves.filter((leaf) => overlap(labelBox(edge), box(leaf)));
      // What stays in a state stands in its box.
      expect(hidden.map(({ id }) => id).filter((id) => edge.points.length > 0 || id !== edge.source)).toEqual([]);
    }
  });

  it('begins each arrow at its source, ends it at its target, and runs along the axes', () => {
    const on = ([x, y]: readonly [number, number], node: Node) => {
      const { left, right, top, bottom } = box(node);
      const inside = x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
      return inside && Math.min(...[x - left, x - right, y - top, y - bottom].map(Math.abs)) <= 1;
    };
    for (const { id, source, target, points } of chart.edges) {
      if (points.length === 0) continue;
      expect([id, on(points[0]!, nodeOf(source)), on(points.at(-1)!, nodeOf(target))]).toEqual([id, true, true]);
      const slanted = points.filter(([x, y], i) => i > 0 && x !== points[i - 1]![0] && y !== points[i - 1]![1]);
      expect([id, slanted]).toEqual([id, []]);
    }
  });

  it('has room for every line of text', () => {
    // The text is measured as generously as the layout does: nothing is wider than 0.6 of its size on average.
    for (const node of chart.nodes) {
      for (const line of node.lines) expect([line, line.length * 6 <= node.w]).toEqual([line, true]);
      expect(node.lines.join(' ')).toBe(node.description);
      expect(36 + 15 * (node.lines.length - 1)).toBeLessThan(node.h);
    }
  });

  it('becomes an SVG that loads nothing, tells what it shows, and escapes what it says', () => {
    const svg = svgOf({ ...chart, description: '<b> & "c"' });
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
    expect(svg).toContain('<desc id="desc">&lt;b&gt; &amp; &quot;c&quot; any state: ');
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|href|@import|url\(/);
    for (const { label } of [...chart.nodes, ...chart.edges]) expect(svg).toContain(`>${label}</text>`);
    const opened = [...svg.matchAll(/<([a-z]+)[^>]*?(\/?)>/g)]
      .filter(([, , shut]) => shut === '')
      .map(([, tag]) => tag);
    const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, tag]) => tag);
    expect(opened.sort()).toEqual(closed.sort());
  });
});

describe('where a chart is lit', () => {
  test.each([
    ['connection', 'disconnected.idle', 'disconnected.idle'],
    ['connection', 'connected.live', 'connected.line.live'],
    ['connection', 'stale', 'stale'],
    ['peer', 'connected.unproven', 'connected.line.unproven'],
    ['peer', 'detached.waiting', 'detached.waiting'],
    ['peer', 'detached.draining', 'detached.draining'],
    ['session', 'detached', 'detached'],
    ['server', 'listening', 'listening'],
  ] as const)('%s: %s is %s', (name, place, id) => {
    expect(charts[name].nodes.filter((node) => node.place === place).map((node) => node.id)).toEqual([id]);
  });

  test('what is passed at once, the watch, and what holds others have no place', () => {
    const without = charts.connection.nodes.filter(({ place }) => place === undefined).map(({ id }) => id);
    expect(without).toEqual(
      'connection disconnected disconnected.deciding connecting connected connected.line connected.watch connected.watch.listening'.split(
        ' ',
      ),
    );
  });

  test('every place of a life is a place of its chart', async () => {
    const clock = createVirtualClock({ start: 1000 });
    const network = createNetwork({ clock });
    const server = await clock.runUntil(listen({ port: 1, environment: network.host('server').environment() }));
    const environment = network.environment('client');
    const connection = connect({ host: 'server', port: 1, environment, backoff: () => 100 });
    await clock.runUntil(connection.connected({ proven: true }));
    network.host('server').freeze();
    await clock.advance(5000);
    await clock.runUntil(connection.dispose());
    await clock.runUntil(server.dispose());
    const places = charts.connection.nodes.map(({ place }) => place);
    const seen = new Set(connection.history.map(({ to }) => to));
    expect([...seen].filter((place) => !places.includes(place))).toEqual([]);
    expect(seen).toContain('stale');
  });
});

describe('the transitions that are taken', () => {
  test('XState tells of them, and they are edges of the chart, though the machine was made anew', () => {
    const taken: string[] = [];
    const machine = serverMachine.provide({ actions: { remember: () => {}, announceListening: () => {} } });
    const ports = {
      wallNow: () => 0,
      openAcceptor: () => ({ close() {} }),
      enoughDescriptors: () => true,
      entered() {},
      toJSON: () => undefined,
    };
    const actor = createActor(machine, {
      input: { ports, drainTimeout: 1000 },
      inspect: (inspected) => {
        if (inspected.type !== '@xstate.microstep') return;
        taken.push(...inspected._transitions.map((transition) => edgeIdOf(transition as AnyTransitionDefinition)));
      },
    }).start();
    for (const type of ['listen', 'acceptor.listening', 'close', 'peers.gone'] as const) actor.send({ type });
    expect(taken).toEqual([
      'closed listen 0',
      'binding acceptor.listening 0',
      'listening close 0',
      'draining peers.gone 0',
    ]);
    const ids = charts.server.edges.map(({ id }) => id);
    expect(taken.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('labels leave out the guard that is a formality, and tell what is done where nothing is left', () => {
    const label = (id: string) => charts.connection.edges.find((edge) => edge.id === id)?.label;
    expect(
      ['connecting socket.closed 0', 'connecting close 0', 'connecting close 1', 'stale after discardTimeout 0'].map(
        label,
      ),
    ).toEqual(['socket.closed', 'close [nothingHeld]', 'close / noteClosing', 'after discardTimeout']);
    expect(
      [
        'disconnected.deciding always 1',
        'disconnected.deciding always 2',
        'connected.line.draining reconnectNow 0',
      ].map(label),
    ).toEqual(['[gaveUp]', 'always', 'reconnectNow / nothing']);
  });
});

describe('what cannot be drawn', () => {
  const inline = (of: object) => createMachine({ id: 'odd', initial: 'a', states: { a: of } } as never);
  test.each([
    [
      'an action without a name',
      inline({ on: { go: { actions: { type: 1 } } } }),
      /odd\.a: an action or a guard has no name/,
    ],
    ['a history state', inline({ initial: 'b', states: { b: { type: 'history' } } }), /odd\.a\.b: a history state/],
  ])('is refused: %s', (_, machine, words) => {
    expect(() => planOf(machine as AnyStateMachine)).toThrow(words);
  });
});

describe('a way with round corners', () => {
  test('keeps its ends, and halves what is too short', () => {
    expect(
      roundedPath([
        [0, 0],
        [0, 100],
        [50, 100],
      ]),
    ).toBe('M0 0L0 93Q0 100 7 100L50 100');
    expect(
      roundedPath([
        [0, 0],
        [0, 100],
        [4, 100],
        [4, 200],
      ]),
    ).toBe('M0 0L0 93Q0 100 2 100L2 100Q4 100 4 107L4 200');
  });
});
