// ninja-tcp against what is written by hand, and against others: `npm run bench`, about five minutes.
//   -- --rounds 9        more rounds than 5; all suites take turns in each
//   -- --only NAME       one suite: decode, one-way, ping-pong, crowd, growth
//   -- --quick           small counts, for whoever changes the benchmark: its figures say little
//   -- --no-peers        without the packages of others, which are installed on first use
//   -- --connections N   the last point of the plot over connections, 1,000 by default
//   -- --reconnects N    another question: is the heap flat over so many reconnects?
//   -- --growth          another question: does ten times the work cost at most twelve times the time?
//   -- --write           writes docs/benchmarks and the tables of docs/performance.md
import { parseArgs } from 'node:util';
import { connect } from '../../dist/index.js';
import { install, programs } from './installer.mjs';
import { tableOf } from './report.mjs';
import { judge } from './statistics.mjs';
import { decode } from './suites/decode.mjs';
import { oneWay } from './suites/one-way.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const suites = [decode, oneWay].filter(({ name }) => (values.only ?? name) === name);
if (suites.length === 0) throw new Error(`there is no suite '${values.only}'`);

/** What there is to be measured, by name; false where it is missing. */
async function available() {
  const connection = connect({ host: '127.0.0.1', port: 9 });
  const batches = typeof connection.batches === 'function';
  await connection.dispose();
  return { batches, ...programs() };
}

const peers = !values['no-peers'] && (await install());
const has = await available();
for (const [name, there] of Object.entries(has)) if (!there) console.log(`skipped, since it is not there: ${name}`);

const samples = new Map();
function record(id, round) {
  const row = samples.get(id) ?? {};
  for (const [way, value] of Object.entries(round)) row[way] = [...(row[way] ?? []), value];
  samples.set(id, row);
}

for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const suite of suites) {
    const from = performance.now();
    await suite.round(record, { quick: values.quick, peers, has });
    console.log(`round ${round}, ${suite.name}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  }
}
const rows = suites
  .flatMap(({ rows, peerRows = [] }) => [...rows, ...peerRows])
  .filter(({ id }) => samples.has(id))
  .map((row) => judge(row, samples.get(row.id)));
console.log(`\n${tableOf(rows)}`);
