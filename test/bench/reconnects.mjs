// Many reconnects of one connection: `reconnects.mjs serve|dial [PORT]`. Is the heap flat, at both ends?
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, listen } from '../../dist/index.js';
import { answer, tell, withEnds } from './processes.mjs';
import { slope } from './statistics.mjs';

const HOST = '127.0.0.1';
const STEPS = 10;

async function heap() {
  for (let turn = 0; turn < 4; turn += 1) {
    global.gc();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}

async function serve() {
  const server = await listen({ host: HOST, port: 0 }, () => undefined);
  answer({ heap: async () => ({ heap: await heap(), peers: server.peers.size }) });
  tell({ port: server.address().port });
}

async function dial(port) {
  const connection = connect({ host: HOST, port });
  await connection.connected({ proven: true });
  answer({
    async reconnect({ count }) {
      const from = performance.now();
      for (let done = 0; done < count; done += 1) {
        connection.reconnectNow();
        await connection.connected();
      }
      const seconds = (performance.now() - from) / 1000;
      await connection.connected({ proven: true });
      return { seconds, heap: await heap(), epoch: connection.epoch };
    },
  });
  tell({ ready: true });
}

/** In the command. The first step is for warming up. */
export function reconnects(count) {
  return withEnds(async (start) => {
    const server = start('reconnects.mjs', 'serve');
    const { port } = await server.next();
    const client = start('reconnects.mjs', 'dial', String(port));
    await client.next();
    const each = Math.ceil(count / STEPS);
    const heaps = { client: [], server: [] };
    let seconds = 0;
    for (let step = 0; step <= STEPS; step += 1) {
      const { heap, epoch, ...took } = await client.ask({ order: 'reconnect', count: each });
      if (epoch !== 1 + each * (step + 1)) throw new Error(`epoch ${epoch} after ${each * (step + 1)} reconnects`);
      const other = await server.ask({ order: 'heap' });
      if (step === 0) continue;
      seconds += took.seconds;
      heaps.client.push(heap);
      heaps.server.push(other.heap);
    }
    return {
      count: each * STEPS,
      microseconds: (seconds / (each * STEPS)) * 1e6,
      // Bytes of heap a reconnect.
      client: slope(heaps.client, each),
      server: slope(heaps.server, each),
      heaps,
    };
  });
}

const [role, port] = process.argv.slice(2);
if (process.send && role === 'serve') await serve();
if (process.send && role === 'dial') await dial(Number(port));
