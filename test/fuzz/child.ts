/** Runs cases in batches, and writes a line of JSON before and after each: the other side of run.mjs, bundled. */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { hash } from '../../src/testing/random.js';
import { met } from './demand.js';
import { targets } from './targets.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** All cases of all targets together, of all processes. */
    cases: { type: 'string', default: '200000' },
    /** Instead of so many cases: whatever can be done in this time. */
    seconds: { type: 'string' },
    /** This process does every so manieth batch. */
    job: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '1' },
    only: { type: 'string' },
    /** One case again, as the failure's report names it: with the batch's own seed. */
    path: { type: 'string' },
  },
});
/** Whoever is still shrinking then has shrunk enough, milliseconds. */
const PATIENCE = 30_000;

const astray: string[] = [];
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: Error) => void astray.push(`${event}: ${error?.stack ?? error}`));
}

const say = (line: object): Promise<void> =>
  new Promise((resolve) => void process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));

async function runBatch(name: string, seed: number, cases: number): Promise<void> {
  await say({ begins: name, seed });
  const result = await fc.check((targets[name] as (typeof targets)[string]).property as fc.IAsyncProperty<unknown>, {
    seed,
    numRuns: cases,
    ...(values.path === undefined
      ? { interruptAfterTimeLimit: PATIENCE, markInterruptAsFailure: false }
      : { path: values.path, endOnFailure: true }),
  });
  // What nobody caught is told of a turn later.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const { errorInstance } = result;
  const why = errorInstance instanceof Error ? errorInstance.stack : errorInstance;
  const problems = [...(result.failed ? [`${why}\n${fc.defaultReportMessage(result)}`] : []), ...astray.splice(0)];
  await say({ target: name, seed, cases: result.numRuns, path: result.counterexamplePath, problems });
}

const chosen = Object.entries(targets).filter(([name]) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`there is no '${values.only}', but: ${Object.keys(targets).join(', ')}`);
const [job, jobs] = [Number(values.job), Number(values.jobs)];
const until =
  values.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + 1000 * Number(values.seconds);
const shares = chosen.reduce((sum, [, { share }]) => sum + share, 0);

if (values.path !== undefined) {
  await runBatch(chosen[0]?.[0] as string, Number(values.seed), 1);
} else {
  const all = chosen.map(([name, { share, batch }]) => ({
    name,
    batch,
    batches: values.seconds === undefined ? Math.ceil((Number(values.cases) * share) / shares / batch) : 1e9,
  }));
  // In turn, so that a run that is cut short has seen something of everything.
  for (let round = job; performance.now() < until; round += jobs) {
    const left = all.filter(({ batches }) => round < batches);
    if (left.length === 0) break;
    for (const { name, batch } of left) {
      if (performance.now() < until) await runBatch(name, hash(`${values.seed}/${name}/${round}`) >>> 1, batch);
    }
  }
}
await say({ met });
process.exit(0);
