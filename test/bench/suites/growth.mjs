// What a message costs over its length, and over the number of connections: the plots, and the rule against cliffs.
import { transfer } from './one-way.mjs';

const KiB = 1024;
const MiB = 1024 * KiB;
const SIZES = [16, 64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB, 8 * MiB];
const BYTES = 256 * MiB;
const MOST = 2_000_000;
/** Messages of all connections together, at least. */
const MESSAGES = 400_000;
const ACTIVE_SIZE = 128;
const TURN = 32;
/** The rule: ten times the work may cost so many times the time. */
const ALLOWED = 12;

const connectionCounts = (last) => [1, 10, 100, 1000, 10_000].filter((count) => count <= last);
const countOf = (size) => Math.max(24, Math.min(MOST, Math.round(BYTES / size)));

/** Microseconds a message, by way. */
async function pair(size, count, more) {
  const cost = {};
  for (const way of ['ours', 'reference']) cost[way] = 1e6 / (await transfer(way, size, count, more)).rate;
  return cost;
}

export const growth = {
  name: 'growth',
  rows: [],
  /** In a run of all suites: it draws, and does not decide. */
  rounds: 3,
  plots: [
    { id: 'size', title: 'A message by its length', x: 'bytes', y: 'µs a message', ways: ['ours', 'reference'] },
    {
      id: 'connections',
      title: `A message of ${ACTIVE_SIZE} B by the number of active connections`,
      x: 'connections',
      y: 'µs a message',
      ways: ['ours', 'reference'],
    },
  ],
  async round(record, { quick, connections: last }) {
    const scale = quick ? 0.1 : 1;
    for (const size of SIZES) {
      record(`size:${size}`, await pair(size, Math.max(8, Math.round(countOf(size) * scale))));
    }
    for (const connections of connectionCounts(last)) {
      // Whole turns, so that all connections send the same.
      const turns = Math.max(4, Math.ceil((MESSAGES * scale) / (TURN * connections)));
      const count = turns * TURN * connections;
      record(`connections:${connections}`, await pair(ACTIVE_SIZE, count, { connections }));
    }
  },
};

/**
 * Where ten times the work costs too much.
 *
 * @param points `{ x, y }` in the order of x
 * @param work what a point of the plot is in time, as a whole, from its x and y
 */
export function cliffs(points, work) {
  const found = [];
  for (const [place, from] of points.entries()) {
    const to = points.slice(place + 1).find(({ x }) => x >= 10 * from.x);
    if (!to) continue;
    const times = work(to) / work(from);
    const allowed = (to.x / from.x / 10) * ALLOWED;
    if (times > allowed) found.push({ from: from.x, to: to.x, times, allowed });
  }
  return found;
}

/** One message is the work of its length; with connections, each of them has its messages to send. */
export const workOf = { size: ({ y }) => y, connections: ({ x, y }) => x * y };
