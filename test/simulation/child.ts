/** Runs seeds, and writes one line of JSON for each: the other side of run.mjs, bundled. */
import { parseArgs } from 'node:util';
import { hash } from '../../src/testing/random.js';
import { simulateBulk, simulateSessions } from './sessions/world.js';
import { simulate } from './world.js';

/** The last part of a failing seed's trace. */
const TAIL = 60;

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    /** So many are run, however long it takes. */
    least: { type: 'string', default: '1' },
    /** Every so many seeds are run twice, and the traces compared. */
    twice: { type: 'string', default: '0' },
    trace: { type: 'boolean', default: false },
    /** The world of sessions. */
    sessions: { type: 'boolean', default: false },
    /** The same with many more messages. */
    bulk: { type: 'boolean', default: false },
  },
});

// Stacks of errors that are expected would be a tenth of the time; a replay shows them.
if (!values.trace) Error.stackTraceLimit = 0;

const run = values.bulk ? simulateBulk : values.sessions ? simulateSessions : simulate;
const rejections: string[] = [];
process.on('unhandledRejection', (error) => rejections.push(String((error as Error)?.stack ?? error)));

const say = (line: object): Promise<void> =>
  new Promise((resolve) => void process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));

async function runSeed(seed: number, twice: boolean): Promise<void> {
  const traced = values.trace || twice;
  const start = process.cpuUsage();
  const { problems, trace, virtualMs, counts } = await run(seed, traced);
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  await new Promise((resolve) => setImmediate(resolve));
  const wrong = [...problems, ...rejections.splice(0).map((error) => `nobody handled: ${error}`)];
  if (twice) {
    const again = await run(seed, true);
    const differs = again.trace.findIndex((line, index) => line !== trace[index]);
    if (differs >= 0 || again.trace.length !== trace.length) {
      wrong.push(`the same seed gave another trace, from line ${differs}: ${trace[differs]} | ${again.trace[differs]}`);
    }
  }
  const whole = wrong.length > 0 && !traced ? (await run(seed, true)).trace : trace;
  const shown = values.trace ? whole : wrong.length > 0 ? whole.slice(-TAIL) : [];
  const facts = values.trace ? { ...counts, traceDigest: hash(trace.join('\n')) } : counts;
  await say({ seed, ms, virtualMs, counts: facts, problems: wrong, trace: shown, twice });
}

const until = performance.now() + 1000 * Number(values.seconds);
const step = Number(values.step);
const every = Number(values.twice);
let seed = Number(values.from);
const least = Number(values.least);
for (let done = 0; done < Number(values.seeds) && (done < least || performance.now() < until); done += 1) {
  await runSeed(seed, every > 0 && seed % every === 0);
  seed += step;
}
