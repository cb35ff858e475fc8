// One end of a session that is broken again and again, in a process of its own: `resume.mjs serve|break { count, session, port }`.
import { once } from 'node:events';
import { connect, listen } from '../../dist/index.js';
import { tell } from './processes.mjs';
import { percentile, sorted } from './statistics.mjs';

const HOST = '127.0.0.1';
const WARM = 50;

const [role, job] = process.argv.slice(2);
const { count, session, port } = JSON.parse(job);

async function serve() {
  const server = await listen({ host: HOST, port: 0, session }, (peer) =>
    peer.on('message', (message) => peer.send(message)),
  );
  return server.address().port;
}

/** From the death of the socket to the answer to a message that died with it: dial, resume, replay, and the way back. */
async function breakIt() {
  const connection = connect({ host: HOST, port, session });
  await connection.connected();
  const times = [];
  let wrong = 0;
  for (let number = 0; number < WARM + count; number += 1) {
    const answered = once(connection, 'message');
    if (session) connection.send(`${number}`);
    const from = performance.now();
    connection.reconnectNow();
    // Else it would be lost.
    if (!session) await connection.connected().then(() => connection.send(`${number}`));
    const [answer] = await answered;
    if (`${answer}` !== `${number}`) wrong += 1;
    if (number >= WARM) times.push(performance.now() - from);
  }
  if (session && connection.session.resumes !== WARM + count) wrong += 1;
  const all = sorted(times);
  tell({ wrong, p50: percentile(all, 0.5), p99: percentile(all, 0.99) });
}

await (role === 'serve' ? tell({ port: await serve() }) : breakIt());
