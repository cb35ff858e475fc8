// A server whose sessions are kept in Redis, and whose effects in a file: each message becomes a line `session number text`.
// Its argument: { url, file, port, acknowledge }
//   'handled'   the line is written, then the listener returns
//   'manual'    the line is written unless the file has that number already; then the number is sent back, and the message is
//               acknowledged when that was handled: the effect happens once, and the answer comes, whatever happens
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { listen } from '../../../dist/index.js';
import { redisStore } from '../../../dist/redis/index.js';
import { obey, tell } from './telling.mjs';

const { url, file, port, acknowledge } = JSON.parse(process.argv[2]);
const store = redisStore({ url, prefix: 'kept:', key: new Uint8Array(32).fill(9) });
const done = new Map();
for (const line of existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) {
  const [session, number] = line.split(' ');
  done.set(session, Math.max(done.get(session) ?? 0, Number(number)));
}
let count = 0;
const server = await listen({ host: '127.0.0.1', port, session: { store, acknowledge } }, (peer) => {
  const { fingerprint } = peer.session;
  tell('peer', { name: fingerprint });
  peer.on('message', (message) => {
    count += 1;
    if (acknowledge === 'handled') {
      appendFileSync(file, `${fingerprint} 0 ${message}\n`);
      return;
    }
    if (message.number > (done.get(fingerprint) ?? 0)) {
      appendFileSync(file, `${fingerprint} ${message.number} ${message}\n`);
      done.set(fingerprint, message.number);
    }
    // A peer that is at its end leaves the message to whoever goes on with the session.
    peer.deliver(String(message.number)).then(
      () => message.acknowledge(),
      () => {},
    );
  });
  peer.on('disposed', ({ reason }) => tell('peer disposed', { code: reason.code }));
});
server.on('peerError', () => {});
tell('listening', { port: server.address().port });
obey(({ count: asked }) => asked && tell('count', { bytes: count }));
