// A line goes stale; what its recorder has kept is replayed on the real statechart, which a test can do as well.
import { connect, listen } from 'ninja-tcp';
import { createNetwork, createVirtualClock, replay } from 'ninja-tcp/testing';

const clock = createVirtualClock();
const network = createNetwork({ clock });
const till = network.host('till');
await clock.runUntil(listen({ port: 9000, environment: till.environment() }));

const connection = connect({
  host: 'till',
  port: 9000,
  environment: network.environment('client'),
  backoff: () => 100,
  // The last 100 steps, and the first 16 bytes of each message; those of a card number are kept back.
  flightRecorder: { entries: 100, payloads: 16, redact: (message) => `${Buffer.from(message)}`.replace(/\d/g, '#') },
});
await clock.runUntil(connection.connected({ proven: true }));
connection.send('pay 4711');
till.freeze();
await clock.runUntil(() => connection.substate === 'waiting');

// Plain JSON: for a file, a log, or a bug report.
const dump = JSON.parse(JSON.stringify(connection.flightRecorder?.dump()));
await connection.dispose();
console.log(Buffer.from(dump.messages[0].base64, 'base64').toString()); // → pay ####

const { steps, difference } = replay(dump);
for (const { afterMs, words, state } of steps) console.log(`${afterMs} ms: ${words}, ${state}`);
// → 0 ms: start, disconnected.idle
// → 0 ms: connect, connecting.dialing
// → 2 ms: socket.opened, connected.unproven
// → 4 ms: socket.heard, connected.live
// → 3002 ms: after silence, connected.live
// → 3004 ms: after silence, stale
// → 3004 ms: socket.closed, disconnected.waiting
console.log(difference); // → undefined
