// What a session costs, against our own plain mode; and how soon it goes on.
import { withEnds } from '../processes.mjs';
import { measure } from './crowd.mjs';
import { transfer } from './one-way.mjs';
import { pingPong } from './ping-pong.mjs';

const SESSION = 'ours in a session';
const sizes = { 16: ['16 B', 3_000_000], 128: ['128 B', 2_000_000], 1024: ['1 KiB', 600_000] };
const BREAKS = 500;

function resume(session, count) {
  return withEnds(async (start) => {
    const { port } = await start('resume.mjs', 'serve', { count, session }).next();
    const { wrong, p50 } = await start('resume.mjs', 'break', { count, session, port }).next();
    if (wrong > 0) throw new Error(`resume: ${wrong} answers are wrong`);
    return p50;
  });
}

const row = (id, what, unit, aim, more = {}) => ({
  id,
  group: 'In a session, against our own plain mode',
  what,
  unit,
  ours: SESSION,
  other: 'ours',
  aim,
  ...more,
});

export const sessions = {
  name: 'sessions',
  rows: [
    ...Object.entries(sizes).map(([size, [words]]) =>
      row(`session-${size}`, `one way, ${words}`, 'messages/s', { atLeast: 0.7 }),
    ),
    row('session-ping', 'ping-pong 32 B, half', 'µs', { atMost: 1.15 }),
    row('session-rss', 'RSS of one accepted, of 5,000', 'bytes', { addAtMost: 2048 }),
    row('session-resume', 'from a dead socket to the answer to what died with it, half', 'ms', { addAtMost: 5 }),
  ],
  async round(record, { quick }) {
    const scale = quick ? 0.1 : 1;
    for (const [size, [, count]] of Object.entries(sizes)) {
      const some = Math.round(count * scale);
      const ours = await transfer('ours', Number(size), some);
      const session = await transfer(SESSION, Number(size), some);
      record(`session-${size}`, { [SESSION]: session.rate, ours: ours.rate });
    }
    const pings = quick ? 2000 : 20_000;
    const ours = await pingPong('ours', pings);
    record('session-ping', { [SESSION]: (await pingPong(SESSION, pings)).p50, ours: ours.p50 });
    const size = { count: 5000 * scale, crowd: 0 };
    const plain = await measure('ours', size);
    record('session-rss', { [SESSION]: (await measure(SESSION, size)).accepted, ours: plain.accepted });
    const breaks = Math.round(BREAKS * scale);
    record('session-resume', { [SESSION]: await resume(true, breaks), ours: await resume(false, breaks) });
  },
};
