// A sender that is faster than the line, and a reader that is slower: memory stays bounded on both sides.
import { setTimeout as wait } from 'node:timers/promises';
import { connect, listen } from 'ninja-tcp';

let received = 0;
const server = await listen({ host: '127.0.0.1', port: 0, inboxMessages: 100 }, async (peer) => {
  for await (const _message of peer) {
    received += 1;
    if (received % 1000 === 0) await wait(1); // the slow reader: beyond 100 messages nothing more is read from the line
  }
});

const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, highWaterMark: 64 * 1024 });
let waits = 0;
for (let n = 0; n < 10_000; n += 1) {
  if (connection.send(Buffer.alloc(1000))) continue;
  waits += 1;
  await connection.drained(); // half of highWaterMark is left
}
await connection.close(); // hands over what is left first
await server.close();
console.log(`received ${received}, waited ${waits > 10 ? 'often' : 'rarely'}`); // → received 10000, waited often
