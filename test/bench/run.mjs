// Throughput in ratios: the ways take turns, medians are quoted. `npm run bench -- [--rounds 5] [--size 16]`
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, size: { type: 'string' } } });
const script = fileURLToPath(new URL('one-way.mjs', import.meta.url));
const ways = ['ours', 'slab', 'write'];
const counts = new Map([
  [16, { ours: 4_000_000, slab: 4_000_000, write: 200_000 }],
  [128, { ours: 3_000_000, slab: 3_000_000, write: 200_000 }],
  [1024, { ours: 800_000, slab: 800_000, write: 200_000 }],
  [65_536, { ours: 20_000, slab: 20_000, write: 20_000 }],
]);

const start = (...args) =>
  spawn(process.execPath, [script, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** One transfer; gives messages per second. Throws if anything that arrived is not what was sent. */
async function transfer(way, size, count) {
  const receiver = start('receive', way, size, count);
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const sender = start('send', way, size, count, port);
  const result = JSON.parse((await lines.next()).value);
  sender.kill();
  receiver.kill();
  if (result.received !== count || result.bad > 0)
    throw new Error(`${way}, ${size} B: ${result.bad} of ${count} are wrong`);
  return count / result.seconds;
}

console.log('messages per second, one way over loopback, median (least … most); sender and receiver are processes');
for (const [size, count] of counts) {
  if (values.size && Number(values.size) !== size) continue;
  const rates = { ours: [], slab: [], write: [] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const way of ways) rates[way].push(await transfer(way, size, count[way]));
  }
  const ours = median(rates.ours);
  for (const way of ways) {
    const [least, most] = [Math.min(...rates[way]), Math.max(...rates[way])].map((rate) => Math.round(rate));
    const ratio = way === 'ours' ? '' : `  ours / ${way} = ${(ours / median(rates[way])).toFixed(2)}`;
    console.log(
      `${String(size).padStart(6)} B  ${way.padEnd(6)} ${Math.round(median(rates[way])).toLocaleString('en').padStart(12)}` +
        `  (${least.toLocaleString('en')} … ${most.toLocaleString('en')})${ratio}`,
    );
  }
}
