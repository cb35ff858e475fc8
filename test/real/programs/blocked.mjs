// Twenty connections in a process whose event loop is held, or which is stopped from outside. It tells `ready`, obeys,
// and tells `done` with what was lost: the other side lived all the while. Its argument:
//   {port}      of a live server; without it the server is in this process too, and shares its fate
//   {place}     where the loop is held: timer, immediate, poll (a callback of I/O), promise (a chain of promises behind it)
//   {blockMs}   for how long
//   {staleAfter, heartbeatInterval}
// {"block": true} holds the loop; with false it was held from outside. Then each line looks at its silence anew.
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import { connect, listen } from '../../../dist/index.js';
import { obey, tell } from './telling.mjs';

const CONNECTIONS = 20;
const HEARTBEAT = 4;
const { place, blockMs, ...given } = JSON.parse(process.argv[2]);
const { staleAfter, heartbeatInterval } = given;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const lost = [];
async function ownServer() {
  const server = await listen({ ...given, host: '127.0.0.1', port: 0 }, (peer) => {
    peer.on('stale', ({ silentForMs }) => lost.push({ peer: peer.id, silentForMs }));
  });
  return server.address().port;
}
const port = given.port ?? (await ownServer());

/** Holds the loop as heavy work does, but leaves the processor to the other side, which is to live meanwhile. */
const hold = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);

// Bytes that come to this socket are read in a poll phase.
const poked = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
await once(poked, 'listening');
const accepted = once(poked, 'connection');
let afterPoll = () => {};
dial(poked.address().port, '127.0.0.1').on('data', () => afterPoll());
const [poker] = await accepted;

function block() {
  return new Promise((resolve) => {
    const held = () => {
      hold();
      resolve();
    };
    if (place === 'timer') setTimeout(held, 1);
    else if (place === 'immediate') setImmediate(held);
    else {
      afterPoll = () => {
        if (place === 'poll') held();
        else
          Promise.resolve()
            .then(() => {})
            .then(held);
      };
      poker.write('x');
    }
  });
}

// The obvious watchdog, beside ours: it is fooled now and then, so the test can fail.
let fooled = false;
if (given.port)
  dial(port, '127.0.0.1')
    .resume()
    .setTimeout(staleAfter, () => {
      fooled = true;
    });

const connections = [];
for (let i = 0; i < CONNECTIONS; i += 1) {
  const connection = connect({ host: '127.0.0.1', port, staleAfter, heartbeatInterval });
  connection.on('disconnected', ({ epoch, reason }) =>
    lost.push({ epoch, code: reason.code, message: reason.message }),
  );
  connections.push(connection);
  // So that their silence windows end all over the interval.
  await wait(heartbeatInterval / CONNECTIONS);
}
await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
tell('ready');

/** Waits until each line has heard so much more that it must have looked at its silence since. */
async function rest() {
  const before = connections.map((connection) => connection.stats().heardBytes);
  const enough = HEARTBEAT * (1 + Math.ceil(staleAfter / heartbeatInterval));
  const rested = (connection, i) => lost.length > 0 || connection.stats().heardBytes >= before[i] + enough;
  while (!connections.every(rested)) await wait(10);
}

obey(async (order) => {
  await Promise.all(connections.map((connection) => connection.connected({ proven: true })));
  lost.length = 0;
  fooled = false;
  if (order.block) await block();
  await rest();
  tell('done', { lost, fooled });
});
