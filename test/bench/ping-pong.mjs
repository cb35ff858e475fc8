// One end of a ping-pong, in a process of its own: `ping-pong.mjs echo|ask WAY { size, warm, count, port }`.
import { once } from 'node:events';
import { createServer, connect as netConnect } from 'node:net';
import { connect, listen } from '../../dist/index.js';
import { makeMessages } from './messages.mjs';
import { tell } from './processes.mjs';
import { percentile, sorted } from './statistics.mjs';

const HOST = '127.0.0.1';

const oursWith = (session) => ({
  async echo() {
    const server = await listen({ host: HOST, port: 0, session }, (peer) =>
      peer.on('message', (message) => peer.send(message)),
    );
    return server.address().port;
  },
  async ask(port, onAnswer) {
    const connection = connect({ host: HOST, port, session });
    connection.on('message', onAnswer);
    await connection.connected({ proven: true });
    return (message) => connection.send(message);
  },
});

const ways = {
  ours: oursWith(false),
  'ours in a session': oursWith(true),
  /** Without framing: the whole answer is awaited by its length. */
  raw: {
    async echo() {
      const server = createServer({ noDelay: true }, (socket) => socket.on('data', (chunk) => socket.write(chunk)));
      await once(server.listen(0, HOST), 'listening');
      return server.address().port;
    },
    async ask(port, onAnswer, size) {
      const socket = netConnect({ host: HOST, port, noDelay: true });
      let held;
      socket.on('data', (chunk) => {
        held = held ? Buffer.concat([held, chunk]) : chunk;
        if (held.length < size) return;
        const answer = held;
        held = undefined;
        onAnswer(answer);
      });
      await once(socket, 'connect');
      return (message) => socket.write(message);
    },
  },
};

const [role, way, job] = process.argv.slice(2);
const { size, warm, count, port } = JSON.parse(job);

async function ask() {
  const messages = makeMessages(size);
  const times = [];
  let number = 0;
  let wrong = 0;
  let askedAt = 0;
  const next = () => {
    askedAt = performance.now();
    put(messages[number % messages.length]);
  };
  const put = await ways[way].ask(
    port,
    (answer) => {
      const now = performance.now();
      if (!messages[number % messages.length].equals(answer)) wrong += 1;
      if (number >= warm) times.push((now - askedAt) * 1000);
      number += 1;
      if (number < warm + count) return next();
      const all = sorted(times);
      tell({ wrong, p50: percentile(all, 0.5), p99: percentile(all, 0.99) });
    },
    size,
  );
  next();
}

await (role === 'echo' ? tell({ port: await ways[way].echo() }) : ask());
