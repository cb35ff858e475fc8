// Faults on real sockets: a proxy between a client and a server, of any TCP program.
import { once } from 'node:events';
import { connect, listen } from 'ninja-tcp';
import { createFaultProxy } from 'ninja-tcp/testing';

const server = await listen({ host: '127.0.0.1', port: 0 });
const proxy = await createFaultProxy({ target: { port: server.address()?.port ?? 0 }, latencyMs: 5 });
const app = connect({ host: proxy.host, port: proxy.port, staleAfter: 500 });
await app.connected({ proven: true });

proxy.cut(); // as on a pulled cable
const [{ silentForMs }] = await once(app, 'stale');
console.log(`stale: ${silentForMs >= 500}`); // → stale: true
proxy.heal();
await app.connected({ proven: true });

proxy.resetAll();
const [{ reason }] = await once(app, 'disconnected');
console.log(reason.code); // → NINJA_RESET
await app.connected({ proven: true });

await app.close();
await proxy.close();
await server.close();
