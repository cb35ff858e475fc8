// A server that finishes what it has begun when the system asks it to end. A second signal ends it at once.
import { listen } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 0, drainTimeout: 5000 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});

let asked = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (asked) void server.dispose();
    else void server.close();
    asked = true;
  });
}
console.log('ready'); // → ready

const reason = await server.closed();
console.log(`ended: ${reason.message}`); // → ended: the program called close()
process.exit(); // the listeners of signals do not keep the process alive; whatever else the program has open might
