// ninja-tcp against what is written by hand, and against others: `npm run bench`, about five minutes.
//   -- --rounds 9        more rounds than 5; all suites take turns in each
//   -- --only NAME       one suite: decode, one-way, ping-pong, sessions, crowd, growth
//   -- --quick           small counts, for whoever changes the benchmark: its figures say little
//   -- --no-peers        without the packages of others, which are installed on first use
//   -- --connections N   the last point of the plot over connections: 1000 by default, or 10000
//   -- --growth          the suite growth alone; fails where ten times the work costs more than twelve times the time
//   -- --reconnects N    another question: is the heap flat over so many reconnects?
//   -- --soak MINUTES   another one: is the heap flat over so many minutes at full speed?
//   -- --write           writes docs/benchmarks and the tables of docs/performance.md; with --only, one suite's part
import { parseArgs } from 'node:util';
import { connect } from '../../dist/index.js';
import { install, programs, versions } from './installer.mjs';
import { reconnects } from './reconnects.mjs';
import { growthWords, reconnectWords, soakWords, tablesOf } from './report.mjs';
import { soak } from './soak.mjs';
import { judge, summary } from './statistics.mjs';
import { machine, store, stored } from './store.mjs';
import { crowd } from './suites/crowd.mjs';
import { decode } from './suites/decode.mjs';
import { growth } from './suites/growth.mjs';
import { oneWay } from './suites/one-way.mjs';
import { ask } from './suites/ping-pong.mjs';
import { sessions } from './suites/sessions.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    connections: { type: 'string', default: '1000' },
    growth: { type: 'boolean', default: false },
    reconnects: { type: 'string' },
    soak: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
if (values.write && values.quick) throw new Error('figures of --quick are not for the page');
const only = values.growth ? growth.name : values.only;
const all = [decode, oneWay, ask, sessions, crowd, growth];
const suites = all.filter(({ name }) => (only ?? name) === name);
if (suites.length === 0) throw new Error(`there is no suite '${only}'`);
const rounds = Number(values.rounds);

/** What there is to be measured, by name; false where it is missing. */
async function available() {
  const connection = connect({ host: '127.0.0.1', port: 9 });
  const batches = typeof connection.batches === 'function';
  await connection.dispose();
  return { 'connection.batches()': batches, ...programs() };
}

const rowsOf = (some) => some.flatMap(({ rows, peerRows = [] }) => [...rows, ...peerRows]);

/** All rounds of all suites; gives rows and plots. */
async function measure(options) {
  const samples = new Map();
  const failures = [];
  const record = (id, round) => {
    const row = samples.get(id) ?? {};
    for (const [way, value] of Object.entries(round)) row[way] = [...(row[way] ?? []), value];
    samples.set(id, row);
  };
  for (let round = 1; round <= rounds; round += 1) {
    for (const suite of suites) {
      if (!only && round > (suite.rounds ?? rounds)) continue;
      const from = performance.now();
      try {
        await suite.round(record, options);
      } catch (error) {
        failures.push(`${suite.name}: ${error.message}`);
        console.error(`round ${round}, ${suite.name} FAILED: ${error.message}`);
      }
      console.log(`round ${round}, ${suite.name}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
    }
  }
  const rows = rowsOf(suites)
    .filter(({ id }) => samples.has(id))
    .map((row) => judge(row, samples.get(row.id)));
  const plots = suites.flatMap(({ plots = [] }) => plots).map((one) => ({ ...one, lines: linesOf(one, samples) }));
  return { rows, plots, failures };
}

/** The points of a plot are recorded as `PLOT:X`. */
function linesOf({ id, ways }, samples) {
  const points = [...samples].filter(([name]) => name.startsWith(`${id}:`));
  return ways.map((name) => ({
    name,
    points: points.map(([at, values]) => {
      const { median, least, most } = summary(values[name]);
      return { x: Number(at.slice(id.length + 1)), y: median, least, most };
    }),
  }));
}

/** What is said of the machine where one suite's part takes the place of what it had. */
function together(old, fresh) {
  if (!old) return fresh;
  for (const key of ['cpus', 'cpu', 'system', 'node', 'rounds']) {
    if (old[key] !== fresh[key])
      throw new Error(`measured with another ${key} than the rest of the page: run all suites`);
  }
  const kept = old.failures.filter((failure) => !failure.startsWith(`${only}: `));
  return { ...old, load: Math.max(old.load, fresh.load), failures: [...kept, ...fresh.failures] };
}

const before = await stored();

if (values.reconnects) {
  const result = await reconnects(Number(values.reconnects));
  console.log(reconnectWords(result));
  if (values.write) await store({ ...before, reconnects: result });
  process.exit();
}

if (values.soak) {
  const result = await soak(Number(values.soak));
  console.log(soakWords(result));
  if (values.write) await store({ ...before, soak: result });
  process.exit();
}

const where = machine();
const peers = !values['no-peers'] && (await install());
const has = await available();
const skipped = Object.keys(has).filter((name) => !has[name]);
for (const name of skipped) console.log(`skipped, since it is not there: ${name}`);
const { rows, plots, failures } = await measure({
  quick: values.quick,
  connections: Number(values.connections),
  peers,
  has,
});
if (rows.length > 0) console.log(`\n${tablesOf(rows)}`);
const grown = growthWords(plots);
for (const { words } of grown) console.log(words);

if (values.write) {
  const fresh = { ...where, rounds, peers: peers ? await versions() : {}, skipped, failures };
  const facts = only ? together(before.machine, fresh) : fresh;
  // One suite's part takes the place of what it had; the rest stays.
  const merged = (old, fresh) => [...fresh, ...old.filter((one) => only && !fresh.some(({ id }) => id === one.id))];
  const order = rowsOf(all).map(({ id }) => id);
  await store({
    machine: facts,
    rows: merged(before.rows, rows).sort((one, two) => order.indexOf(one.id) - order.indexOf(two.id)),
    plots: merged(before.plots, plots),
    reconnects: before.reconnects,
    soak: before.soak,
  });
}
const cliff = values.growth && grown.some(({ good }) => !good);
process.exit(failures.length > 0 || cliff ? 1 : 0);
