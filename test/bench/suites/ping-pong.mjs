// The time of a question and its answer, over loopback.
import { withEnds } from '../processes.mjs';

const SIZE = 32;
const COUNT = 20_000;

export function pingPong(way, count) {
  return withEnds(async (start) => {
    const job = { size: SIZE, warm: Math.round(count / 4), count };
    const { port } = await start('ping-pong.mjs', 'echo', way, job).next();
    const { wrong, p50, p99 } = await start('ping-pong.mjs', 'ask', way, { ...job, port }).next();
    if (wrong > 0) throw new Error(`ping-pong, ${way}: ${wrong} answers are wrong`);
    return { p50, p99 };
  });
}

const shared = { group: 'Ping-pong over loopback', unit: 'µs', ours: 'ours', other: 'raw' };

export const ask = {
  name: 'ping-pong',
  rows: [
    { id: 'ping-p50', what: '32 B, half', aim: { atMost: 1.1 }, ...shared },
    { id: 'ping-p99', what: '32 B, 99 %', aim: { atMost: 1.25 }, ...shared },
  ],
  async round(record, { quick }) {
    const count = quick ? COUNT / 10 : COUNT;
    const ours = await pingPong('ours', count);
    const raw = await pingPong('raw', count);
    record('ping-p50', { ours: ours.p50, raw: raw.p50 });
    record('ping-p99', { ours: ours.p99, raw: raw.p99 });
  },
};
