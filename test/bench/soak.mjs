// Minutes at full speed: `soak.mjs serve|dial [PORT]`. Is the heap flat, at both ends?
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, listen } from '../../dist/index.js';
import { answer, tell, withEnds } from './processes.mjs';
import { slope } from './statistics.mjs';

const HOST = '127.0.0.1';
const SIZE = 128;
/** Each step ends with a look at the heap. */
const STEP_MS = 20_000;

async function heap() {
  for (let turn = 0; turn < 4; turn += 1) {
    global.gc();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}

async function serve() {
  let messages = 0;
  let bad = 0;
  const server = await listen({ host: HOST, port: 0 }, (peer) => {
    peer.on('message', (message) => {
      messages += 1;
      if (message.length !== SIZE || message.readUInt32BE(0) !== messages % 2 ** 32) bad += 1;
    });
  });
  answer({
    async heap({ sent }) {
      while (messages < sent) await sleep(5);
      return { heap: await heap(), messages, bad };
    },
  });
  tell({ port: server.address().port });
}

async function dial(port) {
  const connection = connect({ host: HOST, port });
  await connection.connected({ proven: true });
  let sent = 0;
  answer({
    async send({ ms }) {
      const until = performance.now() + ms;
      while (performance.now() < until) {
        // Each has memory of its own, since it must not be changed after it was sent.
        const message = Buffer.alloc(SIZE);
        sent += 1;
        message.writeUInt32BE(sent % 2 ** 32, 0);
        if (!connection.send(message)) await connection.drained();
      }
      while (connection.stats().pending.messages > 0) await sleep(1);
      return { sent, heap: await heap(), epoch: connection.epoch };
    },
  });
  tell({ ready: true });
}

/** In the command. The first step is for warming up. */
export function soak(minutes) {
  return withEnds(async (start) => {
    const server = start('soak.mjs', 'serve');
    const { port } = await server.next();
    const client = start('soak.mjs', 'dial', String(port));
    await client.next();
    const steps = Math.max(2, Math.round((minutes * 60_000) / STEP_MS));
    const heaps = { client: [], server: [] };
    let from = 0;
    let messages = 0;
    for (let step = 0; step <= steps; step += 1) {
      const { sent, heap, epoch } = await client.ask({ order: 'send', ms: STEP_MS });
      const other = await server.ask({ order: 'heap', sent });
      if (epoch !== 1 || other.bad > 0 || other.messages !== sent) {
        throw new Error(`soak: ${sent} sent, ${other.messages} came, ${other.bad} wrong, epoch ${epoch}`);
      }
      messages = sent - from;
      if (step === 0) {
        from = sent;
        continue;
      }
      heaps.client.push(heap);
      heaps.server.push(other.heap);
    }
    const perMinute = 60_000 / STEP_MS;
    return {
      minutes: (steps * STEP_MS) / 60_000,
      messages,
      client: slope(heaps.client, 1) * perMinute,
      server: slope(heaps.server, 1) * perMinute,
      heaps,
    };
  });
}

const [role, port] = process.argv.slice(2);
if (process.send && role === 'serve') await serve();
if (process.send && role === 'dial') await dial(Number(port));
