// One end of a one-way transfer, in a process of its own: `one-way.mjs receive|send WAY { size, warm, count, port }`.
// A receiver tells its port; a sender waits for the order to go. Both tell of what comes after `warm`.
// With `connections` all of them send in turns, a few messages each.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { counter, makeMessages } from './messages.mjs';
import { peerWays } from './peers.mjs';
import { answer, cpuSince, tell } from './processes.mjs';
import { ways } from './ways.mjs';

const TURN = 32;

const [role, way, jobText] = process.argv.slice(2);
const job = JSON.parse(jobText);
const { size, warm, count, port, broker, connections } = job;
const { receive, send } = ways[way] ?? peerWays[way];

async function receiver() {
  // Ticks each millisecond: what is more than that is delay.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let started;
  let startedCpu;
  const accept = counter(
    { ...job, compare: !way.startsWith('raw') },
    () => {
      delay.enable();
      started = performance.now();
      startedCpu = process.cpuUsage();
    },
    (wrong) => {
      const seconds = (performance.now() - started) / 1000;
      delay.disable();
      tell({ seconds, wrong, cpu: cpuSince(startedCpu), delayP99Ms: delay.percentile(99) / 1e6 });
    },
  );
  tell({ port: await receive(accept, { size, broker }) });
}

/** Sends until so many were sent, as fast as the way takes them. */
async function single(messages) {
  const mask = messages.length - 1;
  const { put, drained } = await send(port, { size, broker });
  let number = 0;
  return async (end) => {
    while (number < end) if (!put(messages[number++ & mask])) await drained();
  };
}

/** The same over many connections: each turn a few messages of each. */
async function many(messages) {
  const mask = messages.length - 1;
  const senders = [];
  while (senders.length < connections) senders.push(await send(port, { size }));
  let number = 0;
  let sent = 0;
  return async (end) => {
    while (sent < end) {
      const full = [];
      for (const sender of senders) {
        let ready = true;
        for (let i = 0; i < TURN; i += 1) ready = sender.put(messages[(number + i) & mask]);
        if (!ready) full.push(sender.drained());
      }
      number += TURN;
      sent += TURN * connections;
      if (full.length > 0) await Promise.all(full);
      else await new Promise(setImmediate);
    }
  };
}

async function sender() {
  const messages = makeMessages(size);
  const until = await (connections ? many(messages) : single(messages));
  let startedCpu;
  answer({
    async go() {
      await until(warm);
      startedCpu = process.cpuUsage();
      await until(warm + count);
    },
    done: () => ({ cpu: cpuSince(startedCpu) }),
  });
  tell({ ready: true });
}

await (role === 'receive' ? receiver() : sender());
