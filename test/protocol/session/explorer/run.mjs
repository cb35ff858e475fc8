// Walks one world of the explorer that is larger than those of the tests: every interleaving of a client, a server, the
// lines between them, and breaks of these. Prints how many states there are; ends with 1 where something is wrong in one.
//   npm run explore -- --up 5 --breaks 3
//   npm run explore -- --up 2 --down 2 --breaks 3 --window 2 --narrow --slow --closes client
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    /** Messages from the client, and from the server. */
    up: { type: 'string', default: '4' },
    down: { type: 'string', default: '0' },
    breaks: { type: 'string', default: '3' },
    /** How many messages may be unacknowledged. */
    window: { type: 'string', default: '8' },
    /** The program takes a message some time after it came. */
    slow: { type: 'boolean', default: false },
    /** A socket takes one message, and wants to be asked before the next. */
    narrow: { type: 'boolean', default: false },
    /** `client` or `server`: who closes when all is sent; else nobody does. */
    closes: { type: 'string' },
    /** It is given up beyond so many states. */
    most: { type: 'string', default: '2000000' },
  },
});
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const cache = `${root}node_modules/.cache/ninja-tcp`;
const bundle = `${cache}/explorer-${process.pid}.mjs`;

async function load() {
  mkdirSync(cache, { recursive: true });
  const entry = fileURLToPath(import.meta.resolve('./explore.ts'));
  const flags = ['--bundle', '--platform=node', '--format=esm', '--target=node20', `--outfile=${bundle}`];
  const { status, stderr } = spawnSync(
    `${root}node_modules/.bin/esbuild`,
    [entry, ...flags, '--sourcemap=inline', '--log-level=warning'],
    { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) throw new Error(`esbuild failed:\n${stderr}`);
  try {
    return await import(pathToFileURL(bundle).href);
  } finally {
    rmSync(bundle, { force: true });
  }
}

const { explore } = await load();
const { slow, narrow, closes } = values;
const [up, down, breaks, window, most] = ['up', 'down', 'breaks', 'window', 'most'].map((name) => Number(values[name]));
const { states, transitions, done, failure } = explore({ up, down, breaks, window, slow, narrow, closes }, most);
const { userCPUTime, maxRSS } = process.resourceUsage();
const cost = `${(userCPUTime / 1e6).toFixed(1)} s of processor, ${(maxRSS / 1024).toFixed(0)} MB`;
console.log(`${states} states, ${transitions} transitions, ${done} at the end; ${cost}`);
if (failure === undefined) {
  console.log('nothing is lost, doubled, reordered, invented or stuck');
} else {
  console.log(failure);
  process.exitCode = 1;
}
