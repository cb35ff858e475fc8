import { connect, listen } from 'ninja-tcp';
import { createNetwork, createVirtualClock } from 'ninja-tcp/testing';

const clock = createVirtualClock();
const network = createNetwork({ clock });
await clock.runUntil(listen({ port: 7, environment: network.environment('server') }));
const app = connect({ host: 'server', port: 7, environment: network.environment('client') });
await clock.runUntil(app.connected({ proven: true }));

network.cut(); // the cable is pulled: no byte passes, and nobody says so
await clock.runUntil(() => app.state === 'stale'); // three seconds, without waiting for them
console.log(app.explain()); // → server:7 stale since …: no byte for 3000 ms at …
network.heal();
await clock.runUntil(app.connected({ proven: true }));
console.log(app.state, app.substate, app.epoch); // → connected live 2
await app.dispose();
