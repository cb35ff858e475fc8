import type { Chart, ChartEdge, ChartNode, Kind } from '../../../src/inspector/page/wire.js';

function node(id: string, box: readonly [number, number, number, number], more: Partial<ChartNode> = {}): ChartNode {
  const [x, y, w, h] = box;
  const label = id.split('.').at(-1) ?? id;
  const parent = id.includes('.') ? { parent: id.slice(0, id.lastIndexOf('.')) } : {};
  return { id, label, type: 'atomic', description: '', lines: [], initial: false, ...parent, x, y, w, h, ...more };
}

function edge(
  source: string,
  event: string,
  target: string,
  points: ChartEdge['points'],
  more: Partial<ChartEdge> = {},
): ChartEdge {
  const [x, y] = points[Math.floor(points.length / 2)] ?? [0, 0];
  const delay = event.startsWith('after ') ? { delay: event.slice(6) } : {};
  return {
    id: `${source} ${event} 0`,
    source,
    target,
    event,
    label: event,
    actions: [],
    points,
    lx: x,
    ly: y,
    lw: 80,
    ...delay,
    ...more,
  };
}

/** A connection's statechart, shortened, laid out by hand. */
export const connectionChart: Chart = {
  id: 'connection',
  width: 900,
  height: 620,
  nodes: [
    node('disconnected', [20, 20, 380, 200], { type: 'compound', initial: true }),
    node('disconnected.idle', [40, 70, 100, 50], { place: 'disconnected.idle', initial: true }),
    node('disconnected.waiting', [260, 70, 120, 50], { place: 'disconnected.waiting' }),
    node('connecting', [480, 20, 380, 200], { type: 'compound' }),
    node('connecting.dialing', [500, 70, 120, 50], { place: 'connecting.dialing', initial: true }),
    node('connected', [20, 290, 600, 220], { type: 'parallel' }),
    node('connected.line', [40, 340, 320, 150], { type: 'compound' }),
    node('connected.line.unproven', [60, 390, 110, 50], { place: 'connected.unproven', initial: true }),
    node('connected.line.live', [230, 390, 110, 50], { place: 'connected.live' }),
    node('connected.watch', [400, 340, 200, 150], { type: 'compound' }),
    node('connected.watch.listening', [430, 390, 120, 50], { initial: true }),
    node('stale', [700, 390, 120, 50], { place: 'stale' }),
    node('disposed', [700, 540, 120, 50], { place: 'disposed', type: 'final' }),
  ],
  edges: [
    edge('disconnected.idle', 'connect', 'connecting', [
      [140, 95],
      [200, 95],
      [200, 40],
      [480, 40],
    ]),
    edge('disconnected.waiting', 'after backoff', 'connecting', [
      [380, 95],
      [430, 95],
      [480, 95],
    ]),
    edge('connecting.dialing', 'socket.opened', 'connected', [
      [560, 120],
      [560, 250],
      [560, 290],
    ]),
    edge('connected.line.unproven', 'socket.heard', 'connected.line.live', [
      [170, 415],
      [200, 415],
      [230, 415],
    ]),
    edge('connected.watch.listening', 'after silence', 'connected.watch.listening', [], {
      id: 'connected.watch.listening after silence 0',
      guard: 'heardInTime',
      lx: 490,
      ly: 460,
    }),
    edge(
      'connected.watch.listening',
      'after silence',
      'stale',
      [
        [550, 415],
        [640, 415],
        [700, 415],
      ],
      {
        id: 'connected.watch.listening after silence 1',
      },
    ),
    edge('stale', 'after discardTimeout', 'disconnected.waiting', [
      [760, 390],
      [760, 260],
      [320, 260],
      [320, 120],
    ]),
  ],
};

/** A session's, likewise. */
const sessionChart: Chart = {
  id: 'session',
  width: 640,
  height: 320,
  nodes: [
    node('attached', [20, 20, 120, 50], { place: 'attached', initial: true }),
    node('detached', [260, 20, 120, 50], { place: 'detached' }),
    node('ended', [20, 160, 400, 120], { type: 'compound' }),
    node('ended.deciding', [40, 210, 100, 50], { type: 'transient', initial: true }),
    node('ended.lost', [260, 210, 100, 50], { place: 'ended.lost', type: 'final' }),
  ],
  edges: [
    edge('attached', 'session.detached', 'detached', [
      [140, 45],
      [200, 45],
      [260, 45],
    ]),
    edge('detached', 'after resumeWindow', 'detached', [], { lx: 320, ly: 60 }),
    edge('detached', 'session.attached', 'attached', [
      [260, 60],
      [200, 60],
      [140, 60],
    ]),
  ],
};

export const charts: Readonly<Record<Kind | 'session', Chart>> = {
  session: sessionChart,
  connection: connectionChart,
  peer: { ...connectionChart, id: 'peer' },
  server: {
    id: 'server',
    width: 300,
    height: 120,
    nodes: [node('listening', [20, 20, 120, 50], { place: 'listening', initial: true })],
    edges: [],
  },
};
