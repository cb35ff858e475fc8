// The guard of speed: ours against what is written by hand, in the same run, so that a slow machine does not matter.
// `npm run bench:guard`. It is repeated once where it looks bad, and fails only where both runs do.

import { median } from './statistics.mjs';
import { decodeRates } from './suites/decode.mjs';
import { transfer } from './suites/one-way.mjs';

const LEAST = 0.7;
const ROUNDS = 3;
const SIZE = 16;
const COUNT = 1_000_000;
const SLICE_MS = 60;
const scenario = { size: SIZE, chunk: 64 * 1024, bytes: 1024 * 1024 };

/**
 * One way, two figures: throughput, of the best round of each, since others on the machine only slow it down, and cost
 * for the processor. The better one counts: what is really slower is so in both.
 */
async function oneWay() {
  const rounds = { ours: [], reference: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of ['ours', 'reference']) rounds[way].push(await transfer(way, SIZE, COUNT));
  }
  const best = (way) => Math.max(...rounds[way].map(({ rate }) => rate));
  const cost = (way) => median(rounds[way].map(({ cpu }) => cpu));
  return { 'one way': best('ours') / best('reference'), 'one way, CPU': cost('reference') / cost('ours') };
}

async function decoding() {
  const ratios = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { ours, reference } = await decodeRates(scenario, ['ours', 'reference'], SLICE_MS);
    ratios.push(ours / reference);
  }
  return { decode: median(ratios) };
}

async function run() {
  const figures = { ...(await oneWay()), ...(await decoding()) };
  for (const [name, ratio] of Object.entries(figures)) {
    console.log(`bench:guard: ${SIZE} B, ${name}: ours is ${ratio.toFixed(2)} of the hand-written`);
  }
  return Math.min(Math.max(figures['one way'], figures['one way, CPU']), figures.decode) >= LEAST;
}

let good = await run();
if (!good) {
  console.log('bench:guard: once more');
  good = await run();
}
console.log(`bench:guard: ${good ? 'at least' : 'twice less than'} ${LEAST}`);
process.exit(good ? 0 : 1);
