// Where it stands, why, and how it got there.
import { setTimeout as wait } from 'node:timers/promises';
import { connect, listen } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, name: 'till 7' });
console.log(connection.explain()); // → till 7 connecting (dialing) since …, epoch 1, attempt 1

await connection.connected({ proven: true });
console.log(connection.state, connection.substate, connection.epoch); // → connected live 1
console.log(connection.explain()); // → till 7 connected (live) since …, epoch 1; last byte … ago; next check in … ms

// Every change of state of the XState actor itself; `value` is the state with all its regions.
const { unsubscribe } = connection.actor.subscribe(({ value }) => console.log(JSON.stringify(value)));
connection.reconnectNow(); // → {"connecting":"dialing"}
await connection.connected({ proven: true });
// → {"connected":{"line":"unproven","watch":"listening"}}
// → {"connected":{"line":"live","watch":"listening"}}
unsubscribe();

await wait(20);
await connection.dispose();
for (const { from, to, cause } of connection.history) console.log(`${from ?? 'start'} → ${to} (${cause})`);
// → start → disconnected.idle (start)
// → disconnected.idle → connecting.dialing (connect)
// → connecting.dialing → connecting.greeting (socket.opened)
// → connecting.greeting → connected.unproven (socket.opened)
// → connected.unproven → connected.live (socket.heard)
// → connected.live → connecting.dialing (reconnectNow)
// → connecting.dialing → connecting.greeting (socket.opened)
// → connecting.greeting → connected.unproven (socket.opened)
// → connected.unproven → connected.live (socket.heard)
// → connected.live → disposed (dispose)
console.log(connection.reason?.message); // → the program called dispose()
await server.dispose();
