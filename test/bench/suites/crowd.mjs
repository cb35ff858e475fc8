// Many connections that do nothing: how fast they come, what they weigh, and what their heartbeats cost.
import { setTimeout as sleep } from 'node:timers/promises';
import { withEnds } from '../processes.mjs';

/** The first are for warming up: code and pools are there when memory is looked at. */
const WARM = 200;
const COUNT = 5000;
const CROWD = 10_000;
const SETTLE_MS = 1500;
const WATCH_MS = 3000;

/** @param crowd how many connections the processor is watched with; 0 for not at all */
export function measure(way, { count, crowd }) {
  return withEnds(async (start) => {
    const server = start('crowd.mjs', 'serve', way);
    const { port } = await server.next();
    const clients = start('crowd.mjs', 'dial', way, String(port));
    await clients.next();
    const memory = async () => {
      await sleep(SETTLE_MS);
      return [await server.ask({ order: 'memory' }), await clients.ask({ order: 'memory' })];
    };
    const whole = (ends, expected) => {
      for (const { open, lost, why } of ends) {
        if (open === expected && lost === 0) continue;
        throw new Error(`crowd, ${way}: ${open} of ${expected} are open, ${lost} were lost, the first since: ${why}`);
      }
    };
    let all = 0;
    /** Gives the seconds until both ends have so many more. */
    const grow = async (more) => {
      all += more;
      const from = performance.now();
      await clients.ask({ order: 'grow', count: more });
      await server.ask({ order: 'accepted', count: all });
      return (performance.now() - from) / 1000;
    };
    await grow(WARM);
    const before = await memory();
    const seconds = await grow(count);
    const after = await memory();
    whole(after, all);
    const [accepted, client] = after.map(({ rss }, end) => (rss - before[end].rss) / count);
    const result = { rate: count / seconds, accepted, client };
    if (crowd === 0) return result;
    await grow(crowd - all);
    await sleep(SETTLE_MS);
    const watched = await server.ask({ order: 'cpu', ms: WATCH_MS });
    whole([watched], all);
    return { ...result, share: watched.share };
  });
}

const group = 'Many idle connections';
const raw = { group, ours: 'ours', other: 'raw' };

export const crowd = {
  name: 'crowd',
  rows: [
    { ...raw, id: 'connect-rate', what: 'connect rate, 5,000', unit: 'connections/s', aim: { atLeast: 0.35 } },
    { ...raw, id: 'rss-accepted', what: 'RSS of one accepted, of 5,000', unit: 'bytes', aim: { addAtMost: 4096 } },
    { ...raw, id: 'rss-client', what: 'RSS of one client, of 5,000', unit: 'bytes', aim: { addAtMost: 14_336 } },
    {
      id: 'heartbeats',
      group,
      what: '10,000 with heartbeats both ways: CPU of the server',
      unit: 'of a core',
      ours: 'ours',
      other: 'by hand',
      aim: { atMost: 1.5 },
    },
  ],
  async round(record, { quick }) {
    const scale = quick ? 0.1 : 1;
    const size = { count: COUNT * scale, crowd: CROWD * scale };
    const ours = await measure('ours', size);
    const raw = await measure('raw', { ...size, crowd: 0 });
    const byHand = await measure('by hand', size);
    record('connect-rate', { ours: ours.rate, raw: raw.rate });
    record('rss-accepted', { ours: ours.accepted, raw: raw.accepted });
    record('rss-client', { ours: ours.client, raw: raw.client });
    record('heartbeats', { ours: ours.share, 'by hand': byHand.share });
  },
};
