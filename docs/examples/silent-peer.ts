// A peer that is silent when idle, and what it needs: staleAfter: 0. And how silence is found out otherwise.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'ninja-tcp';

// It takes everything, says nothing, and knows no heartbeats.
const mute = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
await once(mute, 'listening');
const address = mute.address();
const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

const strict = connect({ host: '127.0.0.1', port, staleAfter: 200 });
const [stale] = await once(strict, 'stale');
console.log(`stale: ${stale.silentForMs >= 200}`); // → stale: true
await strict.dispose();

const patient = connect({ host: '127.0.0.1', port, staleAfter: 0, heartbeatInterval: 0 });
await patient.connected();
await wait(400);
console.log(patient.state, patient.substate, patient.epoch); // → connected unproven 1
await patient.dispose();
mute.close();
