// One end of a one-way transfer, in a process of its own: `one-way.mjs receive|send WAY { size, warm, count, port }`.
// A receiver tells its port; a sender waits for the order to go. Both tell of what comes after `warm`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { counter, makeMessages } from './messages.mjs';
import { peerWays } from './peers.mjs';
import { answer, cpuSince, tell } from './processes.mjs';
import { ways } from './ways.mjs';

const [role, way, job] = process.argv.slice(2);
const { size, warm, count, port, broker } = JSON.parse(job);
const { receive, send } = ways[way] ?? peerWays[way];

async function receiver() {
  // Ticks each millisecond: what is more than that is delay.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let started;
  let startedCpu;
  const onMessage = counter(
    { size, warm, count, compare: !way.startsWith('raw') },
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
  tell({ port: await receive(onMessage, { size, broker }) });
}

async function sender() {
  const messages = makeMessages(size);
  const mask = messages.length - 1;
  const { put, drained } = await send(port, { size, broker });
  let number = 0;
  let startedCpu;
  const until = async (end) => {
    while (number < end) if (!put(messages[number++ & mask])) await drained();
  };
  answer({
    async go() {
      await until(warm);
      startedCpu = process.cpuUsage();
      await until(warm + count);
      return { sent: number };
    },
    done: () => ({ cpu: cpuSince(startedCpu) }),
  });
  tell({ ready: true });
}

await (role === 'receive' ? receiver() : sender());
