import { connect, listen } from 'ninja-tcp';
import { createNetwork, createVirtualClock } from 'ninja-tcp/testing';

const clock = createVirtualClock();
const network = createNetwork({ clock, seed: 7, latencyMs: 5 });
const server = network.host('server');
await clock.runUntil(listen({ port: 65432, environment: server.environment() }));
const client = connect({ host: 'server', port: 65432, environment: network.environment('client') });
await clock.runUntil(client.connected({ proven: true }));

server.freeze(); // as SIGSTOP does
await clock.runUntil(() => client.state === 'stale'); // three seconds, without waiting for them
console.log(client.explain()); // → server:65432 stale since …: no byte for 3000 ms at …
await client.dispose();
